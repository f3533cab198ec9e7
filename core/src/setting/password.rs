// SPDX-License-Identifier: Apache-2.0
//! The passwords of people: row 2, FIA_PMG_EXT.1.

use serde::{Deserialize, Serialize};

use super::SettingError;

/// What a new password must be, whoever sets it, root included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PasswordPolicy {
    /// Characters at least, 8 to 128. Longer ones, up to 128 at least, are always taken.
    pub minimum_length: u16,
    /// How many of the four classes (upper case, lower case, digits, others) at least, 1 to 4.
    pub classes: u8,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { minimum_length: 15, classes: 1 }
    }
}

impl PasswordPolicy {
    /// Checks the ranges.
    ///
    /// # Errors
    /// A number is out of its range.
    pub fn check(&self) -> Result<(), SettingError> {
        if !(8..=128).contains(&self.minimum_length) {
            return Err(SettingError(format!(
                "the minimum length must be from 8 to 128, not {}",
                self.minimum_length
            )));
        }
        if !(1..=4).contains(&self.classes) {
            return Err(SettingError(format!("the classes must be from 1 to 4, not {}", self.classes)));
        }
        Ok(())
    }
}
