// SPDX-License-Identifier: Apache-2.0
//! GNOME's settings for everybody: a system database of dconf, whose keys are locked.
//!
//! Which databases dconf reads stands in a profile, and DCONF_PROFILE names another. A profile in /run/dconf/user,
//! called by the account's number, comes before that: each account gets one before its first session.

use crate::host::Host;
use crate::provider::{Derived, Rendered, sshd};

const DCONF: &str = "/usr/bin/dconf";
const GNOME: &str = "/usr/bin/gnome-shell";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const SOURCES: &str = "/etc/dconf/db/local.d";
const SYSTEM_DATABASE: &str = "system-db:local";
/// Puts the profile in place for one account, and takes it away when stopped.
const PROFILE_OF: &str = "virtwarden-desktop-profile@";
/// logind's own record of each account that has a session.
const ACCOUNTS: &str = "/run/systemd/users";
/// Where desktops say how they are started.
const DESKTOPS: [&str; 2] = ["/usr/share/wayland-sessions", "/usr/share/xsessions"];

pub(super) const PROFILE: &str = "/etc/dconf/profile/user";
/// The name under which dconf finds it.
pub(super) const EVERYBODY: &str = "user";
/// Brings the profile of an account with its first session.
pub(super) const AT_LOGIN: &str =
    "/etc/systemd/system/user-runtime-dir@.service.d/50-virtwarden-desktop.conf";
pub(super) const DERIVED: Derived = Derived { path: "/etc/dconf/db/local", source: SOURCES };

/// Where the keys of a setting stand.
pub(super) struct Place {
    pub(super) keys: &'static str,
    pub(super) locks: &'static str,
}

/// A key with its value in GVariant's text format.
#[derive(Clone, Debug)]
pub(super) struct Key {
    group: &'static str,
    name: &'static str,
    value: String,
}

impl Key {
    pub(super) fn new(group: &'static str, name: &'static str, value: &str) -> Self {
        Self { group, name, value: value.to_owned() }
    }

    fn path(&self) -> String {
        format!("/{}/{}", self.group, self.name)
    }
}

/// Whether this host has dconf.
pub(super) fn is_here(host: &Host) -> bool {
    host.has(DCONF)
}

/// A site's own profile must know the database that we write.
///
/// # Errors
/// It does not, or dconf's command is missing.
pub(super) fn examine(host: &Host) -> Result<(), String> {
    if !is_here(host) {
        return if host.has(GNOME) {
            Err("GNOME is installed but dconf's command is not; install dconf-cli".to_owned())
        } else {
            Ok(())
        };
    }
    match own_profile(host)? {
        Some(text) if !text.lines().any(|line| line.trim() == SYSTEM_DATABASE) => Err(format!(
            "`{PROFILE}` is your own and does not name `{SYSTEM_DATABASE}`; add that line after the first"
        )),
        Some(_) | None => Ok(()),
    }
}

/// The site's own profile, if there is one that we did not write.
fn own_profile(host: &Host) -> Result<Option<String>, String> {
    Ok(host.text(PROFILE)?.filter(|text| !text.starts_with(sshd::HEAD)))
}

/// The files that carry these keys; none for none, and none without dconf.
///
/// # Errors
/// The present profile cannot be read.
pub(super) fn render(host: &Host, place: &Place, keys: &[Key]) -> Result<Vec<Rendered>, String> {
    if keys.is_empty() || !is_here(host) {
        return Ok(Vec::new());
    }
    let (values, locks) = written(keys);
    let unit = format!("{}[Unit]\nWants={PROFILE_OF}%i.service\n", sshd::HEAD);
    let mut files = vec![
        Rendered { path: place.keys, text: format!("{}{values}", sshd::HEAD) },
        Rendered { path: place.locks, text: locks },
        Rendered { path: AT_LOGIN, text: unit },
    ];
    if own_profile(host)?.is_none() {
        files.push(Rendered {
            path: PROFILE,
            text: format!("{}user-db:user\n{SYSTEM_DATABASE}\n", sshd::HEAD),
        });
    }
    Ok(files)
}

/// Keys as dconf reads them: their values, and which of them are locked, which is all.
pub(super) fn written(keys: &[Key]) -> (String, String) {
    let values = keys.iter().map(|key| format!("[{}]\n{}={}\n", key.group, key.name, key.value)).collect();
    (values, keys.iter().map(|key| format!("{}\n", key.path())).collect())
}

/// The profile that an account's programs read before any other.
pub(super) fn profile_of(account: u32) -> String {
    format!("/run/dconf/user/{account}")
}

/// Compiles the database, and gives everybody who is logged in the profile, or takes it from him.
///
/// # Errors
/// dconf or systemd could not.
pub(super) fn take_effect(host: &Host) -> Result<(), String> {
    if !is_here(host) {
        return Ok(());
    }
    if host.has(SOURCES) {
        host.must(&[DCONF, "update"])?;
    }
    host.must(&[SYSTEMCTL, "daemon-reload"])?;
    if !host.has(AT_LOGIN) {
        return host.must(&[SYSTEMCTL, "stop", &format!("{PROFILE_OF}*.service")]).map(drop);
    }
    let units: Vec<_> = logged_in(host).map(|number| format!("{PROFILE_OF}{number}.service")).collect();
    if units.is_empty() {
        return Ok(());
    }
    // Nobody is without it meanwhile: a program that starts in between would read what its person likes.
    let words: Vec<_> =
        [SYSTEMCTL, "reload-or-restart"].into_iter().chain(units.iter().map(String::as_str)).collect();
    host.must(&words).map(drop)
}

/// The numbers of the accounts that have a session.
pub(super) fn logged_in(host: &Host) -> impl Iterator<Item = u32> {
    host.names(ACCOUNTS).into_iter().filter_map(|name| name.parse().ok())
}

/// One line for each key that a new session with this profile would not have so, or could change.
pub(super) fn read_back(host: &Host, profile: &str, keys: &[Key]) -> Vec<String> {
    if keys.is_empty() || !is_here(host) {
        return Vec::new();
    }
    let asked = |words: &[&str]| {
        let profile = format!("DCONF_PROFILE={profile}");
        let start = ["/usr/bin/env", &profile, "HOME=/nonexistent", DCONF];
        host.must(&start.into_iter().chain(words.iter().copied()).collect::<Vec<_>>())
    };
    let locked = match asked(&["list-locks", "/"]) {
        Ok(locked) => locked,
        Err(why) => return vec![why],
    };
    let differs = |key: &Key| {
        let path = key.path();
        match asked(&["read", &path]) {
            // dconf warns first if another database of the profile is missing.
            Ok(said) if said.lines().last() != Some(&key.value) => {
                Some(format!("`{path}` is {}, not {}", said.lines().last().unwrap_or("not set"), key.value))
            }
            Ok(_) if !locked.lines().any(|line| line == path) => {
                Some(format!("`{path}` is not locked: everybody can change it for himself"))
            }
            Ok(_) => None,
            Err(why) => Some(why),
        }
    };
    keys.iter().filter_map(differs).collect()
}

/// Other desktops have locks of their own, which nobody but their users sets.
pub(super) fn remarks(host: &Host, keys: &[Key]) -> Vec<String> {
    if keys.is_empty() {
        return Vec::new();
    }
    let files = DESKTOPS.iter().flat_map(|directory| host.names(directory));
    let mut others: Vec<_> = files
        .filter_map(|name| name.strip_suffix(".desktop").map(str::to_owned))
        .filter(|name| !name.starts_with("gnome"))
        .collect();
    others.sort_unstable();
    others.dedup();
    let line = |name| format!("the desktop `{name}` does not read this setting; each person sets its lock");
    others.into_iter().map(line).collect()
}
