// SPDX-License-Identifier: Apache-2.0
//! gdm's greeter, where there is one: a system database of dconf in its profile, locked.
//!
//! Debian's profile of the greeter knows no system database, so ours names one between the greeter's
//! own settings and Debian's. /etc/dconf/profile comes before /usr/share/dconf/profile. gdm starts its
//! greeter with a profile that is called like the greeter's account, which Debian calls otherwise than
//! gdm's own files do: both names get one.

use super::{Derived, Rendered, sshd};
use crate::host::Host;

const GDM: &str = "/usr/sbin/gdm3";
const DCONF: &str = "/usr/bin/dconf";
const PROFILES: [&str; 2] = ["/etc/dconf/profile/gdm", "/etc/dconf/profile/Debian-gdm"];
const KEYS: &str = "/etc/dconf/db/gdm.d/90-virtwarden-banner";
const LOCKS: &str = "/etc/dconf/db/gdm.d/locks/90-virtwarden-banner";
const SOURCES: &str = "/etc/dconf/db/gdm.d";
const SYSTEM_DATABASE: &str = "system-db:gdm";

pub(super) const FILES: [&str; 4] = [PROFILES[0], PROFILES[1], KEYS, LOCKS];
pub(super) const DERIVED: Derived = Derived { path: "/etc/dconf/db/gdm", source: SOURCES };

/// Whether this host has gdm.
pub(super) fn is_here(host: &Host) -> bool {
    host.has(GDM)
}

/// A site's own profile must know the database that we write.
///
/// # Errors
/// It does not, or dconf's command is missing.
pub(super) fn examine(host: &Host) -> Result<(), String> {
    if !is_here(host) {
        return Ok(());
    }
    if !host.has(DCONF) {
        return Err("gdm is installed but dconf's command is not; install dconf-cli".to_owned());
    }
    for profile in PROFILES {
        if own_profile(host, profile)?.is_some_and(|text| !names_our_database(&text)) {
            return Err(format!(
                "`{profile}` is your own and does not name `{SYSTEM_DATABASE}`; add that line after the first"
            ));
        }
    }
    Ok(())
}

fn names_our_database(profile: &str) -> bool {
    profile.lines().any(|line| line.trim() == SYSTEM_DATABASE)
}

/// The site's own profile, if there is one that we did not write.
fn own_profile(host: &Host, profile: &str) -> Result<Option<String>, String> {
    Ok(host.text(profile)?.filter(|text| !text.starts_with(sshd::HEAD)))
}

/// The files.
///
/// # Errors
/// The present profile cannot be read.
pub(super) fn render(host: &Host, text: &str) -> Result<Vec<Rendered>, String> {
    if !is_here(host) {
        return Ok(Vec::new());
    }
    let keys = format!(
        "{}[org/gnome/login-screen]\nbanner-message-enable=true\nbanner-message-text={}\n",
        sshd::HEAD,
        quoted(text)
    );
    let locks =
        "/org/gnome/login-screen/banner-message-enable\n/org/gnome/login-screen/banner-message-text\n";
    let mut files =
        vec![Rendered { path: KEYS, text: keys }, Rendered { path: LOCKS, text: locks.to_owned() }];
    for path in PROFILES {
        if own_profile(host, path)?.is_none() {
            let text = format!(
                "{}user-db:user\n{SYSTEM_DATABASE}\nfile-db:/var/lib/gdm3/greeter-dconf-defaults\n",
                sshd::HEAD
            );
            files.push(Rendered { path, text });
        }
    }
    Ok(files)
}

/// Compiles the database, if there is anything to compile it from.
///
/// # Errors
/// dconf could not.
pub(super) fn take_effect(host: &Host) -> Result<(), String> {
    if is_here(host) && host.has(SOURCES) { host.must(&[DCONF, "update"]).map(drop) } else { Ok(()) }
}

/// A line if the greeter does not read the text, whichever of its profiles it is started with.
pub(super) fn read_back(host: &Host, text: &str) -> Option<String> {
    if !is_here(host) {
        return None;
    }
    PROFILES.iter().find_map(|profile| misread(host, profile, text))
}

fn misread(host: &Host, profile: &str, text: &str) -> Option<String> {
    let profile = format!("DCONF_PROFILE={profile}");
    let key = "/org/gnome/login-screen/banner-message-text";
    let asked = host.must(&["/usr/bin/env", &profile, "HOME=/nonexistent", DCONF, "read", key]);
    // dconf warns first if another database of the profile is missing.
    match asked.map(|said| said.lines().last().unwrap_or("nothing").to_owned()) {
        Ok(shown) if shown == printed(text) => None,
        Ok(shown) => Some(format!("gdm's greeter would show {shown}, not the banner")),
        Err(why) => Some(why),
    }
}

/// As GVariant's text format wants a string, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// As dconf prints it: in double quotes where the text has a single one.
fn printed(text: &str) -> String {
    if text.contains('\'') {
        let escaped =
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
        format!("\"{escaped}\"")
    } else {
        quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one_string_on_one_line() {
        assert_eq!(quoted("it's \\l\n\tme"), "'it\\'s \\\\l\\n\\tme'");
        assert_eq!(printed("a 'b' \"c\""), "\"a 'b' \\\"c\\\"\"");
        assert_eq!(printed("a \"c\""), "'a \"c\"'");
    }
}
