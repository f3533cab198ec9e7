// SPDX-License-Identifier: Apache-2.0
//! What one person's VMs may add up to, and whether a disk is already somebody else's.

use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::policy::quota::{Allowance, Quota};
use virtwarden_core::policy::request::Need;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::facts::Facts;

use super::{media, need, row};
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

    /// As [`Connection::insist_on_quota`], for the calls that resize a VM without a definition.
    pub(in crate::gate) fn insist_on_resized_quota(
        &mut self,
        call: &Call<'_>,
        vm: &Vm,
        needs: &[Need],
    ) -> Result<(), Fault> {
        let Some(grown) = growth(call) else { return Ok(()) };
        if !self.is_under_quota(call) || !self.may(call, needs) {
            return Ok(());
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

    /// Row 8, if a disk of the definition is also a disk of another VM.
    pub(super) fn sharing_needs(
        &mut self,
        call: &Call<'_>,
        vm: Option<&Vm>,
        facts: &Facts,
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let sharing = need(row(Function::ConfigureSharing), object);
        let facts = self.without_media(facts);
        let none = facts.sources.is_empty() && facts.volumes.is_empty();
        if none || self.may(call, std::slice::from_ref(&sharing)) {
            return Ok(Vec::new());
        }
        for other in self.all_vms()? {
            if vm.is_some_and(|vm| vm.uuid == other.uuid) {
                continue;
            }
            let present = self.present(&other)?;
            if present.all().iter().any(|definition| have_in_common(&facts, &definition.facts())) {
                return Ok(vec![sharing]);
            }
        }
        Ok(Vec::new())
    }

    /// The same facts without media of a library, which nobody can write to and which many VMs may read.
    fn without_media(&self, facts: &Facts) -> Facts {
        let policy = self.gate.monitor.policy();
        let mut facts = facts.clone();
        facts.sources.retain(|source| media::check(source, policy.policy.media()).is_err());
        facts
    }

    fn all_vms(&mut self) -> Result<Vec<Vm>, Fault> {
        let answer = self.ask(CONNECT_LIST_ALL_DOMAINS, &[Value::Boolean(true), Value::Unsigned(0)])?;
        let values = answer.values()?;
        let handles = values.first().map_or(&[][..], Value::parts);
        let found = handles.iter().filter_map(|value| Handle::from_value(HandleKind::Vm, value)?.vm());
        Ok(found.map(|found| self.gate.monitor.known_vm(found.uuid, found.name)).collect())
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
