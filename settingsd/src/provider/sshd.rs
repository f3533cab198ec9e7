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
const CONFIGURATION: &str = "/etc/ssh/sshd_config";
const DROP_INS: &str = "/etc/ssh/sshd_config.d";
/// Where a login may come from: the machine itself, and anywhere (an address that nobody has, RFC 5737).
const FROM: [&str; 2] = ["127.0.0.1", "192.0.2.1"];
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

/// One line for each `Match` block that gives an option another value: `sshd -T` alone does not look into them.
pub(super) fn matched(host: &Host, option: &str, wanted: &str) -> Vec<String> {
    if !is_here(host) {
        return Vec::new();
    }
    let drop_ins = host.names(DROP_INS).into_iter().filter(|name| name.ends_with(".conf"));
    let files = drop_ins.map(|name| format!("{DROP_INS}/{name}")).chain([CONFIGURATION.to_owned()]);
    let found = files.flat_map(|path| match host.text(&path) {
        Ok(text) => overrides(&path, &text.unwrap_or_default(), option, wanted),
        Err(why) => vec![why],
    });
    found.collect()
}

fn overrides(path: &str, text: &str, option: &str, wanted: &str) -> Vec<String> {
    let mut block: Option<&str> = None;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        let (keyword, value) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
        let value = value.trim_matches([' ', '\t', '=', '"']);
        if keyword.eq_ignore_ascii_case("match") {
            block = Some(line);
        } else if keyword.eq_ignore_ascii_case(option) && value != wanted {
            let differs = |block| format!("`{path}` gives {option} {value} to `{block}`; take that line out");
            found.extend(block.map(differs));
        }
    }
    found
}

/// One line for each account to whose logins sshd gives an option otherwise, by its own word.
pub(super) fn read_back_for(host: &Host, accounts: &[String], option: &str, wanted: &str) -> Vec<String> {
    let mut differences = Vec::new();
    for (account, address) in accounts.iter().flat_map(|account| FROM.map(|address| (account, address))) {
        let who = format!("user={account},host={address},addr={address}");
        let said = match host.must(&[SSHD, "-T", "-C", &who]) {
            Ok(said) => said,
            Err(why) => return vec![why],
        };
        let name = option.to_lowercase();
        let found = said.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(' '));
        if found != Some(wanted) {
            let found = found.unwrap_or("nothing");
            differences
                .push(format!("sshd gives {option} {found} to `{account}` from {address}, not {wanted}"));
        }
    }
    differences
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_match_block_says_otherwise_is_found() {
        let text = "Banner /a\nMatch User alice\n\tbanner none\n  Banner=\"/b\"\n#Banner c\nMatch all\nBanner /ours\n";
        let found = overrides("/etc/ssh/x", text, "Banner", "/ours");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], "`/etc/ssh/x` gives Banner none to `Match User alice`; take that line out");
        assert!(found[1].contains("Banner /b to"), "{found:?}");
        assert_eq!(overrides("x", "Banner /a\n", "Banner", "/ours"), [""; 0], "that is no block's");
    }
}
