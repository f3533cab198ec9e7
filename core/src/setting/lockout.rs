// SPDX-License-Identifier: Apache-2.0
//! Lockout after failed authentications: row 16, FIA_AFL_EXT.1.

use serde::{Deserialize, Serialize};

use super::SettingError;

/// How failures are limited. Seconds throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Limit {
    /// So many failures within a period lock the account.
    Attempts {
        /// 1 to 100.
        failures: u32,
        /// 1 second to 1 day.
        period: u32,
        /// What ends the lock.
        unlocking: Unlocking,
    },
    /// Each failure makes the next attempt wait: the first so long, then twice as long each time.
    Delay {
        /// 1 second to 1 hour.
        first: u32,
        /// The longest wait, up to 1 day.
        longest: u32,
    },
}

/// What ends a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unlocking {
    /// So many seconds, 1 to 30 days; an Administrator can do it before.
    After(u32),
    /// An Administrator alone.
    ByAdministrator,
}

/// Whose failures count, and which logins a lock stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Those that come over the network.
    Remote,
    /// Those at the machine itself too. The last Administrator who could still log in there is not locked out.
    Everywhere,
}

/// What somebody who is locked out is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disclosure {
    /// That the account is locked, and for how long.
    Remaining,
    /// Nothing: it looks like any failure.
    Nothing,
}

/// The lockout policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lockout {
    /// How failures are limited.
    pub limit: Limit,
    /// Whose.
    pub counted: Counted,
    /// What the person is told.
    pub disclosure: Disclosure,
}

impl Default for Lockout {
    fn default() -> Self {
        let limit = Limit::Attempts { failures: 5, period: 15 * 60, unlocking: Unlocking::After(10 * 60) };
        Self { limit, counted: Counted::Everywhere, disclosure: Disclosure::Remaining }
    }
}

impl Lockout {
    /// Checks that every number is within its range.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self) -> Result<(), SettingError> {
        const DAY: u32 = 24 * 60 * 60;
        let within = |what: &str, value: u32, least: u32, most: u32| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(SettingError(format!("{what} must be from {least} to {most}, not {value}")))
            }
        };
        match self.limit {
            Limit::Attempts { failures, period, unlocking } => {
                within("the number of failures", failures, 1, 100)?;
                within("the period in seconds", period, 1, DAY)?;
                match unlocking {
                    Unlocking::After(seconds) => within("the lock's seconds", seconds, 1, 30 * DAY),
                    Unlocking::ByAdministrator => Ok(()),
                }
            }
            Limit::Delay { first, longest } => {
                within("the first delay in seconds", first, 1, 60 * 60)?;
                within("the longest delay in seconds", longest, first, DAY)
            }
        }
    }
}
