// SPDX-License-Identifier: Apache-2.0
//! What becomes of a peer whose certificate cannot be found valid or revoked, because who would tell is silent: row 27,
//! FIA_X509_EXT.2. A certificate that is known to be bad is never accepted.

use serde::{Deserialize, Serialize};

/// What is done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidityAction {
    /// It is not accepted.
    #[default]
    Refuse,
    /// It is accepted, as if it were not revoked.
    Accept,
}

impl ValidityAction {
    /// All.
    pub const ALL: [ValidityAction; 2] = [ValidityAction::Refuse, ValidityAction::Accept];

    /// The word in commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            ValidityAction::Refuse => "refuse",
            ValidityAction::Accept => "accept",
        }
    }
}

/// The setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CertificateValidity {
    /// What is done.
    pub action: ValidityAction,
}
