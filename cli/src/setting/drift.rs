// SPDX-License-Identifier: Apache-2.0
//! `virtwarden setting drift`: what on the host is not as it is set.

use std::path::Path;

use virtwarden_core::control::SettingRow;
use virtwarden_core::setting::SettingName;

use super::{all, current};
use crate::exit::Failed;
use crate::output::Output;

const HEADERS: [&str; 2] = ["SETTING", "ON THE HOST"];

/// Prints each difference.
///
/// # Errors
/// There is one, and what puts it right.
pub(super) fn show(name: Option<SettingName>, socket: &Path, output: &Output) -> Result<(), Failed> {
    let rows = match name {
        Some(name) => vec![current(name, socket)?],
        None => all(socket)?,
    };
    let drifted: Vec<_> = rows.into_iter().filter(|row| !row.drift.is_empty()).collect();
    output.show(&drifted, HEADERS, drifted.iter().flat_map(lines))?;
    if drifted.is_empty() { Ok(()) } else { Err(Failed::error(remedy(&drifted))) }
}

fn lines(row: &SettingRow) -> impl Iterator<Item = [String; 2]> {
    row.drift.iter().map(|line| [row.setting.name().to_string(), line.clone()])
}

fn remedy(drifted: &[SettingRow]) -> String {
    let names: Vec<_> = drifted.iter().map(|row| row.setting.name().word()).collect();
    format!("the host is not as set: {}; setting one again puts its files right", names.join(", "))
}
