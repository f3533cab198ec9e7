// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of settings, and what policyd orders settingsd to do.

use serde::{Deserialize, Serialize};

use super::Mode;
use crate::setting::{Setting, SettingName};

/// A setting, its value, and how the host stands to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingRow {
    /// The value in force.
    pub setting: Setting,
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
        setting: Setting,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Take the component's files of a setting away again.
    Withdraw {
        /// Which.
        name: SettingName,
        /// Make the change or show it.
        mode: Mode,
    },
    /// What differs between a value and the host.
    Inspect {
        /// The value.
        setting: Setting,
    },
    /// Let a VM have the interfaces of a USB device that no driver of the host may have, or take them back.
    UsbStorage {
        /// Where the device is plugged in: `1-2.3`.
        port: String,
        /// Which.
        wish: UsbWish,
    },
    /// End a login session and its processes.
    EndSession {
        /// The audit session id.
        session: u32,
        /// The process that leads it.
        leader: u32,
    },
}

/// What is wanted of a USB device while [`crate::setting::HostLevel::NoDriver`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UsbWish {
    /// A VM gets it: its interfaces may be claimed, and no driver is asked.
    Release,
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
