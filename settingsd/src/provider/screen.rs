// SPDX-License-Identifier: Apache-2.0
//! Whether idle screens lock, and when: GNOME through dconf, for everybody; text consoles, which have no lock,
//! through a shell that ends. Rows 13 and 14.
//!
//! logind's IdleAction=lock is left alone: it only asks, and nothing but a desktop that would have locked by itself
//! does what it asks.

mod console;
mod dconf;
mod own;

use virtwarden_core::setting::{Locking, ScreenIdle, ScreenLock, ScreenLockTimeout, SettingName};

use self::dconf::{Key, Place};
pub(crate) use self::own::give_profile;
use super::{Derived, Provider, Rendered};
use crate::host::Host;

const LOCK: Place = Place {
    keys: "/etc/dconf/db/local.d/90-virtwarden-screen-lock",
    locks: "/etc/dconf/db/local.d/locks/90-virtwarden-screen-lock",
};
const TIMEOUT: Place = Place {
    keys: "/etc/dconf/db/local.d/90-virtwarden-screen-lock-timeout",
    locks: "/etc/dconf/db/local.d/locks/90-virtwarden-screen-lock-timeout",
};
const SCREENSAVER: &str = "org/gnome/desktop/screensaver";

/// The files of row 13.
pub(crate) struct ScreenLockFiles;

impl Provider for ScreenLockFiles {
    type Value = ScreenLock;
    const NAME: SettingName = SettingName::ScreenLock;
    const FILES: &'static [&'static str] =
        &[LOCK.keys, LOCK.locks, dconf::PROFILE, dconf::AT_LOGIN, dconf::DERIVED.path];
    const DERIVED: &'static [Derived] = &[dconf::DERIVED];

    fn examine(host: &Host, value: &ScreenLock) -> Result<(), String> {
        match (value.locking, dconf::is_here(host)) {
            (Locking::Personal, _) => Ok(()),
            (Locking::Enabled | Locking::Disabled, true) => dconf::examine(host),
            (Locking::Enabled | Locking::Disabled, false) => {
                Err("this host has no desktop whose lock could be set; for GNOME's, install dconf-cli"
                    .to_owned())
            }
        }
    }

    fn render(host: &Host, value: &ScreenLock) -> Result<Vec<Rendered>, String> {
        dconf::render(host, &LOCK, &lock_keys(value))
    }

    fn try_out(_host: &Host, _rendered: &[Rendered]) -> Result<(), String> {
        Ok(())
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        dconf::take_effect(host)
    }

    fn read_back(host: &Host, value: &ScreenLock) -> Vec<String> {
        dconf::read_back(host, dconf::EVERYBODY, &lock_keys(value))
    }

    fn remarks(host: &Host, value: &ScreenLock) -> Vec<String> {
        dconf::remarks(host, &lock_keys(value))
    }
}

/// The files of row 14.
pub(crate) struct ScreenLockTimeoutFiles;

impl Provider for ScreenLockTimeoutFiles {
    type Value = ScreenLockTimeout;
    const NAME: SettingName = SettingName::ScreenLockTimeout;
    const FILES: &'static [&'static str] = &[
        TIMEOUT.keys,
        TIMEOUT.locks,
        dconf::PROFILE,
        dconf::AT_LOGIN,
        dconf::DERIVED.path,
        console::PATH,
        own::PATH,
    ];
    const DERIVED: &'static [Derived] = &[dconf::DERIVED];

    fn examine(host: &Host, _value: &ScreenLockTimeout) -> Result<(), String> {
        dconf::examine(host)
    }

    fn render(host: &Host, value: &ScreenLockTimeout) -> Result<Vec<Rendered>, String> {
        let mut files = dconf::render(host, &TIMEOUT, &timeout_keys(value.idle))?;
        files.extend(own::render(host, value));
        files.extend(console::render(value));
        Ok(files)
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        console::try_out(host, rendered)
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        dconf::take_effect(host)
    }

    fn read_back(host: &Host, value: &ScreenLockTimeout) -> Vec<String> {
        let mut differences = dconf::read_back(host, dconf::EVERYBODY, &timeout_keys(value.idle));
        differences.extend(own::read_back(host, value));
        differences.extend(console::read_back(host, value));
        differences
    }

    fn remarks(host: &Host, value: &ScreenLockTimeout) -> Vec<String> {
        dconf::remarks(host, &timeout_keys(value.idle))
    }
}

fn lock_keys(value: &ScreenLock) -> Vec<Key> {
    let enabled = |value: &str| Key::new(SCREENSAVER, "lock-enabled", value);
    match value.locking {
        Locking::Personal => Vec::new(),
        Locking::Enabled => {
            vec![enabled("true"), Key::new("org/gnome/desktop/lockdown", "disable-lock-screen", "false")]
        }
        Locking::Disabled => vec![enabled("false")],
    }
}

fn timeout_keys(idle: ScreenIdle) -> Vec<Key> {
    match idle {
        ScreenIdle::Personal => Vec::new(),
        ScreenIdle::After { seconds, delay } => vec![
            Key::new("org/gnome/desktop/session", "idle-delay", &format!("uint32 {seconds}")),
            Key::new(SCREENSAVER, "lock-delay", &format!("uint32 {delay}")),
        ],
    }
}
