// SPDX-License-Identifier: Apache-2.0
//! Attempts that are under way within somebody's session. FIA_AFL_EXT.1.
//!
//! A person can stop and kill the su that he has started, also between its verdict and the report of it. So none that
//! he begins is for nothing: whose program ends without a word has failed, and no more are under way for an account
//! than failures are left to it. Login programs of the system's are out of a person's reach, and a greeter begins
//! attempts that nobody wants to make: those are left alone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use virtwarden_core::lockout::{Try, Until, Verdict};

use super::Logins;
use super::attempt::Asked;
use super::claimed::Claimed;
use crate::peer::Peer;
use crate::processes::Processes;

/// So many at once on the whole host; far more than people type passwords.
const MOST: usize = 4096;
/// How long to wait for the end of a program before looking again.
const LOOK: Duration = Duration::from_secs(60);

/// Those that are under way.
#[derive(Debug)]
pub struct UnderWay {
    attempts: Mutex<BTreeMap<u64, Attempt>>,
    programs: Processes<u64>,
    next: AtomicU64,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) peer: Peer,
    pub(super) claimed: Claimed,
}

/// Whether an attempt may begin.
pub(super) enum Start {
    /// It may.
    Go,
    /// The account is locked.
    Locked(Until),
    /// It would be, if those that are under way fail.
    Crowded,
}

impl UnderWay {
    /// None yet.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { attempts: Mutex::default(), programs: Processes::new()?, next: AtomicU64::new(0) })
    }

    fn attempts(&self) -> MutexGuard<'_, BTreeMap<u64, Attempt>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Logins {
    /// Whether an attempt may begin; if so, it is under way.
    pub(super) fn start(&self, asked: &Asked<'_>, attempt: &Try<'_>) -> Start {
        if let Verdict::Locked(until) = self.lockouts.begin(attempt) {
            return Start::Locked(until);
        }
        if asked.peer.login.is_none() {
            return Start::Go;
        }
        let mut attempts = self.under_way.attempts();
        let alike = |other: &&Attempt| {
            other.claimed.name == asked.claimed.name && other.claimed.class() == asked.claimed.class()
        };
        let beside = attempts.values().filter(alike).count();
        let crowded = self.lockouts.begin_beside(attempt, beside) != Verdict::Go;
        if crowded || attempts.len() >= MOST {
            return Start::Crowded;
        }
        let key = self.under_way.next.fetch_add(1, Ordering::Relaxed);
        attempts.insert(key, Attempt { peer: asked.peer.clone(), claimed: asked.claimed.clone() });
        drop(attempts);
        if self.under_way.programs.watch(key, asked.peer.process).is_err() {
            self.ended(key);
        }
        Start::Go
    }

    /// A program says how its attempt ended, or goes on as only one does that has let somebody in.
    pub(super) fn settle(&self, peer: &Peer) {
        let mut attempts = self.under_way.attempts();
        let own = |(key, attempt): (&u64, &Attempt)| (attempt.peer.process == peer.process).then_some(*key);
        let settled: Vec<_> = attempts.iter().filter_map(own).collect();
        for key in settled {
            attempts.remove(&key);
            self.under_way.programs.forget(key);
        }
    }

    /// Begins to notice programs that end without a word.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn watch(self: &Arc<Self>) -> std::io::Result<()> {
        let logins = self.clone();
        let watch = move || {
            loop {
                logins.notice(LOOK);
            }
        };
        thread::Builder::new().name("attempts".to_owned()).spawn(watch).map(drop)
    }

    pub(super) fn notice(&self, most: Duration) {
        self.under_way.programs.wait(most).into_iter().for_each(|key| self.ended(key));
    }

    fn ended(&self, key: u64) {
        self.under_way.programs.forget(key);
        let left = self.under_way.attempts().remove(&key);
        if let Some(attempt) = left {
            self.left(attempt);
        }
    }
}
