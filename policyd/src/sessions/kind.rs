// SPDX-License-Identifier: Apache-2.0
//! What a PAM session is, by the service that opened it.

use serde::{Deserialize, Serialize};

/// What a PAM session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Somebody came in: a terminal, a desktop, ssh, or a program that is unknown here.
    Login,
    /// An account's user manager, which runs what the account's desktop starts, and what lingers.
    Manager,
    /// Something that was to be run at a time: nobody is there.
    Job,
    /// Within somebody's session: it changes the account and is no login of its own.
    Within,
}

/// Services that change the account within a session.
const WITHIN: &[&str] = &[
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "doas",
    "runuser",
    "runuser-l",
    "polkit-1",
    "systemd-run0",
    "virtwarden",
];
const JOBS: &[&str] = &["cron", "crond", "atd", "at", "anacron", "batch"];
const MANAGER: &str = "systemd-user";

impl Kind {
    /// The kind of a service's sessions.
    pub(super) fn of(service: &str) -> Self {
        if WITHIN.contains(&service) {
            Kind::Within
        } else if JOBS.contains(&service) {
            Kind::Job
        } else if service == MANAGER {
            Kind::Manager
        } else {
            Kind::Login
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_says_what_its_sessions_are() {
        for (service, kind) in [
            ("sshd", Kind::Login),
            ("login", Kind::Login),
            ("gdm-password", Kind::Login),
            ("systemd-user", Kind::Manager),
            ("cron", Kind::Job),
            ("atd", Kind::Job),
            ("su", Kind::Within),
            ("sudo-i", Kind::Within),
            ("virtwarden", Kind::Within),
            ("", Kind::Login),
        ] {
            assert_eq!(Kind::of(service), kind, "{service}");
        }
    }
}
