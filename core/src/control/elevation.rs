// SPDX-License-Identifier: Apache-2.0
//! How a session is raised: what policyd gives for it, and the talk with the helper that authenticates.

use serde::{Deserialize, Serialize};

use crate::setting::{Acknowledgement, BannerText};

/// To `session elevate`: what root's helper needs to raise the session that asked.
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
