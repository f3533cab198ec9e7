// SPDX-License-Identifier: Apache-2.0
//! OpenSSH's server: drop-ins that it checks itself, before and after they are written.
//!
//! Debian's sshd_config includes /etc/ssh/sshd_config.d/*.conf at its top, and sshd takes the first
//! value it finds. Whether it took ours, only `sshd -T` tells.

use std::collections::BTreeMap;

use super::Rendered;
use crate::host::Host;
use crate::program::Input;

const SSHD: &str = "/usr/sbin/sshd";
const SYSTEMCTL: &str = "/usr/bin/systemctl";

/// What stands above each drop-in.
pub(super) const HEAD: &str = "# Written by Virtwarden; change it with the virtwarden command, not here.\n";

/// Whether this host has sshd.
pub(super) fn is_here(host: &Host) -> bool {
    host.has(SSHD)
}

/// Whether its configuration has no mistake now. What is broken already is not built upon.
///
/// # Errors
/// It has, or drop-ins are not read.
pub(super) fn examine(host: &Host) -> Result<(), String> {
    if !is_here(host) {
        return Ok(());
    }
    let ran = host.run(&[SSHD, "-t"], Input::Nothing)?;
    if !ran.succeeded() {
        return Err(format!(
            "sshd's configuration is broken already, so nothing is changed: {}; mend it (`sshd -t` shows what is \
             wrong) and try again",
            ran.said.trim()
        ));
    }
    Ok(())
}

/// Lets sshd look at drop-ins by themselves.
///
/// # Errors
/// What it does not like.
pub(super) fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
    let drop_ins = rendered.iter().filter(|file| file.path.starts_with("/etc/ssh/"));
    drop_ins.into_iter().try_for_each(|file| {
        host.with_candidate(&file.text, |path| host.must(&[SSHD, "-t", "-f", path]).map(drop))
            .map_err(|why| format!("sshd does not take `{}`: {why}", file.path))
    })
}

/// Reloads sshd if it runs. A configuration with a mistake would end it, so that is looked at first.
///
/// # Errors
/// There is a mistake, or systemd could not.
pub(super) fn take_effect(host: &Host) -> Result<(), String> {
    if !is_here(host) {
        return Ok(());
    }
    host.must(&[SSHD, "-t"])?;
    host.must(&[SYSTEMCTL, "try-reload-or-restart", "ssh.service"]).map(drop)
}

/// The options in effect, by their names in lower case, for a connection that no `Match` block fits.
///
/// # Errors
/// sshd does not tell.
pub(super) fn effective(host: &Host) -> Result<BTreeMap<String, String>, String> {
    let said = host.must(&[SSHD, "-T"])?;
    let option = |line: &str| line.split_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(said.lines().filter_map(option).collect())
}

/// One line for each option that sshd has otherwise.
pub(super) fn read_back(host: &Host, wanted: &[(&str, String)]) -> Vec<String> {
    if !is_here(host) {
        return Vec::new();
    }
    let options = match effective(host) {
        Ok(options) => options,
        Err(why) => return vec![why],
    };
    let differs = |(name, value): &(&str, String)| {
        let found = options.get(&name.to_lowercase()).map_or("nothing", String::as_str);
        (found != value).then(|| {
            format!(
                "sshd has {name} {found}, not {value}; look for {name} in /etc/ssh/sshd_config and in files of \
                 /etc/ssh/sshd_config.d that come before ours"
            )
        })
    };
    wanted.iter().filter_map(differs).collect()
}
