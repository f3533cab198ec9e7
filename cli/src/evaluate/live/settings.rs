// SPDX-License-Identifier: Apache-2.0
//! Giving a setting a value in an evaluation, so that it is afterwards as it was.

use std::path::Path;

use virtwarden_core::setting::SettingName;

use super::made::{Made, Thing};
use crate::exit::Failed;
use crate::setting::current;

/// How a command that sets something is completed.
pub(super) struct Completion {
    /// ` --dry-run` where somebody set a value before: who, when and why would be lost.
    pub(super) dry: &'static str,
    /// What takes the value back.
    pub(super) back: String,
    /// What was noted, where it is really to be set.
    pub(super) noted: Option<Thing>,
}

/// Looks how the setting is and notes it where it is really to be set.
pub(super) fn prepare(name: SettingName, made: &mut Made, socket: &Path) -> Result<Completion, Failed> {
    let row = current(name, socket)?;
    if row.source.is_set() {
        return Ok(Completion { dry: " --dry-run", back: String::new(), noted: None });
    }
    let noted = Thing::Setting(Box::new(row));
    made.note(noted.clone())?;
    let noun =
        if name == SettingName::Banner { "banner unset".to_owned() } else { format!("setting unset {name}") };
    let back = format!("{} && virtwarden {noun}", look(name));
    Ok(Completion { dry: "", back, noted: Some(noted) })
}

/// What only a value in force shows.
fn look(name: SettingName) -> &'static str {
    if name == SettingName::DirectoryServer { " && getent passwd {somebody}" } else { "" }
}
