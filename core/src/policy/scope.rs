// SPDX-License-Identifier: Apache-2.0
//! What a role reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::object::Vm;
use crate::policy::place::Place;
use crate::subject::Subject;

/// Which VMs a role reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VmScope {
    /// Every VM, also those assigned to nobody.
    All,
    /// The VMs assigned to the person or to a group of the person.
    Assigned,
    /// The VMs of these information domains, each with the place that names it.
    InformationDomains(BTreeMap<String, Place>),
}

impl VmScope {
    pub(in crate::policy) fn reaches(&self, vm: &Vm, subject: &Subject) -> bool {
        let assignment = vm.assignment.as_deref();
        match self {
            VmScope::All => true,
            VmScope::Assigned => assignment.is_some_and(|assignment| {
                assignment.users.contains(&subject.account)
                    || subject.groups.iter().any(|group| assignment.groups.contains(group))
            }),
            VmScope::InformationDomains(domains) => assignment
                .and_then(|assignment| assignment.information_domain.as_ref())
                .is_some_and(|domain| domains.contains_key(domain)),
        }
    }
}

/// Which networks, pools or devices a role reaches, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Every one.
    All,
    /// These; none if empty.
    Listed(BTreeSet<String>),
}

impl Names {
    pub(in crate::policy) fn reach(&self, name: &str) -> bool {
        match self {
            Names::All => true,
            Names::Listed(names) => names.contains(name),
        }
    }
}

impl fmt::Display for VmScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VmScope::All => f.write_str("all"),
            VmScope::Assigned => f.write_str("assigned"),
            VmScope::InformationDomains(domains) => list(f, domains.keys()),
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Names::All => f.write_str("all"),
            Names::Listed(names) => list(f, names),
        }
    }
}

fn list<'n>(f: &mut fmt::Formatter<'_>, names: impl IntoIterator<Item = &'n String>) -> fmt::Result {
    let names: Vec<_> = names.into_iter().map(String::as_str).collect();
    if names.is_empty() { f.write_str("none") } else { f.write_str(&names.join(", ")) }
}
