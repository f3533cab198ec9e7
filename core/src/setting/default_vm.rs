// SPDX-License-Identifier: Apache-2.0
//! What a new VM is like where nobody says: row 4.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SettingError;

/// The name of a template, which is a file's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TemplateName(String);

impl TemplateName {
    /// Takes a name that leads out of no directory.
    ///
    /// # Errors
    /// It is none.
    pub fn new(text: &str) -> Result<Self, SettingError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(plain)
            && text.len() <= 100
        {
            return Ok(Self(text.to_owned()));
        }
        Err(SettingError(format!("`{text}` cannot be the name of a template")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TemplateName {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        Self::new(&text)
    }
}

impl From<TemplateName> for String {
    fn from(name: TemplateName) -> String {
        name.0
    }
}

/// The default initial configuration of VMs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DefaultVm {
    /// The template that new VMs follow where their definition says nothing; none leaves it to the policy.
    pub template: Option<TemplateName>,
    /// Memory of a VM that is made from a template, in MiB, 16 to 16777216.
    pub memory: u64,
    /// Its virtual CPUs, 1 to 1024.
    pub vcpus: u32,
}

impl Default for DefaultVm {
    fn default() -> Self {
        Self { template: None, memory: 2048, vcpus: 2 }
    }
}

impl DefaultVm {
    /// Checks the ranges.
    ///
    /// # Errors
    /// A number is out of its range.
    pub fn check(&self) -> Result<(), SettingError> {
        if !(16..=1 << 24).contains(&self.memory) {
            return Err(SettingError(format!(
                "the memory must be from 16 MiB to 16 TiB, not {} MiB",
                self.memory
            )));
        }
        if !(1..=1024).contains(&self.vcpus) {
            return Err(SettingError(format!("the virtual CPUs must be from 1 to 1024, not {}", self.vcpus)));
        }
        Ok(())
    }
}

impl fmt::Display for DefaultVm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = self.template.as_ref().map_or("of the policy", TemplateName::as_str);
        write!(f, "template {template}, {} MiB, {} virtual CPUs", self.memory, self.vcpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_file_beside_the_others() {
        for name in ["", ".", "../x", "/x", "a/b", "a b", "-a", "ä"] {
            assert!(TemplateName::new(name).is_err(), "{name}");
            assert!(serde_json::from_str::<TemplateName>(&format!("{name:?}")).is_err(), "{name}");
        }
        assert_eq!(TemplateName::new("own.Desk-1_a").unwrap().as_str(), "own.Desk-1_a");
    }

    #[test]
    fn sizes_have_ranges() {
        let of = |memory, vcpus| DefaultVm { memory, vcpus, ..DefaultVm::default() }.check().is_ok();
        assert!(DefaultVm::default().check().is_ok() && of(16, 1) && of(1 << 24, 1024));
        assert!(!of(15, 1) && !of((1 << 24) + 1, 1) && !of(16, 0) && !of(16, 1025));
    }
}
