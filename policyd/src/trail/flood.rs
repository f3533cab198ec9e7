// SPDX-License-Identifier: Apache-2.0
//! Keeps one account's refusals from filling the disk: the first ones are recorded one by one, the rest
//! are counted by what was refused, and the counts are recorded, more rarely the longer it goes on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use virtwarden_core::record::{Event, Kind};
use virtwarden_core::trail::bound::bound;

const SECOND: u64 = 1_000_000;
/// Refusals that an account has recorded one by one before they are counted.
const BURST: u64 = 300;
/// The time after which it has one more, in microseconds.
const REFILL: u64 = SECOND;
/// The time from the first count to its record, in microseconds. Doubles up to the longest.
const SHORTEST: u64 = SECOND;
const LONGEST: u64 = 60 * SECOND;
/// Different refusals of one account that are counted apart; the others are counted together.
const APART: usize = 64;
/// Accounts that are told apart; further ones share one account.
const ACCOUNTS: usize = 1024;
/// The operation under which refusals beyond [`APART`] are counted.
const SEVERAL: &str = "several";

/// The sequence number of the last refusal that was recorded by itself, known once it is durable.
#[derive(Clone, Debug, Default)]
pub(super) struct LastSeen(Arc<AtomicU64>);

impl LastSeen {
    pub(super) fn set(&self, seq: u64) {
        self.0.store(seq, Ordering::Relaxed);
    }

    fn seq(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|seq| *seq > 0)
    }
}

/// What becomes of a refusal.
#[derive(Debug)]
pub(super) enum Ruling {
    /// It is recorded by itself; its sequence number is to be noted there.
    Record(Box<Event>, LastSeen),
    /// It is the first of those to be counted; see [`Limiter::due_at`].
    Begin,
    /// It is counted with those before.
    Count,
}

#[derive(Debug)]
struct Counted {
    first: Event,
    count: u64,
}

#[derive(Debug)]
struct Account {
    tokens: u64,
    refilled: u64,
    counted: Vec<Counted>,
    due: u64,
    interval: u64,
    last_seen: LastSeen,
}

/// Counts the refusals of each account.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    accounts: Mutex<HashMap<Option<u32>, Account>>,
}

impl Limiter {
    /// Decides what becomes of a refusal at a moment, in microseconds.
    pub(super) fn rule(&self, event: Event, now: u64) -> Ruling {
        let mut accounts = self.lock();
        let uid = whose(&event);
        if !accounts.contains_key(&uid) && accounts.len() >= ACCOUNTS {
            accounts.retain(|_, account| !account.is_idle(now));
        }
        let uid = if accounts.len() < ACCOUNTS || accounts.contains_key(&uid) { uid } else { None };
        accounts.entry(uid).or_insert_with(|| Account::new(now)).rule(event, now)
    }

    /// When counts are to be recorded next, if there are any.
    pub(super) fn due_at(&self) -> Option<u64> {
        self.lock().values().filter(|account| !account.counted.is_empty()).map(|account| account.due).min()
    }

    /// The counts that are due at a moment, as events.
    pub(super) fn due(&self, now: u64) -> Vec<Event> {
        let mut accounts = self.lock();
        accounts.values_mut().filter(|account| account.due <= now).flat_map(Account::report).collect()
    }

    /// All counts, because the trail closes.
    pub(super) fn all(&self) -> Vec<Event> {
        self.lock().values_mut().flat_map(Account::report).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<u32>, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose refusal it is: the person's where somebody is logged in, so that nobody fills root's share by asking
/// through a program that is root. Who fails to log in is nobody yet.
fn whose(event: &Event) -> Option<u32> {
    let actor = event.actor.as_ref()?;
    match (&actor.login, event.kind) {
        (Some(login), _) => Some(login.account.uid),
        (None, Kind::Login) => None,
        (
            None,
            Kind::Attempt
            | Kind::Outcome
            | Kind::Denial
            | Kind::Repeated
            | Kind::Connection
            | Kind::Observation
            | Kind::Trail
            | Kind::Change,
        ) => Some(actor.account.uid),
    }
}

impl Account {
    fn new(now: u64) -> Self {
        Self {
            tokens: BURST,
            refilled: now,
            counted: Vec::new(),
            due: 0,
            interval: SHORTEST,
            last_seen: LastSeen::default(),
        }
    }

    fn rule(&mut self, event: Event, now: u64) -> Ruling {
        self.refill(now);
        if self.tokens > 0 {
            self.tokens -= 1;
            return Ruling::Record(Box::new(event), self.last_seen.clone());
        }
        let begins = self.counted.is_empty();
        self.count(event, now);
        if begins { Ruling::Begin } else { Ruling::Count }
    }

    fn refill(&mut self, now: u64) {
        let gained = now.saturating_sub(self.refilled) / REFILL;
        self.tokens = self.tokens.saturating_add(gained).min(BURST);
        self.refilled += gained * REFILL;
        if self.tokens == BURST && self.counted.is_empty() {
            self.interval = SHORTEST;
        }
    }

    fn count(&mut self, event: Event, now: u64) {
        if self.counted.is_empty() {
            self.due = now + self.interval;
            self.interval = (self.interval * 2).min(LONGEST);
        }
        let event = bound(event);
        let alike = |other: &&mut Counted| {
            other.first.operation == event.operation && other.first.detail == event.detail
        };
        let room = self.counted.len() < APART;
        match self.counted.iter_mut().find(alike) {
            Some(counted) => counted.count += 1,
            None if room => self.counted.push(Counted { first: event, count: 1 }),
            None => self.count_together(event),
        }
    }

    fn count_together(&mut self, event: Event) {
        match self.counted.iter_mut().find(|counted| counted.first.operation == SEVERAL) {
            Some(counted) => counted.count += 1,
            None => {
                let operation = SEVERAL.to_owned();
                let detail = format!("more than {APART} different requests were refused");
                let first = Event { operation, detail, targets: Vec::new(), functions: Vec::new(), ..event };
                self.counted.push(Counted { first, count: 1 });
            }
        }
    }

    fn report(&mut self) -> Vec<Event> {
        let of = self.last_seen.seq();
        let counted = self.counted.drain(..);
        let repeated =
            |Counted { first, count }| Event { kind: Kind::Repeated, of, count: Some(count), ..first };
        counted.map(repeated).collect()
    }

    fn is_idle(&self, now: u64) -> bool {
        self.counted.is_empty() && now.saturating_sub(self.refilled) / REFILL + self.tokens >= BURST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtwarden_core::record::{Actor, Outcome};
    use virtwarden_core::subject::{Account as Name, Door, Login, Process};

    fn denial(uid: u32, operation: &str) -> Event {
        Event {
            origin: None,
            kind: Kind::Denial,
            outcome: Outcome::Denied,
            actor: Some(Actor {
                authenticated: None,
                account: Name { name: format!("account-{uid}"), uid },
                login: None,
                roles: Vec::new(),
                process: Process { pid: 1, start_time: 1 },
                door: Door::Libvirt,
            }),
            operation: operation.to_owned(),
            functions: Vec::new(),
            targets: Vec::new(),
            detail: String::new(),
            of: None,
            count: None,
        }
    }

    fn recorded(limiter: &Limiter, uid: u32, times: u64, now: u64) -> u64 {
        let rulings = (0..times).map(|_| limiter.rule(denial(uid, "ACT"), now));
        rulings.map(|ruling| u64::from(matches!(ruling, Ruling::Record(..)))).sum()
    }

    #[test]
    fn the_first_are_recorded_and_each_account_has_its_own() {
        let limiter = Limiter::default();
        assert_eq!(recorded(&limiter, 1001, 1000, 0), BURST);
        assert_eq!(recorded(&limiter, 1002, BURST, 0), BURST);
        assert_eq!(recorded(&limiter, 1001, 1000, 3 * SECOND), 3, "one more each second");
        assert_eq!(recorded(&limiter, 1001, 1000, 3600 * SECOND), BURST);
    }

    #[test]
    fn who_fails_to_log_in_takes_nobodys_share_and_who_asks_through_root_takes_his_own() {
        let limiter = Limiter::default();
        let failed = |now| {
            let event = Event { kind: Kind::Login, ..denial(0, "login failed") };
            matches!(limiter.rule(event, now), Ruling::Record(..))
        };
        assert_eq!((0..1000).filter(|_| failed(0)).count() as u64, BURST);
        let mut by_bob = denial(0, "login failed");
        let bob = Name { name: "bob".to_owned(), uid: 1001 };
        by_bob.actor.as_mut().unwrap().login = Some(Login { account: bob, session: 1 });
        assert!((0..BURST).all(|_| matches!(limiter.rule(by_bob.clone(), 0), Ruling::Record(..))));
        assert!(!matches!(limiter.rule(by_bob, 0), Ruling::Record(..)));
        assert_eq!(recorded(&limiter, 1001, 10, 0), 0, "his share either way");
        assert_eq!(recorded(&limiter, 0, BURST, 0), BURST, "root has its own");
    }

    #[test]
    fn the_first_to_be_counted_wakes_the_writer() {
        let limiter = Limiter::default();
        recorded(&limiter, 1001, BURST, 0);
        assert_eq!(limiter.due_at(), None);
        assert!(matches!(limiter.rule(denial(1001, "ACT"), 5), Ruling::Begin));
        assert!(matches!(limiter.rule(denial(1001, "ACT"), 6), Ruling::Count));
        assert_eq!(limiter.due_at(), Some(SECOND + 5));
        assert!(limiter.due(SECOND + 4).is_empty());
        assert_eq!(limiter.due(SECOND + 5).len(), 1);
        assert_eq!(limiter.due_at(), None);
    }

    #[test]
    fn the_longer_it_goes_on_the_rarer_are_its_records() {
        let limiter = Limiter::default();
        let mut records = 0;
        for second in 0..3600 {
            recorded(&limiter, 1001, 100, second * SECOND);
            records += limiter.due(second * SECOND).len();
        }
        assert!((60..80).contains(&records), "{records} in an hour");
        recorded(&limiter, 1001, 0, 0);
        let later = 7200 * SECOND;
        limiter.all();
        recorded(&limiter, 1001, BURST + 1, later);
        assert_eq!(limiter.due_at(), Some(later + SECOND), "quiet for long enough, it begins anew");
    }

    #[test]
    fn many_different_refusals_take_little_memory_and_lose_no_count() {
        let limiter = Limiter::default();
        recorded(&limiter, 1001, BURST, 0);
        for number in 0..10_000 {
            limiter.rule(denial(1001, &format!("ACT_{number}")), 0);
        }
        let counted = limiter.all();
        assert_eq!(counted.len(), APART + 1);
        assert_eq!(counted.iter().filter_map(|event| event.count).sum::<u64>(), 10_000);
        assert_eq!(counted.last().unwrap().operation, SEVERAL);
        assert!(counted.iter().all(|event| event.kind == Kind::Repeated));
    }

    #[test]
    fn many_accounts_take_little_memory_and_idle_ones_make_room() {
        let limiter = Limiter::default();
        for uid in 0..5000 {
            limiter.rule(denial(uid, "ACT"), 0);
        }
        assert!(limiter.lock().len() <= ACCOUNTS + 1);
        assert_eq!(recorded(&limiter, 9000, BURST, 3600 * SECOND), BURST);
        assert!(limiter.lock().len() < 10);
    }
}
