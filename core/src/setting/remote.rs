// SPDX-License-Identifier: Apache-2.0
//! When idle remote sessions end: row 15.

use serde::{Deserialize, Serialize};

use super::SettingError;

/// How long a remote session may be idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum IdleLimit {
    /// For ever.
    #[default]
    Never,
    /// So many seconds, 1 minute to 1 day.
    After(u32),
}

/// The setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RemoteTimeout {
    /// After how long without input a remote session ends.
    pub idle: IdleLimit,
}

impl RemoteTimeout {
    /// Checks the range.
    ///
    /// # Errors
    /// The time is out of it.
    pub fn check(&self) -> Result<(), SettingError> {
        match self.idle {
            IdleLimit::Never => Ok(()),
            IdleLimit::After(seconds) if (60..=24 * 60 * 60).contains(&seconds) => Ok(()),
            IdleLimit::After(seconds) => {
                Err(SettingError(format!("the time must be from 1 minute to 1 day, not {seconds} seconds")))
            }
        }
    }
}
