// SPDX-License-Identifier: Apache-2.0
//! What `su`, `sudo` and their like open within somebody's session: recorded, but no session of its own.

use std::collections::BTreeMap;

use virtwarden_core::authentication::Origin;
use virtwarden_core::record::{Event, Outcome, Target};
use virtwarden_core::subject::{Account, Process};
use virtwarden_login::Claim;

use super::records::Who;
use super::words::word;
use crate::peer::Peer;

/// So many are known by their ticket, so that their end can be recorded too.
const MOST: usize = 1024;

/// Those that are open, by ticket, each with the record of its end.
#[derive(Debug, Default)]
pub(super) struct Within(BTreeMap<u64, Event>);

impl Within {
    /// The record of its begin.
    pub(super) fn begin(&mut self, ticket: u64, leader: &Peer, claim: &Claim, from: Origin) -> Event {
        let began = record("session begin", leader, claim, from);
        if self.0.len() < MOST {
            self.0.insert(ticket, Event { operation: "session end".to_owned(), ..began.clone() });
        }
        began
    }

    /// The record of its end, if it is one of these.
    pub(super) fn end(&mut self, ticket: u64) -> Option<Event> {
        self.0.remove(&ticket)
    }
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
