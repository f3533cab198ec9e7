// SPDX-License-Identifier: Apache-2.0
//! Transfers of media that wait until a User of the receiving VM confirms them: FPT_RDM_EXT.1.2, option (c).
//!
//! Whoever asks, through whichever door, leaves a wish here and is refused with its number. Whoever may confirm it
//! takes it, once, while it lasts; what is taken is judged anew.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use virtwarden_core::control::ConfirmationRow;
use virtwarden_core::media::Medium;
use virtwarden_core::object::Vm;
use virtwarden_core::subject::Account;

/// How long a wish lasts.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most wishes that wait, of everybody and of one account.
const ALL: usize = 256;
const EACH: usize = 8;

/// A transfer that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The VM that shall get the medium.
    pub vm: Vm,
    /// The medium.
    pub medium: Medium,
    /// The drive that it goes into, by its name in the definition; none if it is a device of its own.
    pub drive: Option<String>,
    /// The rule that wants it confirmed.
    pub rule: String,
    /// Who asked.
    pub asked_by: Account,
}

impl Wish {
    /// The same transfer, whoever asks and by whatever rule.
    fn is(&self, other: &Wish) -> bool {
        self.vm.uuid == other.vm.uuid && self.medium.id == other.medium.id && self.drive == other.drive
    }
}

/// A wish that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What it is confirmed by.
    pub number: u32,
    /// The transfer.
    pub wish: Wish,
    /// When it is forgotten.
    pub until: Instant,
}

impl Waiting {
    /// For people.
    pub fn row(&self, now: Instant) -> ConfirmationRow {
        let wish = &self.wish;
        ConfirmationRow {
            number: self.number,
            vm: wish.vm.name.clone(),
            id: wish.medium.id.clone(),
            kind: wish.medium.kind,
            name: wish.medium.name.clone(),
            asked_by: wish.asked_by.name.clone(),
            rule: wish.rule.clone(),
            seconds: self.until.saturating_duration_since(now).as_secs(),
        }
    }
}

/// A wish was taken down. Its words are for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it is confirmed by.
    pub number: u32,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a User of the VM must confirm it: `virtwarden media confirm {}`, within {} seconds",
            self.number,
            PATIENCE.as_secs()
        )
    }
}

/// Too many wishes wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it must be confirmed, and too many transfers wait for that already; see `virtwarden media pending`")
    }
}

impl std::error::Error for Full {}

/// The wishes that wait.
#[derive(Debug, Default)]
pub struct Confirmations {
    table: Mutex<Table>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Table {
    waiting: BTreeMap<u32, Waiting>,
    last: u32,
}

impl Confirmations {
    /// Takes a wish down. One that waits already keeps its number and lasts anew.
    ///
    /// # Errors
    /// Too many wait.
    pub fn ask(&self, wish: Wish, now: Instant) -> Result<Asked, Full> {
        let mut table = self.current(now);
        let until = now + PATIENCE;
        if let Some(same) = table.waiting.values_mut().find(|waiting| waiting.wish.is(&wish)) {
            *same = Waiting { number: same.number, wish, until };
            return Ok(Asked { number: same.number });
        }
        let his = table.waiting.values().filter(|waiting| waiting.wish.asked_by == wish.asked_by).count();
        if table.waiting.len() >= ALL || his >= EACH {
            return Err(Full);
        }
        table.last = table.last.wrapping_add(1).max(1);
        let number = table.last;
        table.waiting.insert(number, Waiting { number, wish, until });
        self.news.notify_all();
        Ok(Asked { number })
    }

    /// What waits, oldest first.
    pub fn waiting(&self, now: Instant) -> Vec<Waiting> {
        self.current(now).waiting.values().cloned().collect()
    }

    /// What a number stands for, if it still waits.
    pub fn find(&self, number: u32, now: Instant) -> Option<Waiting> {
        self.current(now).waiting.get(&number).cloned()
    }

    /// Takes a wish, so that nobody confirms it a second time.
    pub fn take(&self, number: u32, now: Instant) -> Option<Waiting> {
        self.current(now).waiting.remove(&number)
    }

    /// Waits until a wish with a higher number comes, or the time is up; then says what waits.
    pub fn later_than(&self, number: u32, patience: Duration) -> Vec<Waiting> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = |table: &mut Table| table.waiting.keys().all(|other| *other <= number);
        let waited = self.news.wait_timeout_while(table, patience, quiet);
        let (table, _) = waited.unwrap_or_else(PoisonError::into_inner);
        table.waiting.range(number.saturating_add(1)..).map(|(_, waiting)| waiting.clone()).collect()
    }

    /// The table without what is over.
    fn current(&self, now: Instant) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.waiting.retain(|_, waiting| now < waiting.until);
        table
    }
}

#[cfg(test)]
#[path = "confirmations/tests.rs"]
mod tests;
