// SPDX-License-Identifier: Apache-2.0
//! `virtwarden setting`, and what the commands of single settings share.

mod drift;
mod keys;
mod pairs;
mod words;

use std::path::Path;

use virtwarden_core::control::{AuditFilter, Mode, Reply, Request, SettingRow, SettingSource};
use virtwarden_core::setting::{Setting, SettingName};

pub(crate) use self::keys::keys;
use crate::arguments::{SettingSetArguments, SettingVerb};
use crate::audit;
use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::{Format, Output};
use crate::time;
use crate::vm::print_change;

const HEADERS: [&str; 5] = ["SETTING", "VALUE", "SET BY", "SINCE (UTC)", "HOST"];

/// Does what the verb says.
pub(crate) fn run(verb: &SettingVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        SettingVerb::List => list(socket, output),
        SettingVerb::Show { name } => show(*name, socket, output),
        SettingVerb::Drift { name } => drift::show(*name, socket, output),
        SettingVerb::History { name } => {
            audit::history(AuditFilter { setting: Some(*name), ..AuditFilter::default() }, socket, output)
        }
        SettingVerb::Set(arguments) => change_by_pairs(arguments, socket, output),
        SettingVerb::Confirm { name } => ask_for(&Request::SettingConfirm { name: *name }, socket, output),
        SettingVerb::Unset { name, reason, change } => {
            unset(*name, reason.words(), change.mode(), socket, output)
        }
    }
}

fn list(socket: &Path, output: &Output) -> Result<(), Failed> {
    let rows = all(socket)?;
    output.show(&rows, HEADERS, rows.iter().map(row))
}

/// Every setting as it is now.
pub(crate) fn all(socket: &Path) -> Result<Vec<SettingRow>, Failed> {
    let Reply::Settings(mut rows) = ask(socket, &Request::SettingList)? else { return Err(unexpected()) };
    rows.sort_by_key(|row| row.setting.name().word());
    Ok(rows)
}

fn row(row: &SettingRow) -> [String; 5] {
    let (by, since) = match &row.source {
        SettingSource::Default => ("default".to_owned(), "-".to_owned()),
        SettingSource::Set { by, at, reason: _ } => (by.clone(), time::of_seconds(*at)),
    };
    let host = if row.drift.is_empty() { "as set" } else { "DIFFERS" };
    [row.setting.name().to_string(), row.setting.to_string(), by, since, host.to_owned()]
}

/// Prints one setting, its source and what on the host differs from it.
pub(crate) fn show(name: SettingName, socket: &Path, output: &Output) -> Result<(), Failed> {
    let row = current(name, socket)?;
    if output.format() == Format::Json {
        return output.json(&row);
    }
    let mut lines = words::lines(&row.setting);
    lines.extend(source(&row.source));
    lines.extend(row.drift.iter().map(|line| ["HOST DIFFERS".to_owned(), line.clone()]));
    output.rows(lines)
}

fn source(source: &SettingSource) -> Vec<[String; 2]> {
    match source {
        SettingSource::Default => vec![["set by".to_owned(), "nobody: this is the default".to_owned()]],
        SettingSource::Set { by, at, reason } => {
            let set = ["set by".to_owned(), format!("{by}, {} UTC", time::of_seconds(*at))];
            let reason = Some(reason).filter(|reason| !reason.is_empty());
            [set].into_iter().chain(reason.map(|reason| ["reason".to_owned(), reason.clone()])).collect()
        }
    }
}

/// A setting as it is now.
pub(crate) fn current(name: SettingName, socket: &Path) -> Result<SettingRow, Failed> {
    let Reply::Settings(rows) = ask(socket, &Request::SettingShow { name })? else {
        return Err(unexpected());
    };
    rows.into_iter().find(|row| row.setting.name() == name).ok_or_else(unexpected)
}

fn change_by_pairs(arguments: &SettingSetArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    pairs::check(arguments.name)?;
    let told = (arguments.reason.words(), arguments.change.mode());
    change(arguments.name, |now| pairs::merged(now, &arguments.pairs), told, socket, output)
}

/// Gives a setting the value that becomes of the one that it has, and prints what changed.
///
/// Who may not look at a setting may not set it either. That this is what he tried is on record only if the monitor is
/// asked for it: with what becomes of the default, be that whole or not.
pub(crate) fn change(
    name: SettingName,
    become_of: impl Fn(Setting) -> Result<Setting, Failed>,
    (reason, mode): (String, Mode),
    socket: &Path,
    output: &Output,
) -> Result<(), Failed> {
    let denied = match current(name, socket) {
        Ok(row) => return set(become_of(row.setting)?, reason, mode, socket, output),
        Err(failed) if failed.exit == Exit::Denied => failed,
        Err(failed) => return Err(failed),
    };
    let Ok(setting) = become_of(name.default_value()) else { return Err(denied) };
    ask_for(&Request::SettingSet { setting, reason, mode }, socket, output)
}

/// Gives a setting a value, and prints what changed.
fn set(setting: Setting, reason: String, mode: Mode, socket: &Path, output: &Output) -> Result<(), Failed> {
    setting.check().map_err(|error| Failed::usage(error.to_string()))?;
    ask_for(&Request::SettingSet { setting, reason, mode }, socket, output)
}

/// Goes back to a setting's default, and prints what changed.
pub(crate) fn unset(
    name: SettingName,
    reason: String,
    mode: Mode,
    socket: &Path,
    output: &Output,
) -> Result<(), Failed> {
    ask_for(&Request::SettingUnset { name, reason, mode }, socket, output)
}

fn ask_for(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, request)? else { return Err(unexpected()) };
    print_change(&change, output)
}
