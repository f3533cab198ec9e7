// SPDX-License-Identifier: Apache-2.0
//! Whether desktops lock their screens, and after how long: rows 13 and 14.

mod own;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::own::OwnIdle;
use super::SettingError;

/// Whether an idle screen locks itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Locking {
    /// As each person has it.
    #[default]
    Personal,
    /// It does, for everybody.
    Enabled,
    /// It does not; whoever wants to can lock it by hand.
    Disabled,
}

impl Locking {
    /// All.
    pub const ALL: [Locking; 3] = [Locking::Personal, Locking::Enabled, Locking::Disabled];

    /// The word in commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            Locking::Personal => "personal",
            Locking::Enabled => "enabled",
            Locking::Disabled => "disabled",
        }
    }
}

/// Row 13.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScreenLock {
    /// Whether it locks.
    pub locking: Locking,
}

/// When a screen counts as idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScreenIdle {
    /// As each person has it.
    #[default]
    Personal,
    /// So many seconds without input, 1 minute to 1 day. `delay` seconds later it is locked, at most 1 hour.
    After {
        /// Until the screen goes dark.
        seconds: u32,
        /// From then until it is locked.
        delay: u32,
    },
}

/// Row 14.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScreenLockTimeout {
    /// When, for everybody.
    pub idle: ScreenIdle,
    /// What people want shorter for themselves, by the numbers of their accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own: BTreeMap<u32, OwnIdle>,
}

impl ScreenLockTimeout {
    /// For everybody, and shorter for nobody.
    pub const fn everybody(idle: ScreenIdle) -> Self {
        Self { idle, own: BTreeMap::new() }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// A time is out of its range, or too many people want theirs shorter.
    pub fn check(&self) -> Result<(), SettingError> {
        match self.idle {
            ScreenIdle::Personal => {}
            ScreenIdle::After { seconds, delay } => check_times(seconds, delay)?,
        }
        own::check(&self.own)
    }
}

fn check_times(seconds: u32, delay: u32) -> Result<(), SettingError> {
    if !(60..=24 * 60 * 60).contains(&seconds) {
        return Err(SettingError(format!("the time must be from 1 minute to 1 day, not {seconds} seconds")));
    }
    if delay > 60 * 60 {
        return Err(SettingError(format!("the delay must be at most 1 hour, not {delay} seconds")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_out_of_range_are_refused() {
        let after =
            |seconds, delay| ScreenLockTimeout::everybody(ScreenIdle::After { seconds, delay }).check();
        assert!(ScreenLockTimeout::default().check().is_ok());
        for (seconds, delay) in [(60, 0), (900, 30), (86_400, 3600)] {
            assert!(after(seconds, delay).is_ok(), "{seconds} {delay}");
        }
        for (seconds, delay) in [(0, 0), (59, 0), (86_401, 0), (900, 3601), (u32::MAX, u32::MAX)] {
            assert!(after(seconds, delay).is_err(), "{seconds} {delay}");
        }
    }
}
