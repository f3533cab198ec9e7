// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of failures and locks.

use serde::{Deserialize, Serialize};

use crate::authentication::Origin;

/// Which logins of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginClass {
    /// At the machine itself.
    Local,
    /// Over the network.
    Remote,
}

/// An account's failures and lock, for one class of origins. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockoutRow {
    /// The account, as it was typed at the prompt if this host has no such account.
    pub account: String,
    /// Which logins.
    pub class: OriginClass,
    /// Failures that count now.
    pub failures: u32,
    /// When the last was.
    pub last: u64,
    /// Where it came from.
    pub origin: Origin,
    /// The lock.
    pub lock: Lock,
}

/// Whether an account may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lock {
    /// It may.
    Open,
    /// Not until then.
    Until(u64),
    /// Not until an Administrator unlocks it.
    UntilUnlocked,
    /// It would be locked, but is the last Administrator who can still log in at the machine itself.
    Spared,
}
