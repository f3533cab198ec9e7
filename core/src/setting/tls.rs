// SPDX-License-Identifier: Apache-2.0
//! Which cryptography the connections over TLS may use that Virtwarden brings about: row 11, FCS_COP.1 and the Functional
//! Package for TLS 1.1.

use serde::{Deserialize, Serialize};

/// A named choice of version, ciphers and groups. Single algorithms cannot be chosen: most combinations are mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsSuite {
    /// OpenSSL's and GnuTLS's own.
    #[default]
    Distribution,
    /// What both the base profile's tables and the Functional Package for TLS name: TLS 1.2 with AES in Galois mode.
    Profile,
    /// The same with keys of 256 bits alone.
    #[serde(rename = "profile-256")]
    Profile256,
}

impl TlsSuite {
    /// All.
    pub const ALL: [TlsSuite; 3] = [TlsSuite::Distribution, TlsSuite::Profile, TlsSuite::Profile256];

    /// The word in commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            TlsSuite::Distribution => "distribution",
            TlsSuite::Profile => "profile",
            TlsSuite::Profile256 => "profile-256",
        }
    }
}

/// The setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TlsCryptography {
    /// The version and its algorithms.
    pub suite: TlsSuite,
}
