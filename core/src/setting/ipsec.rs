// SPDX-License-Identifier: Apache-2.0
//! Which cryptography connections of IPsec may use: row 11, FCS_IPSEC_EXT.1.

use serde::{Deserialize, Serialize};

/// A named choice of proposals. Single algorithms cannot be chosen: most combinations are mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpsecSuite {
    /// strongSwan's own, or each connection's.
    #[default]
    Distribution,
    /// What FCS_IPSEC_EXT.1 names: IKE with AES of 128 or 256 bits, and data with AES of 128, so that what carries the
    /// data is never stronger than what agreed on its keys.
    Profile,
    /// The same with 256 bits alone, for both.
    #[serde(rename = "profile-256")]
    Profile256,
}

impl IpsecSuite {
    /// All.
    pub const ALL: [IpsecSuite; 3] = [IpsecSuite::Distribution, IpsecSuite::Profile, IpsecSuite::Profile256];

    /// The word in commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            IpsecSuite::Distribution => "distribution",
            IpsecSuite::Profile => "profile",
            IpsecSuite::Profile256 => "profile-256",
        }
    }
}

/// The setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IpsecCryptography {
    /// The proposals.
    pub suite: IpsecSuite,
}
