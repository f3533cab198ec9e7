// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of removable media: rows 10 and 21, FPT_RDM_EXT.1.

use serde::{Deserialize, Serialize};

use crate::media::{Access, Id, Kind, Medium};

/// A medium that is there now, who has it, and what the policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediumRow {
    /// The medium.
    pub medium: Medium,
    /// Who has it.
    pub holder: MediumHolder,
    /// Who had it last, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The device class that the policy puts it into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Whether the VM that the request names may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<MediumVerdict>,
}

/// Who has a medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MediumHolder {
    /// Nobody.
    Nobody,
    /// The host.
    Host {
        /// How: mounted where, used by what.
        why: String,
    },
    /// A VM.
    Vm {
        /// Its name.
        name: String,
    },
    /// A VM that the asker may not know of.
    SomeVm,
}

/// What becomes of a medium if the asker connects it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MediumVerdict {
    /// The VM gets it.
    Allowed {
        /// What it may do with it.
        access: Access,
    },
    /// Once a User of the VM has confirmed it.
    Confirm,
    /// It does not.
    Denied {
        /// Why.
        reason: String,
    },
}

/// A transfer that waits for a User of the receiving VM to confirm it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationRow {
    /// Its number, to be confirmed by.
    pub number: u32,
    /// The receiving VM.
    pub vm: String,
    /// The medium.
    pub id: Id,
    /// Its kind.
    pub kind: Kind,
    /// Its name, for people.
    pub name: String,
    /// The account that asked.
    pub asked_by: String,
    /// The rule that wants it confirmed.
    pub rule: String,
    /// How many seconds are left.
    pub seconds: u64,
}

/// A device class of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceClassRow {
    /// Its name, or the kind whose rule it is.
    pub name: String,
    /// What belongs to it, one line for each pattern.
    pub patterns: Vec<String>,
    /// The rule's word: `grant`, `always-deny`.
    pub rule: String,
    /// What the receiver may do with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// To whom they are granted.
    pub granted: Vec<String>,
    /// Where the policy says so.
    pub place: String,
}
