// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of login sessions.

use serde::{Deserialize, Serialize};

use crate::authentication::{Absence, Authenticated, Origin};
use crate::subject::Account;

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// Open; its account's Administrator roles count in it.
    Active,
    /// Open, but those roles do not count, for this reason.
    Plain(Absence),
    /// Over; kept for a while to be looked at.
    Closed,
}

/// A login session. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRow {
    /// The kernel's audit session id.
    pub id: u32,
    /// Whose it is.
    pub account: Account,
    /// How it began; none if nobody authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<Authenticated>,
    /// The PAM service that opened it.
    pub service: String,
    /// Where from.
    pub origin: Origin,
    /// The process that leads it.
    pub leader: u32,
    /// When it began.
    pub since: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Until when it is raised, where the policy wants sessions raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_until: Option<u64>,
    /// When somebody last did something in it, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<u64>,
    /// How it stands.
    pub state: SessionState,
}
