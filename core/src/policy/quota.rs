// SPDX-License-Identifier: Apache-2.0
//! How much a person may configure.

use std::fmt;

/// What all VMs of one person may add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Number of VMs.
    pub vms: u64,
    /// Memory of all of them together, in KiB.
    pub memory_kib: u64,
    /// Virtual CPUs of all of them together.
    pub vcpus: u64,
}

impl Quota {
    /// Whether the sums of a person's VMs, with the one in question, stay within the quota.
    pub fn admits(&self, sums: &Quota) -> bool {
        sums.vms <= self.vms && sums.memory_kib <= self.memory_kib && sums.vcpus <= self.vcpus
    }
}

/// How much a person may configure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// No role lets the person configure VMs.
    Nothing,
    /// Within any one of these.
    Within(Vec<Quota>),
    /// A role without a quota carries it.
    Unlimited,
}

impl Allowance {
    /// Whether the sums of a person's VMs, with the one in question, are allowed.
    pub fn admits(&self, sums: &Quota) -> bool {
        match self {
            Allowance::Nothing => false,
            Allowance::Within(quotas) => quotas.iter().any(|quota| quota.admits(sums)),
            Allowance::Unlimited => true,
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} VMs, {} MiB, {} virtual CPUs", self.vms, self.memory_kib / 1024, self.vcpus)
    }
}
