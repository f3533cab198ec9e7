// SPDX-License-Identifier: Apache-2.0
//! Who has a medium at this moment, by the word of the kernel and of libvirt.

use std::fmt;

use virtwarden_core::media::{Kind, Medium, Party};
use virtwarden_core::object::{Uuid, Vm};

use super::kernel::Kernel;
use super::look::Look;
use super::store::Standing;
use super::vms::{Connected, Having};
use super::{Media, host};

/// Who has a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// The host.
    Host {
        /// What it does with it.
        why: String,
    },
    /// A VM.
    Vm {
        /// Which.
        uuid: Uuid,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Nobody => f.write_str("nobody"),
            Holder::Host { why } => write!(f, "the host ({why})"),
            Holder::Vm { name, .. } => write!(f, "VM `{name}`"),
        }
    }
}

impl Media {
    /// All that have it: several can have an image.
    pub(super) fn holders(
        &self,
        kernel: &Kernel,
        look: &Look,
        medium: &Medium,
        running: &[Having],
        vms: &dyn Connected,
    ) -> Result<Vec<Holder>, String> {
        let used = host::use_of(kernel, look, medium).map_err(|error| error.to_string())?;
        let mut holders: Vec<_> = used.into_iter().map(|why| Holder::Host { why }).collect();
        holders.extend(running.iter().filter(|having| having.has(medium, look)).map(vm));
        holders.extend(self.resting(look, medium, running, vms)?);
        if holders.is_empty() && host::is_claimed(look, medium) {
            holders.push(Holder::Host { why: "a program has claimed it".to_owned() });
        }
        Ok(holders)
    }

    /// A disc stays in the drive of a VM that was stopped; a device goes back to the host.
    fn resting(
        &self,
        look: &Look,
        medium: &Medium,
        running: &[Having],
        vms: &dyn Connected,
    ) -> Result<Option<Holder>, String> {
        let stays = match medium.kind {
            Kind::Image | Kind::Optical | Kind::SdCard => true,
            Kind::UsbStorage | Kind::Usb => false,
        };
        let given = self.store.of(&medium.id).filter(|entry| stays && entry.standing == Standing::Has);
        let Some(entry) = given.filter(|entry| running.iter().all(|having| having.uuid != entry.vm)) else {
            return Ok(None);
        };
        Ok(vms.vm(entry.vm)?.filter(|having| having.has(medium, look)).map(|having| vm(&having)))
    }

    /// The party that a holder belongs to.
    pub(super) fn party(&self, holder: &Holder) -> Option<Party> {
        match holder {
            Holder::Nobody => None,
            Holder::Host { .. } => Some(Party::Host),
            Holder::Vm { uuid, name } => {
                let assignment = self.registry.vm(*uuid);
                Some(Party::of(&Vm { uuid: *uuid, name: name.clone(), assignment }))
            }
        }
    }
}

fn vm(having: &Having) -> Holder {
    Holder::Vm { uuid: having.uuid, name: having.name.clone() }
}
