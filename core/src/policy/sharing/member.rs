// SPDX-License-Identifier: Apache-2.0
//! A VM as a party to sharing.

use super::opening::Party;
use crate::object::{Sensitivity, Uuid, Vm};

/// A VM as the openings see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// None: it is about to be made, so that nothing can have been opened for it.
    pub uuid: Option<Uuid>,
    /// For people.
    pub name: &'a str,
    /// Where it belongs.
    pub information_domain: Option<&'a str>,
    /// A sensitive VM shares nothing, whatever is open.
    pub sensitivity: Sensitivity,
}

impl<'a> Member<'a> {
    /// A VM that is about to be made.
    pub fn new(name: &'a str) -> Self {
        Self { uuid: None, name, information_domain: None, sensitivity: Sensitivity::Ordinary }
    }

    /// Whether the party is this VM, or has it.
    pub(super) fn is(&self, party: &Party) -> bool {
        match party {
            Party::Host => false,
            Party::Vm(uuid) => self.uuid == Some(*uuid),
            Party::InformationDomain(name) => self.information_domain == Some(name),
        }
    }
}

impl<'a> From<&'a Vm> for Member<'a> {
    fn from(vm: &'a Vm) -> Self {
        let information_domain = vm.assignment.as_ref().and_then(|a| a.information_domain.as_deref());
        Self { uuid: Some(vm.uuid), name: &vm.name, information_domain, sensitivity: vm.sensitivity() }
    }
}
