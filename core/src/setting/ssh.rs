// SPDX-License-Identifier: Apache-2.0
//! Which cryptography ssh may use on this host: row 11, FCS_COP.1 and the Functional Package for SSH 1.0.

use serde::{Deserialize, Serialize};

/// A named choice of algorithms. Single algorithms cannot be chosen: most combinations are mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SshSuite {
    /// OpenSSH's own.
    #[default]
    Distribution,
    /// What both the base profile's tables and the Functional Package for SSH name.
    Profile,
}

impl SshSuite {
    /// All.
    pub const ALL: [SshSuite; 2] = [SshSuite::Distribution, SshSuite::Profile];

    /// The word in commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            SshSuite::Distribution => "distribution",
            SshSuite::Profile => "profile",
        }
    }
}

/// The setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SshCryptography {
    /// The algorithms.
    pub suite: SshSuite,
}
