// SPDX-License-Identifier: Apache-2.0
//! Failed authentications and what they lock: row 16 of Table 3, FIA_AFL_EXT.1.
//!
//! Counted is what the authentication stack says after it looked at a factor, in the order in which that
//! arrives, and a success counts for nothing once the lock has fallen. So however many logins run side by
//! side, no more than the limit can be answered by anything but a refusal, and the rest learn nothing.

mod clock;
mod table;
mod tally;

use serde::{Deserialize, Serialize};

use crate::authentication::Origin;
use crate::control::OriginClass;
use crate::setting::Lockout;

pub use clock::{Anchor, Clock, Reading};
pub use table::{EVERYBODY, Key, Row, Table, UNKNOWN_NAMES};
pub use tally::{LONGEST_SPARED, Tally};

/// Milliseconds of a [`Clock`], which never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// So many seconds later.
    #[must_use]
    pub const fn after(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(millis(seconds)))
    }

    /// Milliseconds since an earlier moment; none if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

const fn millis(seconds: u32) -> u64 {
    // A u32 of seconds is far from the end of a u64 of milliseconds.
    (seconds as u64).saturating_mul(1000)
}

/// Until when nobody may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// Then.
    Moment(Moment),
    /// An Administrator unlocks it.
    Unlocked,
}

/// Whether the host has an account of the name that was typed. Both are counted alike, so that nobody
/// learns which names there are; unknown ones have only so many places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Name {
    /// An account of this host.
    Account,
    /// Anything else.
    Unknown,
}

/// Whether a lock may keep the account out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spare {
    /// It may.
    Nobody,
    /// At the host's console nobody else is left who could unlock it: it only makes him wait a little.
    LastAdministrator,
}

/// One step of an authentication: who, from where, when, and by which rules.
#[derive(Clone, Copy, Debug)]
pub struct Try<'a> {
    /// The account, by the name that the account database gives it; or what was typed.
    pub account: &'a str,
    /// Whether there is such an account.
    pub name: Name,
    /// Which logins.
    pub class: OriginClass,
    /// Where from.
    pub origin: &'a Origin,
    /// Whether a lock may keep it out.
    pub spare: Spare,
    /// When.
    pub now: Moment,
    /// The rules.
    pub policy: &'a Lockout,
}

/// Whether somebody may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Yes.
    Go,
    /// No.
    Locked(Until),
}

/// What became of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Counted {
    /// The rules do not count logins of this class.
    Ignored,
    /// It counts; so many more will lock.
    Noted {
        /// At least one.
        left: u32,
    },
    /// It was the last that the limit allowed.
    LimitMet(Until),
    /// The next attempt must wait.
    Delayed(Until),
    /// The lock had fallen already: it does not count, so that nobody keeps a lock from ending.
    Locked(Until),
}

#[cfg(test)]
mod tests;
