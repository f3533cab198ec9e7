// SPDX-License-Identifier: Apache-2.0
//! What is asked and answered about channels between VMs.

use serde::{Deserialize, Serialize};

use super::Mode;
use crate::policy::sharing::Channel;

/// A question about channels, or a change of them. An end is `host`, a VM by name or UUID, or an
/// information domain as `@red`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SharingRequest {
    /// The open channels, and what uses others. Answered with [`super::Reply::Sharing`].
    List,
    /// Open a channel.
    Allow {
        /// Which.
        channel: Channel,
        /// One end.
        one: String,
        /// The other.
        other: String,
        /// Why, for the record.
        #[serde(default)]
        reason: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Close a channel.
    Deny {
        /// Which.
        channel: Channel,
        /// One end.
        one: String,
        /// The other.
        other: String,
        /// Why, for the record.
        #[serde(default)]
        reason: String,
        /// Make the change or show it.
        mode: Mode,
    },
}

/// The open channels, and what goes beyond them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingRows {
    /// What is open.
    pub open: Vec<OpeningRow>,
    /// What VMs have and may not.
    pub beyond: Vec<BeyondRow>,
}

/// One open channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningRow {
    /// Which.
    pub channel: Channel,
    /// One end, as it is typed.
    pub one: String,
    /// The other.
    pub other: String,
    /// Who opened it.
    pub by: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Why, in his words.
    pub reason: String,
}

/// A channel that a VM has and that is not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeyondRow {
    /// Which.
    pub channel: Channel,
    /// The VM.
    pub vm: String,
    /// What in its definition it is, and what would allow it.
    pub why: String,
    /// How long it lasts.
    pub holds: Holds,
}

/// How long a VM has what it may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// It runs with it: in use until it is stopped.
    UntilStopped,
    /// It is shut off, and does not start with it.
    PreventsStart,
}
