// SPDX-License-Identifier: Apache-2.0
//! One account's failures, for one class of origins, and the lock that came of them.

use serde::{Deserialize, Serialize};

use super::{Counted, Moment, Name, Spare, Try, Until, millis};
use crate::authentication::Origin;
use crate::setting::{Limit, Unlocking};

/// How long a lock keeps the last Administrator from the console, in seconds after each failure.
pub const LONGEST_SPARED: u32 = 10;
/// So many failures are remembered: the highest limit there is.
const MOST: usize = 100;
/// Growing delays are forgotten when nothing failed for this long after the last one ended, in seconds.
const FORGIVEN: u32 = 24 * 60 * 60;

/// Failures and lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Whether there is such an account.
    pub name: Name,
    /// The failures that count, the oldest first.
    failures: Vec<Moment>,
    /// The last failure.
    pub last: Moment,
    /// Where it came from.
    pub origin: Origin,
    /// The lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock: Option<Until>,
}

impl Tally {
    pub(super) fn new(name: Name, origin: Origin, now: Moment) -> Self {
        Self { name, failures: Vec::new(), last: now, origin, lock: None }
    }

    /// One that is locked without a failure.
    pub(super) fn locked(limit: &Limit, now: Moment) -> Self {
        let origin = Origin::Local { terminal: String::new() };
        let lock = match *limit {
            Limit::Attempts { unlocking, .. } => end(unlocking, now),
            Limit::Delay { longest, .. } => Until::Moment(now.after(longest)),
        };
        Self { lock: Some(lock), ..Self::new(Name::Account, origin, now) }
    }

    /// How many failures count.
    pub fn failures(&self) -> u32 {
        u32::try_from(self.failures.len()).unwrap_or(u32::MAX)
    }

    /// The lock.
    pub fn lock(&self) -> Option<Until> {
        self.lock
    }

    /// Forgets what is over: a lock whose time has come, failures that no longer count.
    pub(super) fn settle(&mut self, limit: &Limit, now: Moment) {
        if matches!(self.lock, Some(Until::Moment(end)) if now >= end) {
            self.lock = None;
            if matches!(limit, Limit::Attempts { .. }) {
                self.failures.clear();
            }
        }
        match *limit {
            Limit::Attempts { .. } if self.lock.is_some() => {}
            Limit::Attempts { period, .. } => self.failures.retain(|at| now.since(*at) <= millis(period)),
            Limit::Delay { longest, .. } => {
                if now.since(self.last) > millis(longest.saturating_add(FORGIVEN)) {
                    self.failures.clear();
                }
            }
        }
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_blank(&self) -> bool {
        self.failures.is_empty() && self.lock.is_none()
    }

    /// What bars the way now. Settle first.
    pub(super) fn bar(&self, spare: Spare, now: Moment) -> Option<Until> {
        let lock = self.lock?;
        match spare {
            Spare::Nobody => Some(lock),
            Spare::LastAdministrator => {
                let spared = self.last.after(LONGEST_SPARED);
                let end = match lock {
                    Until::Moment(end) => end.min(spared),
                    Until::Unlocked => spared,
                };
                (now < end).then_some(Until::Moment(end))
            }
        }
    }

    /// Counts a failure. Settle first.
    pub(super) fn fail(&mut self, attempt: &Try<'_>) -> Counted {
        if let Some(until) = self.bar(attempt.spare, attempt.now) {
            return Counted::Locked(until);
        }
        self.remember(attempt);
        if self.lock.is_some() {
            // Locked already, and spared.
            return Counted::Delayed(Until::Moment(attempt.now.after(LONGEST_SPARED)));
        }
        match attempt.policy.limit {
            Limit::Delay { first, longest } => {
                let until = Until::Moment(attempt.now.after(delay(first, longest, self.failures())));
                self.lock = Some(until);
                Counted::Delayed(until)
            }
            Limit::Attempts { failures, unlocking, .. } => match failures.saturating_sub(self.failures()) {
                0 => {
                    let until = end(unlocking, attempt.now);
                    self.lock = Some(until);
                    Counted::LimitMet(until)
                }
                left => Counted::Noted { left },
            },
        }
    }

    fn remember(&mut self, attempt: &Try<'_>) {
        if self.failures.len() >= MOST {
            self.failures.remove(0);
        }
        self.failures.push(attempt.now);
        self.last = attempt.now;
        self.origin = attempt.origin.clone();
    }
}

fn end(unlocking: Unlocking, now: Moment) -> Until {
    match unlocking {
        Unlocking::After(seconds) => Until::Moment(now.after(seconds)),
        Unlocking::ByAdministrator => Until::Unlocked,
    }
}

/// Twice as long each time.
fn delay(first: u32, longest: u32, failures: u32) -> u32 {
    let doubled = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(doubled).min(longest)
}
