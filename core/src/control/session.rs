// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of login sessions and locks.

use serde::{Deserialize, Serialize};

use super::Mode;
use crate::authentication::{Absence, Authenticated, Origin};
use crate::setting::{Acknowledgement, BannerText};
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

/// To `session elevate`: what the root's helper needs to raise the session that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elevation {
    /// Names this wish; good once and for two minutes.
    pub ticket: u64,
    /// To be shown before anything is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<BannerText>,
    /// Whether it must be accepted.
    pub acknowledgement: Acknowledgement,
    /// For how many seconds the session will be raised.
    pub seconds: u64,
}

/// Which logins of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginClass {
    /// At the machine itself.
    Local,
    /// Over the network.
    Remote,
}

/// An account's failures and lock, for one class of origins. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockoutRow {
    /// The account, as it was typed at the prompt if this host has no such account.
    pub account: String,
    /// Which logins.
    pub class: OriginClass,
    /// Failures that count now.
    pub failures: u32,
    /// When the last was.
    pub last: u64,
    /// Where it came from.
    pub origin: Origin,
    /// The lock.
    pub lock: Lock,
}

/// Whether an account may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lock {
    /// It may.
    Open,
    /// Not until then.
    Until(u64),
    /// Not until an Administrator unlocks it.
    UntilUnlocked,
    /// It would be locked, but is the last Administrator who can still log in at the machine itself.
    Spared,
}

/// A setting, its value, and how the host stands to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingRow {
    /// The value in force.
    pub setting: crate::setting::Setting,
    /// Where it comes from.
    pub source: SettingSource,
    /// What differs between the value and the host's files, one line each; empty if nothing does.
    #[serde(default)]
    pub drift: Vec<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SettingSource {
    /// Nobody set it.
    Default,
    /// An Administrator did. The time is seconds since 1970.
    Set {
        /// Who.
        by: String,
        /// When.
        at: u64,
        /// Why, in his words.
        reason: String,
    },
}

impl SettingSource {
    /// Whether somebody set it.
    pub const fn is_set(&self) -> bool {
        matches!(self, SettingSource::Set { .. })
    }
}

/// What policyd orders settingsd to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Put a value into the component's files; [`Mode::DryRun`] only renders and checks.
    Apply {
        /// The value.
        setting: crate::setting::Setting,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Take the component's files of a setting away again.
    Withdraw {
        /// Which.
        name: crate::setting::SettingName,
        /// Make the change or show it.
        mode: Mode,
    },
    /// What differs between a value and the host.
    Inspect {
        /// The value.
        setting: crate::setting::Setting,
    },
    /// End a login session and its processes.
    EndSession {
        /// The audit session id.
        session: u32,
        /// The process that leads it.
        leader: u32,
    },
}

/// What settingsd answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Report {
    /// Done, or what would be done: one line for each difference.
    Done(Vec<String>),
    /// To [`Order::Inspect`]: one line for each difference.
    Drift(Vec<String>),
    /// It failed and the host is as it was; what and what to do.
    Failed(String),
}

/// Where settingsd listens. For policyd and root alone.
pub const SETTINGS_SOCKET: &str = "/run/virtwarden/settings.sock";
/// Where the helper listens that authenticates a person who wants his session raised.
pub const ELEVATE_SOCKET: &str = "/run/virtwarden/elevate.sock";

/// What the elevation helper says; the client answers prompts with [`Typed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Conversation {
    /// To be shown.
    Show(String),
    /// To be shown as an error.
    Complain(String),
    /// Ask, showing what is typed.
    AskOpenly(String),
    /// Ask, showing nothing.
    AskHidden(String),
    /// The session is raised.
    Raised,
    /// It is not, and why.
    Refused(String),
}

/// What a client says to the elevation helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Typed {
    /// The first line: raise the session for which this ticket was given.
    Raise {
        /// [`Elevation::ticket`].
        ticket: u64,
    },
    /// The answer to a prompt.
    Answer(String),
}
