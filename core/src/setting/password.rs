// SPDX-License-Identifier: Apache-2.0
//! The passwords of people: row 2, FIA_PMG_EXT.1.

use serde::{Deserialize, Serialize};

use super::SettingError;

/// What a new password must be, whoever sets it, root included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub enum PasswordPolicy {
    /// What the distribution asks for: nobody has set anything.
    #[default]
    Distribution,
    /// So strong at least.
    AtLeast(PasswordStrength),
}

/// How strong a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordStrength {
    /// Characters at least, 8 to 128. Longer ones, up to 128 at least, are always taken.
    pub minimum_length: u16,
    /// How many of the four classes (upper case, lower case, digits, others) at least, 1 to 4.
    pub classes: u8,
}

impl Default for PasswordStrength {
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
        let PasswordPolicy::AtLeast(strength) = self else { return Ok(()) };
        if !(8..=128).contains(&strength.minimum_length) {
            return Err(SettingError(format!(
                "the minimum length must be from 8 to 128, not {}",
                strength.minimum_length
            )));
        }
        if !(1..=4).contains(&strength.classes) {
            return Err(SettingError(format!("the classes must be from 1 to 4, not {}", strength.classes)));
        }
        Ok(())
    }

    /// What is set, or what somebody begins with who sets a part of it.
    pub fn strength(&self) -> PasswordStrength {
        match self {
            PasswordPolicy::Distribution => PasswordStrength::default(),
            PasswordPolicy::AtLeast(strength) => *strength,
        }
    }
}

/// As it is written: both, or nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Parts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_length: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<u8>,
}

impl From<PasswordPolicy> for Parts {
    fn from(policy: PasswordPolicy) -> Self {
        match policy {
            PasswordPolicy::Distribution => Self { minimum_length: None, classes: None },
            PasswordPolicy::AtLeast(PasswordStrength { minimum_length, classes }) => {
                Self { minimum_length: Some(minimum_length), classes: Some(classes) }
            }
        }
    }
}

impl TryFrom<Parts> for PasswordPolicy {
    type Error = SettingError;

    fn try_from(parts: Parts) -> Result<Self, SettingError> {
        match (parts.minimum_length, parts.classes) {
            (None, None) => Ok(Self::Distribution),
            (Some(minimum_length), Some(classes)) => {
                Ok(Self::AtLeast(PasswordStrength { minimum_length, classes }))
            }
            (Some(_), None) | (None, Some(_)) => {
                Err(SettingError("minimum-length and classes belong together".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_or_none_are_written() {
        let strong = PasswordPolicy::AtLeast(PasswordStrength { minimum_length: 20, classes: 3 });
        for (policy, text) in
            [(PasswordPolicy::Distribution, "{}"), (strong, r#"{"minimum-length":20,"classes":3}"#)]
        {
            assert_eq!(serde_json::to_string(&policy).unwrap(), text);
            assert_eq!(serde_json::from_str::<PasswordPolicy>(text).unwrap(), policy);
        }
        for text in [r#"{"classes":3}"#, r#"{"minimum-length":20}"#, r#"{"length":20}"#] {
            assert!(serde_json::from_str::<PasswordPolicy>(text).is_err(), "{text}");
        }
    }
}
