// SPDX-License-Identifier: Apache-2.0
//! Who can do what on which VM: a line of an access review.

use serde::{Deserialize, Serialize};

use crate::object::Uuid;
use crate::policy::request::Right;
use crate::table3::Column;

/// What rights are held on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AccessTo {
    /// The host, its networks and settings, the policy and the trail.
    Host,
    /// Every VM there is or will be.
    EveryVm,
    /// One VM.
    Vm {
        /// Its identity.
        uuid: Uuid,
        /// Its name when last seen.
        name: String,
    },
}

/// What one role gives one person on one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRow {
    /// The account.
    pub person: String,
    /// On what.
    pub to: AccessTo,
    /// What may be done.
    pub rights: Vec<Right>,
    /// The role that gives it.
    pub role: String,
    /// The column of Table 3 that bounds the role.
    pub column: Column,
    /// How the person comes to the role: `user bob`, `group libvirt`, `service backup`.
    pub through: Vec<String>,
    /// How the role comes to the thing: `all`, `assigned to bob`, `information domain red`.
    pub reach: String,
    /// Where the policy says so.
    pub place: String,
}
