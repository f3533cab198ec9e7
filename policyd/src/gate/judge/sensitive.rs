// SPDX-License-Identifier: Apache-2.0
//! The disks of sensitive VMs: no volume that is one of them, or builds upon one, is read out.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::policy::sharing::{Channel, Held, Own, hold, in_common};
use virtwarden_core::xml::uses::{Access, Chain, Medium, Reach, Use};

use super::needs;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::sensitive::WHY;
use crate::sharing::look;

impl Connection {
    /// Refuses to read a volume out that a sensitive VM has, by whatever name it has it.
    pub(super) fn insist_on_no_sensitive_disk(
        &mut self,
        call: &Call<'_>,
        (pool, name): (&str, &str),
        needed: &[Need],
    ) -> Result<(), Fault> {
        let sensitive = self.sensitive_vms();
        if sensitive.is_empty() || !self.may(call, needed) {
            return Ok(());
        }
        let volume = self.located_with_chains(vec![read_out(pool, name)])?;
        let held = hold(&volume, Own::Judged, &look);
        let held = held.map_err(|why| self.forbidden(call, &why, needed.to_vec()))?;
        for vm in sensitive {
            if self.has_any_of(&vm, &held)? {
                let mut needed = needed.to_vec();
                needed.extend(needs([Right::View], &Object::Vm(vm)));
                return Err(self.forbidden(call, WHY, needed));
            }
        }
        Ok(())
    }

    fn sensitive_vms(&self) -> Vec<Vm> {
        let monitor = &self.gate.monitor;
        let entries = monitor.registry().entries();
        let kept = entries.iter().filter(|(_, entry)| !entry.assignment.sensitivity.is_ordinary());
        kept.map(|(uuid, entry)| monitor.known_vm(*uuid, &entry.name)).collect()
    }

    fn has_any_of(&mut self, vm: &Vm, held: &[Held]) -> Result<bool, Fault> {
        let Some(belonging) = self.belonging(vm)? else { return Ok(false) };
        let theirs = hold(&belonging.uses, Own::Present, &look).unwrap_or_default();
        Ok(!in_common(held, &theirs).is_empty())
    }
}

/// A volume as if somebody had it as a disk.
fn read_out(pool: &str, name: &str) -> Use {
    Use {
        channel: Channel::Disk,
        what: format!("volume `{name}` of pool `{pool}`"),
        reach: Reach::Own,
        medium: Some(Medium::Volume { pool: pool.to_owned(), name: name.to_owned() }),
        access: Access::Reads,
        chain: Chain::Untold,
    }
}
