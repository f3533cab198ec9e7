// SPDX-License-Identifier: Apache-2.0
//! Who is locked, in a file for the PAM module: when policyd does not answer, nobody's lock disappears.
//!
//! The last Administrator is left out of the console's locks here, since nobody could judge that then.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::{Name, Spare, Until};
use virtwarden_core::setting::Counted;
use virtwarden_login::Class;
use virtwarden_login::locked::{self, Locked};

use super::Logins;
use crate::kept;

/// The file, with what stands in it.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    written: Mutex<Option<String>>,
}

impl Snapshot {
    /// The file of a state directory.
    pub fn of(state: &Path) -> Self {
        Self { path: state.join("lockout").join("locked"), written: Mutex::new(None) }
    }
}

impl Logins {
    /// Brings the file up to date. It is on the disk when this returns.
    pub fn keep_snapshot(&self) {
        let mut written = self.snapshot.written.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match locked::render(&self.locks()) {
            Ok(text) => text,
            Err(fault) => return eprintln!("virtwarden-policyd: the list of locks is {fault}"),
        };
        if written.as_ref() == Some(&text) {
            return;
        }
        match put(&self.snapshot.path, &text) {
            Ok(()) => *written = Some(text),
            Err(why) => eprintln!("virtwarden-policyd: {why}; without policyd these locks are not known"),
        }
    }

    fn locks(&self) -> Vec<Locked> {
        let policy = self.settings.lockout();
        let tallies = self.lockouts.tallies(&policy).into_iter();
        let known = tallies.filter(|(_, tally)| tally.name == Name::Account);
        let counted = known.filter(|((account, class), _)| match (class, policy.counted) {
            (OriginClass::Local, Counted::Remote) => false,
            (OriginClass::Local, Counted::Everywhere) => !self.is_spared(account),
            (OriginClass::Remote, Counted::Remote | Counted::Everywhere) => true,
        });
        counted.filter_map(|((account, class), tally)| self.entry(&account, class, tally.lock()?)).collect()
    }

    /// Whether a lock cannot keep an account from the console.
    pub(crate) fn is_spared(&self, account: &str) -> bool {
        let found = self.directory.find(account);
        found.is_some_and(|found| self.last_one(&found) == Spare::LastAdministrator)
    }

    fn entry(&self, account: &str, class: OriginClass, lock: Until) -> Option<Locked> {
        let until = match lock {
            Until::Unlocked => locked::Until::Unlocked,
            Until::Moment(end) => locked::Until::Time(self.lockouts.wall(end)),
        };
        let class = match class {
            OriginClass::Local => Class::Local,
            OriginClass::Remote => Class::Remote,
        };
        // The lock of everybody is over the network, where nobody gets in without policyd anyway.
        let own = self.directory.find(account).is_some();
        own.then(|| Locked { account: account.as_bytes().to_vec(), class, until })
    }
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        let made = fs::DirBuilder::new().mode(0o700).create(directory);
        made.map_err(|error| format!("cannot make `{}`: {error}", directory.display()))?;
    }
    kept::replace(path, text.as_bytes()).map_err(|error| format!("failed logins: {error}"))
}
