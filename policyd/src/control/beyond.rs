// SPDX-License-Identifier: Apache-2.0
//! What VMs share beyond what was opened: what runs with it does so until it is stopped, what is shut off
//! does not start with it.

use virtwarden_core::control::{BeyondRow, Failure, Holds};
use virtwarden_core::object::Vm;
use virtwarden_core::policy::sharing::{Held, Member, Openings, Own, Undeclared, hold, in_common};
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::uses::Use;

use super::Control;
use super::failure::unavailable;
use super::hypervisor::Defined;
use crate::sharing::look;

/// A VM with what it has now.
struct Tenant {
    vm: Vm,
    uses: Vec<Use>,
    held: Vec<Held>,
    holds: Holds,
}

impl Control {
    /// What is shared beyond the openings.
    pub(super) fn beyond(&self, subject: &Subject) -> Result<Vec<BeyondRow>, Failure> {
        let defined = self.hypervisor.definitions(subject).map_err(unavailable)?;
        let tenants: Vec<_> = defined.into_iter().flat_map(|defined| self.tenants(defined)).collect();
        let openings = self.monitor.sharing().openings();
        let mut rows = Vec::new();
        for (index, tenant) in tenants.iter().enumerate() {
            let member = Member::from(&tenant.vm);
            rows.extend(openings.check(member, &tenant.uses).err().map(|why| row(tenant, &why)));
            let others = tenants.iter().skip(index + 1).filter(|other| other.vm.uuid != tenant.vm.uuid);
            rows.extend(others.filter_map(|other| Some(row(tenant, &between(&openings, tenant, other)?))));
        }
        rows.dedup();
        Ok(rows)
    }

    fn tenants(&self, defined: Defined) -> Vec<Tenant> {
        let vm = self.monitor.known_vm(defined.uuid, &defined.name);
        let tenant = |definition: &Definition, holds| {
            let uses = definition.facts().uses;
            let held = hold(&uses, Own::Present, &look).unwrap_or_default();
            Tenant { vm: vm.clone(), uses, held, holds }
        };
        let running = defined.running.iter().map(|running| tenant(running, Holds::UntilStopped));
        let stored = defined.stored.iter().map(|stored| tenant(stored, Holds::PreventsStart));
        running.chain(stored).collect()
    }
}

fn between(openings: &Openings, one: &Tenant, other: &Tenant) -> Option<Undeclared> {
    let common = in_common(&one.held, &other.held);
    openings.check_between(Member::from(&one.vm), Member::from(&other.vm), &common).err()
}

fn row(tenant: &Tenant, why: &Undeclared) -> BeyondRow {
    BeyondRow { channel: why.channel, vm: tenant.vm.name.clone(), why: why.to_string(), holds: tenant.holds }
}
