// SPDX-License-Identifier: Apache-2.0
//! What one person's VMs may add up to, and whether a disk is already somebody else's.

use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::policy::quota::{Allowance, Quota};
use virtwarden_core::policy::request::Need;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::facts::Facts;

use super::{need, row};
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

const CONNECT_LIST_ALL_DOMAINS: u32 = 273;

impl Connection {
    /// Refuses a definition that takes its owner over the quota.
    pub(super) fn insist_on_quota(
        &mut self,
        call: &Call<'_>,
        vm: Option<Uuid>,
        facts: &Facts,
        needs: &[Need],
    ) -> Result<(), Fault> {
        let allowance = self.gate.monitor.policy().policy.quota(&call.subject);
        if !matches!(allowance, Allowance::Within(_)) {
            return Ok(());
        }
        let mut sums = Quota { vms: 1, memory_kib: facts.memory_kib, vcpus: facts.vcpus.into() };
        let registry = self.gate.monitor.registry().clone();
        for owned in registry.owned_by(&call.subject.account).into_iter().filter(|owned| Some(*owned) != vm) {
            let Some(other) = self.find_vm(Some(owned), "")? else { continue };
            let other = self.present(&other)?.stored.facts();
            sums.vms += 1;
            sums.memory_kib = sums.memory_kib.saturating_add(other.memory_kib);
            sums.vcpus = sums.vcpus.saturating_add(other.vcpus.into());
        }
        match allowance.admits(&sums) {
            true => Ok(()),
            false => Err(self.forbidden(call, &over(&sums), needs.to_vec())),
        }
    }

    /// Row 8, if a disk of the definition is also a disk of another VM.
    pub(super) fn sharing_needs(
        &mut self,
        call: &Call<'_>,
        vm: Option<&Vm>,
        facts: &Facts,
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let sharing = need(row(Function::ConfigureSharing), object);
        let none = facts.sources.is_empty() && facts.volumes.is_empty();
        if none || self.may(call, std::slice::from_ref(&sharing)) {
            return Ok(Vec::new());
        }
        for other in self.all_vms()? {
            if vm.is_some_and(|vm| vm.uuid == other.uuid) {
                continue;
            }
            let present = self.present(&other)?;
            if present.all().iter().any(|definition| have_in_common(facts, &definition.facts())) {
                return Ok(vec![sharing]);
            }
        }
        Ok(Vec::new())
    }

    fn all_vms(&mut self) -> Result<Vec<Vm>, Fault> {
        let answer = self.ask(CONNECT_LIST_ALL_DOMAINS, &[Value::Boolean(true), Value::Unsigned(0)])?;
        let values = answer.values()?;
        let handles = values.first().map_or(&[][..], Value::parts);
        let found = handles.iter().filter_map(|value| Handle::from_value(HandleKind::Vm, value)?.vm());
        Ok(found.map(|found| self.gate.monitor.known_vm(found.uuid, found.name)).collect())
    }
}

fn have_in_common(one: &Facts, other: &Facts) -> bool {
    one.sources.iter().any(|source| other.sources.contains(source))
        || one.volumes.iter().any(|volume| other.volumes.contains(volume))
}

fn over(sums: &Quota) -> String {
    let Quota { vms, memory_kib, vcpus } = sums;
    format!(
        "it would make {vms} VMs with {memory_kib} KiB of memory and {vcpus} virtual CPUs, over the quota"
    )
}
