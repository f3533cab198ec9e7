// SPDX-License-Identifier: Apache-2.0
//! What is wrong between rules that are right each by itself.

use std::collections::BTreeMap;

use crate::policy::fault::{Fault, PolicyError};
use crate::policy::members::RoleSet;
use crate::policy::parse::Rules;
use crate::policy::place::Place;
use crate::policy::rule::Role;
use crate::policy::scope::VmScope;

/// Finds all of it.
pub(in crate::policy) fn find(rules: &Rules) -> Vec<PolicyError> {
    let mut errors: Vec<_> = too_many_roles(rules).into_iter().collect();
    errors.extend(rules.roles.values().flat_map(|role| unknown_domains(role, rules)));
    errors.extend(shared_networks(rules));
    errors
}

fn too_many_roles(rules: &Rules) -> Option<PolicyError> {
    let excess = rules.roles.values().nth(RoleSet::CAPACITY)?;
    Some(PolicyError { place: excess.place.clone(), fault: Fault::TooManyRoles(RoleSet::CAPACITY) })
}

fn unknown_domains(role: &Role, rules: &Rules) -> Vec<PolicyError> {
    let VmScope::InformationDomains(named) = &role.vms else { return Vec::new() };
    let unknown = named.iter().filter(|(name, _)| !rules.information_domains.contains_key(*name));
    let error = |(name, place): (&String, &Place)| PolicyError {
        place: place.clone(),
        fault: Fault::UnknownInformationDomain(name.clone()),
    };
    unknown.map(error).collect()
}

/// A network that two information domains list is a bridge between them.
fn shared_networks(rules: &Rules) -> Vec<PolicyError> {
    let mut owners = BTreeMap::<&String, &String>::new();
    let mut errors = Vec::new();
    for domain in rules.information_domains.values() {
        for (network, place) in &domain.networks {
            if let Some(owner) = owners.insert(network, &domain.name) {
                let fault = Fault::SharedNetwork { network: network.clone(), with: owner.clone() };
                errors.push(PolicyError { place: place.clone(), fault });
            }
        }
    }
    errors
}
