// SPDX-License-Identifier: Apache-2.0
//! What `su`, `sudo` and their like open within somebody's session: recorded, but no session of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use virtwarden_core::authentication::Origin;
use virtwarden_core::record::{Event, Outcome, Target};
use virtwarden_core::subject::{Account, Process};
use virtwarden_login::Claim;

use super::records::Who;
use super::words::word;
use crate::peer::{Peer, start_time};

/// So many are known by their ticket, so that their end can be recorded too.
const MOST: usize = 1024;

/// The file's name, in the directory of the sessions'.
pub(super) const NAME: &str = "within";

/// Those that are open, by ticket, each with the record of its end. Kept, so that policyd can die and come back
/// meanwhile; what cannot be kept is not: then the end has no record.
#[derive(Debug, Default)]
pub(super) struct Within {
    open: BTreeMap<u64, Event>,
    file: Option<PathBuf>,
}

impl Within {
    /// Those that were open when policyd last ran in this boot.
    pub(super) fn of(directory: &Path) -> Self {
        let file = directory.join(NAME);
        let kept = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { open: kept.unwrap_or_default(), file: Some(file) }
    }

    /// The record of its begin.
    pub(super) fn begin(&mut self, ticket: u64, leader: &Peer, claim: &Claim, from: Origin) -> Event {
        let began = record("session begin", leader, claim, from);
        if self.open.len() >= MOST {
            self.open.retain(|_, event| event.actor.as_ref().is_some_and(|actor| runs(actor.process)));
        }
        if self.open.len() < MOST {
            self.open.insert(ticket, Event { operation: "session end".to_owned(), ..began.clone() });
            self.keep();
        }
        began
    }

    /// The record of its end, if it is one of these.
    pub(super) fn end(&mut self, ticket: u64) -> Option<Event> {
        let ended = self.open.remove(&ticket);
        if ended.is_some() {
            self.keep();
        }
        ended
    }

    fn keep(&self) {
        let Some(file) = &self.file else { return };
        let new = file.with_extension("new");
        let kept = serde_json::to_vec(&self.open).map_err(io::Error::from);
        if let Err(error) =
            kept.and_then(|bytes| fs::write(&new, bytes)).and_then(|()| fs::rename(&new, file))
        {
            eprintln!("virtwarden-policyd: ends of su and sudo will not be known over a restart: {error}");
        }
    }
}

/// Whether a program that opened one is still there to close it.
fn runs(leader: Process) -> bool {
    start_time(leader.pid).is_ok_and(|start_time| start_time == leader.start_time)
}

fn record(operation: &str, leader: &Peer, claim: &Claim, from: Origin) -> Event {
    let login = leader.login.clone();
    let who = Who {
        account: login.as_ref().map_or_else(root, |login| login.account.clone()),
        process: leader.process,
        authenticated: None,
        login,
    };
    who.did(operation, account(claim), from, Outcome::Success, word(&claim.service))
}

/// Somebody was refused what he authenticated for.
pub(super) fn refused(operation: &str, claim: &Claim, from: Origin, why: &str) -> Event {
    let who =
        Who { account: root(), process: Process { pid: 0, start_time: 0 }, authenticated: None, login: None };
    who.did(operation, account(claim), from, Outcome::Denied, why.to_owned())
}

/// The account that was to be entered: a claim, and so the object of the record, not its actor.
fn account(claim: &Claim) -> Target {
    Target { kind: "account".to_owned(), name: Some(word(&claim.account)), ..Target::default() }
}

/// Whose login programs ask.
fn root() -> Account {
    Account { name: "root".to_owned(), uid: 0 }
}
