// SPDX-License-Identifier: Apache-2.0
//! What single people have shorter on their desktops: one list of them all, and for each, with his first session, a
//! database of dconf's of his own.
//!
//! dconf takes a locked key from the last database of the profile that locks it. So the account's profile is everybody's
//! with that database at its end, and neither the person nor everybody's value comes after it.

use virtwarden_core::setting::{ScreenIdle, ScreenLockTimeout};

use super::dconf;
use crate::file;
use crate::host::Host;
use crate::provider::{Rendered, sshd};

pub(super) const PATH: &str = "/etc/dconf/virtwarden-screen-lock-timeouts";
const DCONF: &str = "/usr/bin/dconf";
const DATABASES: &str = "/run/virtwarden/desktop";

/// The list, for the unit of each account; none where nobody has it shorter.
pub(super) fn render(host: &Host, value: &ScreenLockTimeout) -> Option<Rendered> {
    let lines: Vec<_> = value.shortened().filter_map(line).collect();
    let text = format!("{}# account, idle seconds, delay\n{}", sshd::HEAD, lines.concat());
    (!lines.is_empty() && dconf::is_here(host)).then_some(Rendered { path: PATH, text })
}

fn line((account, idle): (u32, ScreenIdle)) -> Option<String> {
    let ScreenIdle::After { seconds, delay } = idle else { return None };
    Some(format!("{account} {seconds} {delay}\n"))
}

/// What the list says of an account.
fn listed(host: &Host, account: u32) -> Result<Option<ScreenIdle>, String> {
    let text = host.text(PATH)?.unwrap_or_default();
    let own = text.lines().filter(|line| !line.starts_with('#')).map(|line| parsed(line).ok_or(line));
    let own: Vec<_> =
        own.collect::<Result<_, _>>().map_err(|line| format!("`{PATH}`: `{line}` is no line of it"))?;
    Ok(own.into_iter().find(|(number, _)| *number == account).map(|(_, idle)| idle))
}

fn parsed(line: &str) -> Option<(u32, ScreenIdle)> {
    let mut numbers = line.split(' ').map(|word| word.parse().ok());
    let (account, seconds, delay) = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some((account, ScreenIdle::After { seconds, delay }))
}

/// Gives an account the profile that its desktop must read, with a database of its own if it has something shorter.
/// What it had stays in force until then.
///
/// # Errors
/// There is no profile to give. If only its own database could not be made, it has everybody's values.
pub(crate) fn give_profile(host: &Host, account: u32) -> Result<(), String> {
    let everybody = host.text(dconf::PROFILE)?.ok_or_else(|| format!("there is no `{}`", dconf::PROFILE))?;
    let own = listed(host, account).and_then(|idle| make_database(host, account, idle));
    let line = match &own {
        Ok(Some(database)) => format!("\nfile-db:{database}\n"),
        Ok(None) | Err(_) => "\n".to_owned(),
    };
    let profile = format!("{}{line}", everybody.trim_end());
    file::replace(host, &dconf::profile_of(account), &host.content(&profile, 0o644))?;
    own.map(drop)
}

/// The database, by dconf's own hand.
fn make_database(host: &Host, account: u32, idle: Option<ScreenIdle>) -> Result<Option<String>, String> {
    let Some(idle) = idle else { return Ok(None) };
    let (database, source) = (format!("{DATABASES}/{account}"), format!("{DATABASES}/{account}.d"));
    let (values, locks) = dconf::written(&super::timeout_keys(idle));
    file::replace(host, &format!("{source}/own"), &host.content(&values, 0o644))?;
    file::replace(host, &format!("{source}/locks/own"), &host.content(&locks, 0o644))?;
    host.must(&[DCONF, "compile", &database, &source])?;
    Ok(Some(database))
}

/// One line for each key that the next session of somebody who is logged in would not have so.
pub(super) fn read_back(host: &Host, value: &ScreenLockTimeout) -> Vec<String> {
    let logged_in: Vec<_> = dconf::logged_in(host).collect();
    let theirs = value.shortened().filter(|(account, _)| logged_in.contains(account));
    let theirs = theirs.filter(|(account, _)| host.has(&dconf::profile_of(*account)));
    theirs
        .flat_map(|(account, idle)| {
            let lines = dconf::read_back(host, &dconf::profile_of(account), &super::timeout_keys(idle));
            lines.into_iter().map(move |line| format!("account {account}: {line}"))
        })
        .collect()
}
