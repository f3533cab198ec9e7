// SPDX-License-Identifier: Apache-2.0
//! Updates of the virtualization system: row 1 of Table 3. policyd judges and records, root carries out.

use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateAct {
    /// Look at versions.
    Status,
    /// Fetch the signed lists of what there is.
    Check,
    /// Install.
    Install,
}

impl UpdateAct {
    /// The words of the command line and of records.
    pub const fn operation(self) -> &'static str {
        match self {
            UpdateAct::Status => "update status",
            UpdateAct::Check => "update check",
            UpdateAct::Install => "update install",
        }
    }
}
