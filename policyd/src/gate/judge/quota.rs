// SPDX-License-Identifier: Apache-2.0
//! What one person's VMs may add up to.

use virtwarden_core::object::{Uuid, Vm};
use virtwarden_core::policy::quota::{Allowance, Quota};
use virtwarden_core::policy::request::Need;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::facts::Facts;

use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::turns::{Matter, Turn};

impl Connection {
    /// Refuses a definition that takes its owner over the quota. What counts of a VM that runs is the larger
    /// of what it is and what it will be; and nothing else of the owner's changes before the turn is over.
    pub(super) fn insist_on_quota(
        &mut self,
        call: &Call<'_>,
        vm: Option<Uuid>,
        facts: &Facts,
        needs: &[Need],
    ) -> Result<Option<Turn>, Fault> {
        let allowance = self.gate.monitor.policy().policy.quota(&call.subject);
        if !matches!(allowance, Allowance::Within(_)) {
            return Ok(None);
        }
        let turn = self.take_turn_at(Matter::Quota(call.subject.account.uid))?;
        let mut sums = Quota { vms: 1, memory_kib: facts.memory_kib, vcpus: facts.vcpus.into() };
        // One that policyd is about to make is counted once, as it will be.
        let there = vm.map(|uuid| self.find_vm(Some(uuid), "")).transpose()?.flatten();
        if let Some(vm) = there {
            let running = self.present(&vm)?.running.map(|running| running.facts()).unwrap_or_default();
            sums.memory_kib = sums.memory_kib.max(running.memory_kib);
            sums.vcpus = sums.vcpus.max(running.vcpus.into());
        }
        let registry = self.gate.monitor.registry().clone();
        for owned in registry.owned_by(&call.subject.account).into_iter().filter(|owned| Some(*owned) != vm) {
            let Some(other) = self.find_vm(Some(owned), "")? else { continue };
            let facts: Vec<_> = self.present(&other)?.all().iter().map(|other| other.facts()).collect();
            let memory_kib = facts.iter().map(|facts| facts.memory_kib).max().unwrap_or_default();
            let vcpus = facts.iter().map(|facts| facts.vcpus).max().unwrap_or_default();
            sums.vms += 1;
            sums.memory_kib = sums.memory_kib.saturating_add(memory_kib);
            sums.vcpus = sums.vcpus.saturating_add(vcpus.into());
        }
        match allowance.admits(&sums) {
            true => Ok(Some(turn)),
            false => Err(self.forbidden(call, &over(&sums), needs.to_vec())),
        }
    }

    /// As [`Connection::insist_on_quota`], for the calls that resize a VM without a definition.
    pub(in crate::gate) fn insist_on_resized_quota(
        &mut self,
        call: &Call<'_>,
        vm: &Vm,
        needs: &[Need],
    ) -> Result<Option<Turn>, Fault> {
        let Some(grown) = growth(call) else { return Ok(None) };
        if !self.is_under_quota(call) || !self.may(call, needs) {
            return Ok(None);
        }
        let mut facts = self.present(vm)?.stored.facts();
        facts.memory_kib = facts.memory_kib.max(grown.memory_kib);
        facts.vcpus = facts.vcpus.max(grown.vcpus);
        self.insist_on_quota(call, Some(vm.uuid), &facts, needs)
    }

    /// Whether what the subject configures is counted.
    pub(super) fn is_under_quota(&self, call: &Call<'_>) -> bool {
        matches!(self.gate.monitor.policy().policy.quota(&call.subject), Allowance::Within(_))
    }
}

/// What a call that resizes a VM asks for; none for all other calls.
fn growth(call: &Call<'_>) -> Option<Facts> {
    let memory_kib = match (call.procedure.name, call.arguments.value("memory")) {
        (
            "DOMAIN_SET_MAX_MEMORY" | "DOMAIN_SET_MEMORY" | "DOMAIN_SET_MEMORY_FLAGS",
            Some(Value::UnsignedHyper(kib)),
        ) => *kib,
        _ => 0,
    };
    let vcpus = match call.procedure.name {
        "DOMAIN_SET_VCPUS" | "DOMAIN_SET_VCPUS_FLAGS" => call.arguments.number("nvcpus").unwrap_or(u32::MAX),
        _ => 0,
    };
    (memory_kib > 0 || vcpus > 0).then(|| Facts { memory_kib, vcpus, ..Facts::default() })
}

fn over(sums: &Quota) -> String {
    let Quota { vms, memory_kib, vcpus } = sums;
    format!(
        "it would make {vms} VMs with {memory_kib} KiB of memory and {vcpus} virtual CPUs, over the quota"
    )
}
