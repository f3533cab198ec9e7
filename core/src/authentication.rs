// SPDX-License-Identifier: Apache-2.0
//! What is known of the person behind a process: whether somebody authenticated, how, and from where.
//!
//! FIA_UIA_EXT.1: an Administrator is authenticated before any management. So a role of the Administrator
//! column counts only where somebody is, or where the policy names the account as a service of that role.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a login came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Origin {
    /// At the machine itself: its terminal or seat, as the login program named it; may be empty.
    Local {
        /// `tty1`, `:0`, `hvc0`, ...
        terminal: String,
    },
    /// Over the network.
    Remote {
        /// The address, as the login program named it.
        address: String,
    },
}

/// What somebody proved himself by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Factor {
    /// The stack of PAM modules accepted what was typed or presented.
    Pam,
    /// A password, by ssh's own word.
    Password,
    /// A public key.
    PublicKey {
        /// Its type and SHA-256 fingerprint.
        key: String,
    },
    /// Another method, by ssh's own word.
    Other {
        /// Its name.
        name: String,
    },
}

/// Somebody authenticated, and the session that came of it is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authenticated {
    /// From where.
    pub origin: Origin,
    /// The PAM service: `sshd`, `login`, `gdm-password`, ...
    pub service: String,
    /// How; at least one.
    pub factors: Vec<Factor>,
}

/// Why nobody counts as authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absence {
    /// No login that is known: a service, cron, a unit that lingers.
    NoSession,
    /// A login without proof: automatic, or forced.
    Unproved,
    /// The session is over.
    Ended,
    /// The session is over because nobody used it.
    Idle,
    /// The session is somebody else's.
    OtherAccount,
    /// The session has not been raised, and the policy wants that.
    NotRaised,
    /// The banner has not been accepted in this session.
    BannerNotAccepted,
}

/// Whether a person stands behind a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// Yes.
    Person(Authenticated),
    /// Nobody who counts.
    Nobody(Absence),
}

impl Absence {
    /// Why, and what to do, to follow "access denied: ".
    pub const fn advice(self) -> &'static str {
        match self {
            Absence::NoSession => "nobody authenticated for this process; log in and run it there",
            Absence::Unproved => {
                "this login was automatic and nobody authenticated; log in with a password or key"
            }
            Absence::Ended => "the login session of this process is over; log in again",
            Absence::Idle => "this remote session was idle for too long; log in again",
            Absence::OtherAccount => "this is another account's login session; log in as this account itself",
            Absence::NotRaised => "this session acts as a User; raise it with `virtwarden session elevate`",
            Absence::BannerNotAccepted => "accept the banner first: `virtwarden banner accept`",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Local { terminal } if terminal.is_empty() => f.write_str("local"),
            Origin::Local { terminal } => write!(f, "local ({terminal})"),
            Origin::Remote { address } => f.write_str(address),
        }
    }
}
