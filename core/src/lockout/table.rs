// SPDX-License-Identifier: Apache-2.0
//! The failures and locks of all accounts.

use std::collections::BTreeMap;

use super::tally::Tally;
use super::{Counted, Moment, Name, Spare, Try, Until, Verdict};
use crate::control::OriginClass;
use crate::setting::{Counted as Whose, Lockout};

/// So many names that are no account's have a place. The host's own accounts always have theirs, so that
/// nobody wins a fresh start for one by failing with other names.
pub const UNKNOWN_NAMES: usize = 4096;

/// What the lock of everybody is called where accounts are named. Whoever types it at a prompt is one more
/// unknown name and does not touch that lock.
pub const EVERYBODY: &str = "*";

/// Whose failures, and which.
pub type Key = (String, OriginClass);

/// One account's failures and lock as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The account.
    pub account: &'a str,
    /// Which logins.
    pub class: OriginClass,
    /// Failures and lock.
    pub tally: Tally,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    tallies: BTreeMap<Key, Tally>,
    /// Keeps everybody out over the network.
    everybody: Option<Tally>,
}

impl Table {
    /// May somebody try?
    pub fn begin(&self, attempt: &Try<'_>) -> Verdict {
        match self.bar(attempt) {
            Some(until) => Verdict::Locked(until),
            None => Verdict::Go,
        }
    }

    /// No factor fitted.
    pub fn failed(&mut self, attempt: &Try<'_>) -> Counted {
        if !counts(attempt) {
            return Counted::Ignored;
        }
        if let Some(until) = self.bar(attempt) {
            return Counted::Locked(until);
        }
        self.make_room(attempt);
        let blank = || Tally::new(attempt.name, attempt.origin.clone(), attempt.now);
        let tally = self.tallies.entry(key(attempt.account, attempt.class)).or_insert_with(blank);
        tally.settle(&attempt.policy.limit, attempt.now);
        tally.fail(attempt)
    }

    /// A factor fitted. That is asked for again at this point: if the lock has fallen since the attempt
    /// began, it is refused like a failure. A success forgets the failures of its own class alone.
    pub fn passed(&mut self, attempt: &Try<'_>) -> Verdict {
        match self.bar(attempt) {
            Some(until) => Verdict::Locked(until),
            None => {
                self.tallies.remove(&key(attempt.account, attempt.class));
                Verdict::Go
            }
        }
    }

    /// Forgets an account's failures and lock; returns what there was.
    pub fn unlock(&mut self, account: &str, class: Option<OriginClass>) -> Vec<(OriginClass, Tally)> {
        let classes = [OriginClass::Local, OriginClass::Remote];
        let wanted = classes.into_iter().filter(|each| class.is_none_or(|class| class == *each));
        let everybody = match class {
            None | Some(OriginClass::Remote) if account == EVERYBODY => self.everybody.take(),
            None | Some(OriginClass::Remote | OriginClass::Local) => None,
        };
        let own = wanted.filter_map(|class| Some((class, self.tallies.remove(&key(account, class))?)));
        own.chain(everybody.map(|tally| (OriginClass::Remote, tally))).collect()
    }

    /// What was known is lost: nobody may come in over the network with a password for as long as any lock
    /// would last. The console stays open.
    pub fn distrust(&mut self, policy: &Lockout, now: Moment) {
        self.everybody = Some(Tally::locked(&policy.limit, now));
    }

    /// The rows as they stand, by account.
    pub fn rows(&self, policy: &Lockout, now: Moment) -> Vec<Row<'_>> {
        let everybody = self.everybody.iter().map(|tally| (EVERYBODY, OriginClass::Remote, tally));
        let each = self.tallies.iter().map(|((account, class), tally)| (account.as_str(), *class, tally));
        let rows = everybody.chain(each).map(|(account, class, tally)| Row {
            account,
            class,
            tally: settled(tally.clone(), policy, now),
        });
        rows.filter(|row| !row.tally.is_blank()).collect()
    }

    /// Every account's, to be kept.
    pub fn tallies(&self) -> &BTreeMap<Key, Tally> {
        &self.tallies
    }

    /// Everybody's, to be kept.
    pub fn everybody(&self) -> Option<&Tally> {
        self.everybody.as_ref()
    }

    /// What was kept.
    pub fn restore(tallies: BTreeMap<Key, Tally>, everybody: Option<Tally>) -> Self {
        Self { tallies, everybody }
    }

    /// Takes back an unlock that could not be kept.
    pub fn lock_again(&mut self, account: &str, unlocked: Vec<(OriginClass, Tally)>) {
        for (class, tally) in unlocked {
            self.tallies.entry(key(account, class)).or_insert(tally);
        }
    }

    /// What keeps an account out now, other than the lock of everybody.
    pub fn lock(&self, account: &str, class: OriginClass, policy: &Lockout, now: Moment) -> Option<Until> {
        self.settled(account, class, policy, now)?.bar(Spare::Nobody, now)
    }

    fn bar(&self, attempt: &Try<'_>) -> Option<Until> {
        if !counts(attempt) {
            return None;
        }
        let own = self.settled(attempt.account, attempt.class, attempt.policy, attempt.now);
        let everybody = match attempt.class {
            OriginClass::Remote => self.everybody.clone(),
            OriginClass::Local => None,
        };
        let all = everybody.map(|tally| settled(tally, attempt.policy, attempt.now));
        let bar = |tally: Option<Tally>| tally?.bar(attempt.spare, attempt.now);
        match (bar(own), bar(all)) {
            (Some(own), Some(all)) => Some(longer(own, all)),
            (own, all) => own.or(all),
        }
    }

    fn settled(&self, account: &str, class: OriginClass, policy: &Lockout, now: Moment) -> Option<Tally> {
        Some(settled(self.tallies.get(&key(account, class))?.clone(), policy, now))
    }

    /// Drops what is over; then, for one more unknown name, the unknown name that matters least.
    fn make_room(&mut self, attempt: &Try<'_>) {
        self.tallies.retain(|_, tally| {
            tally.settle(&attempt.policy.limit, attempt.now);
            !tally.is_blank()
        });
        let known = self.tallies.contains_key(&key(attempt.account, attempt.class));
        if attempt.name == Name::Account || known {
            return;
        }
        let unknown = || self.tallies.iter().filter(|(_, tally)| tally.name == Name::Unknown);
        if unknown().count() >= UNKNOWN_NAMES {
            let least = unknown().min_by_key(|(_, tally)| (tally.lock().is_some(), tally.last));
            if let Some(least) = least.map(|(key, _)| key.clone()) {
                self.tallies.remove(&least);
            }
        }
    }
}

fn settled(mut tally: Tally, policy: &Lockout, now: Moment) -> Tally {
    tally.settle(&policy.limit, now);
    tally
}

/// Whether the rules count logins of this class, and lock them.
fn counts(attempt: &Try<'_>) -> bool {
    match (attempt.policy.counted, attempt.class) {
        (Whose::Everywhere, OriginClass::Local | OriginClass::Remote)
        | (Whose::Remote, OriginClass::Remote) => true,
        (Whose::Remote, OriginClass::Local) => false,
    }
}

fn longer(one: Until, other: Until) -> Until {
    match (one, other) {
        (Until::Moment(one), Until::Moment(other)) => Until::Moment(one.max(other)),
        (Until::Unlocked, Until::Moment(_) | Until::Unlocked) | (Until::Moment(_), Until::Unlocked) => {
            Until::Unlocked
        }
    }
}

fn key(account: &str, class: OriginClass) -> Key {
    (account.to_owned(), class)
}
