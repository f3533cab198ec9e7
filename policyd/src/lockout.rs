// SPDX-License-Identifier: Apache-2.0
//! Failures and locks of this host's accounts: the decisions are [`virtwarden_core::lockout`]'s, and each one
//! that changes something is on the disk before anybody is answered. Rows 16, FIA_AFL_EXT.1.
//!
//! Fails closed: a file that cannot be understood locks every account over the network for as long as a lock
//! would have lasted. The console stays open, so that somebody can put things right.

mod file;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::{Clock, Counted, Key, Moment, Reading, Table, Tally, Try, Until, Verdict};
use virtwarden_core::setting::Lockout;

use crate::kept::{Condition, Store, StoreError};
use crate::trail;
use file::Document;

/// No limit allows more.
const MOST_FAILURES: usize = 100;

/// Where the host's clocks are read.
pub type HostClocks = Arc<dyn trail::Clock>;

/// What is known at one moment.
#[derive(Clone, Debug, Default)]
struct State {
    table: Table,
    /// Administrators who have shown that they have a password.
    proven: BTreeSet<String>,
    /// Counts the changes.
    changes: u64,
}

/// What is on the disk.
#[derive(Debug)]
struct Disk {
    file: Store<Document>,
    /// The last change that is there.
    written: u64,
}

/// Failures and locks.
pub struct Lockouts {
    state: Mutex<State>,
    disk: Mutex<Disk>,
    clocks: HostClocks,
    clock: Clock,
    condition: Condition,
}

impl fmt::Debug for Lockouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lockouts").field("condition", &self.condition).finish_non_exhaustive()
    }
}

impl Lockouts {
    /// Reads `lockout.json` of the state directory.
    ///
    /// # Errors
    /// The file cannot be read, or a damaged one cannot be put aside.
    pub fn open(state: &Path, policy: &Lockout, clocks: HostClocks) -> Result<Self, StoreError> {
        let (file, kept, condition) = Store::<Document>::open(&state.join("lockout.json"))?;
        let reading = reading(&*clocks);
        let clock = Clock::resume(kept.as_ref().map(|kept| &kept.clock), reading.clone());
        let mut state = State::default();
        if let Some(kept) = kept {
            (state.table, state.proven) = (Table::restore(kept.tallies, kept.everybody), kept.proven);
        }
        if let Condition::Damaged { .. } = condition {
            state.table.distrust(policy, clock.at(reading.up));
            state.changes += 1;
        }
        let disk = Mutex::new(Disk { file, written: 0 });
        let lockouts = Self { state: Mutex::new(state), disk, clocks, clock, condition };
        lockouts.keep()?;
        Ok(lockouts)
    }

    /// How the file was found.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Now, on the clock that locks are measured by.
    pub fn now(&self) -> Moment {
        self.clock.at(reading(&*self.clocks).up)
    }

    /// The same moment as seconds since 1970, as the host's clock stands now; rounded up.
    pub fn wall(&self, moment: Moment) -> u64 {
        let reading = reading(&*self.clocks);
        let now = self.clock.at(reading.up);
        let millis = (reading.wall.saturating_add(moment.since(now))).saturating_sub(now.since(moment));
        millis.div_ceil(1000)
    }

    /// May somebody try?
    pub fn begin(&self, attempt: &Try<'_>) -> Verdict {
        self.state().table.begin(attempt)
    }

    /// May somebody try, if so many that are under way fail?
    pub fn begin_beside(&self, attempt: &Try<'_>, under_way: usize) -> Verdict {
        let mut table = self.state().table.clone();
        for _ in 0..under_way.min(MOST_FAILURES) {
            let _as_if = table.failed(attempt);
        }
        table.begin(attempt)
    }

    /// No factor fitted. The count is on the disk when this returns.
    ///
    /// # Errors
    /// It counts, but is not on the disk.
    pub fn failed(&self, attempt: &Try<'_>) -> (Counted, Result<(), StoreError>) {
        let counted = {
            let mut state = self.state();
            let counted = state.table.failed(attempt);
            state.changes += u64::from(changes(counted));
            counted
        };
        (counted, self.keep())
    }

    /// A factor fitted.
    ///
    /// # Errors
    /// The verdict stands, but what was forgotten is still on the disk.
    pub fn passed(&self, attempt: &Try<'_>, role: Role) -> (Verdict, Result<(), StoreError>) {
        let verdict = {
            let mut state = self.state();
            let known = state.table.tallies().len();
            let verdict = state.table.passed(attempt);
            let proves = verdict == Verdict::Go && role == Role::Administrator;
            let proved = proves && state.proven.insert(attempt.account.to_owned());
            state.changes += u64::from(proved || state.table.tallies().len() != known);
            verdict
        };
        (verdict, self.keep())
    }

    /// Forgets an account's failures and lock; returns what there was.
    ///
    /// # Errors
    /// It could not be kept, and so did not happen.
    pub fn unlock(
        &self,
        account: &str,
        class: Option<OriginClass>,
    ) -> Result<Vec<(OriginClass, Tally)>, StoreError> {
        let gone = {
            let mut state = self.state();
            state.changes += 1;
            state.table.unlock(account, class)
        };
        self.keep().inspect_err(|_| self.lock_again(account, &gone))?;
        Ok(gone)
    }

    /// What would be forgotten.
    pub fn tallies(&self, policy: &Lockout) -> Vec<(Key, Tally)> {
        let now = self.now();
        let state = self.state();
        let rows = state.table.rows(policy, now).into_iter();
        rows.map(|row| ((row.account.to_owned(), row.class), row.tally)).collect()
    }

    /// What keeps an account out now.
    pub fn lock(&self, account: &str, class: OriginClass, policy: &Lockout) -> Option<Until> {
        let now = self.now();
        self.state().table.lock(account, class, policy, now)
    }

    /// Whether an Administrator has ever shown here that he has a password.
    pub fn is_proven(&self, account: &str) -> bool {
        self.state().proven.contains(account)
    }

    /// An unlock that the disk refused would be undone by the next start, so it is undone now.
    fn lock_again(&self, account: &str, unlocked: &[(OriginClass, Tally)]) {
        let mut state = self.state();
        state.table.lock_again(account, unlocked.to_vec());
        state.changes += 1;
    }

    /// Writes what has changed. Whoever waits for the disk finds his change written by the one before him.
    fn keep(&self) -> Result<(), StoreError> {
        let change = self.state().changes;
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if disk.written >= change {
            return Ok(());
        }
        let state = self.state().clone();
        disk.file.write(&Document {
            clock: self.clock.anchor(reading(&*self.clocks)),
            tallies: state.table.tallies().clone(),
            everybody: state.table.everybody().cloned(),
            proven: state.proven,
        })?;
        disk.written = state.changes;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an account is an Administrator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It holds a role of that column.
    Administrator,
    /// It holds none.
    Other,
}

fn changes(counted: Counted) -> bool {
    match counted {
        Counted::Noted { .. } | Counted::LimitMet(_) | Counted::Delayed(_) => true,
        Counted::Ignored | Counted::Locked(_) => false,
    }
}

fn reading(clocks: &dyn trail::Clock) -> Reading {
    let stamp = clocks.now();
    Reading { boot: stamp.boot.to_string(), up: stamp.up / 1000, wall: stamp.time.micros() / 1000 }
}

#[cfg(test)]
mod tests;
