// SPDX-License-Identifier: Apache-2.0
//! New VMs and the templates that they are made from, on the control socket.

use serde::{Deserialize, Serialize};

/// A VM that somebody wants. What is not said is as in the default initial configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmWish {
    /// Its name.
    pub name: String,
    /// The template.
    #[serde(default)]
    pub template: Option<String>,
    /// Memory in MiB.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Virtual CPUs.
    #[serde(default)]
    pub vcpus: Option<u32>,
    /// A new disk of so many bytes; without, it has none.
    #[serde(default)]
    pub disk: Option<u64>,
    /// The network that it is plugged into; without, none.
    #[serde(default)]
    pub network: Option<String>,
}

/// Whose a new VM shall be. Of both, more than its maker may decide alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmBelonging {
    /// An account that gets it.
    #[serde(default)]
    pub user: Option<String>,
    /// The information domain, which the policy must define.
    #[serde(default)]
    pub information_domain: Option<String>,
}

/// A template of VMs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateRow {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Whether new VMs that say nothing are made from it.
    pub default: bool,
    /// What a maker can choose: the names of its placeholders.
    pub placeholders: Vec<String>,
    /// Why it cannot be used, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}
