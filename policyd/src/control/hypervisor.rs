// SPDX-License-Identifier: Apache-2.0
//! Which VMs libvirt has. Asked each time, not remembered.

use std::fmt;

use virtwarden_core::control::VmState;
use virtwarden_core::object::Uuid;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;

/// A VM as libvirt knows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its identity.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: VmState,
}

/// A VM's definitions as libvirt has them now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defined {
    /// Its identity.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// For its next start; none if it has no next one.
    pub stored: Option<Definition>,
    /// If it runs.
    pub running: Option<Definition>,
}

/// libvirt, as far as the control socket needs it.
pub trait Hypervisor: Send + Sync + fmt::Debug {
    /// What answers, for people: `libvirt 11.3.0`.
    ///
    /// # Errors
    /// Why it does not, for people.
    fn version(&self, caller: &Subject) -> Result<String, String>;

    /// All VMs.
    ///
    /// # Errors
    /// Why libvirt does not answer, for people.
    fn vms(&self, caller: &Subject) -> Result<Vec<Seen>, String>;

    /// The definitions of all VMs. A VM that goes while it is asked for is left out.
    ///
    /// # Errors
    /// Why libvirt does not answer, for people.
    fn definitions(&self, caller: &Subject) -> Result<Vec<Defined>, String>;
}
