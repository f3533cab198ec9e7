// SPDX-License-Identifier: Apache-2.0
//! Whose the disks of a definition are: only a VM's own, or a volume that the subject may configure, and
//! none that another VM has.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::facts::Facts;

use super::bounds::Judged;
use super::present::Present;
use super::{media, need, row};
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::turns::Turn;

const CONNECT_LIST_ALL_DOMAINS: u32 = 273;
const STORAGE_VOL_LOOKUP_BY_PATH: u32 = 97;

impl Connection {
    /// What a definition of the client's, for a VM that is there, needs beyond its changes: room in the
    /// quota, whose turn is returned, and disks that are the VM's to have. Who may not make the changes needs
    /// no more.
    pub(super) fn means(
        &mut self,
        call: &Call<'_>,
        vm: &Vm,
        present: &Present,
        definition: &Definition,
        needed: &mut Vec<Need>,
    ) -> Result<Option<Turn>, Fault> {
        if !self.may(call, needed) {
            return Ok(None);
        }
        let facts = definition.facts();
        let turn = self.insist_on_quota(call, Some(vm.uuid), &facts, needed)?;
        needed.extend(self.disk_needs(call, Some((vm, present)), &facts, &Object::Vm(vm.clone()))?);
        let media = self.insist_on_own_media(call, (Judged::Known(vm), Some(present)), &facts, needed)?;
        Ok(Turn::both(turn, media))
    }

    /// For each disk that the VM does not have yet: 3 on the volume that it is, and 8 if another VM has it.
    pub(super) fn disk_needs(
        &mut self,
        call: &Call<'_>,
        present: Option<(&Vm, &Present)>,
        facts: &Facts,
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let fresh = self.fresh(present.map(|(_, present)| present), facts);
        let everything = [need(Right::Administer, object), need(row(Function::ConfigureSharing), object)];
        if (fresh.sources.is_empty() && fresh.volumes.is_empty()) || self.may(call, &everything) {
            return Ok(Vec::new());
        }
        let mut needed = Vec::new();
        for source in &fresh.sources {
            needed.push(self.volume_need(source, object)?);
        }
        if self.is_elsewhere(present.map(|(vm, _)| vm), &fresh)? {
            needed.push(need(row(Function::ConfigureSharing), object));
        }
        Ok(needed)
    }

    /// A file that is no volume is for who may administer the VM.
    fn volume_need(&mut self, path: &str, object: &Object) -> Result<Need, Fault> {
        let answer = match self.ask(STORAGE_VOL_LOOKUP_BY_PATH, &[Value::Text(path.to_owned().into())]) {
            Err(Fault::Theirs(_)) => return Ok(need(Right::Administer, object)),
            other => other?,
        };
        let values = answer.values()?;
        let found = values.first().and_then(|value| Handle::from_value(HandleKind::Volume, value));
        Ok(match found {
            Some(Handle::Volume { pool, name }) => {
                let volume = Object::Volume { pool: pool.to_owned(), name: name.to_owned() };
                need(row(Function::ConfigureVms), &volume)
            }
            _ => need(Right::Administer, object),
        })
    }

    /// Whether another VM has one of these disks.
    fn is_elsewhere(&mut self, vm: Option<&Vm>, fresh: &Facts) -> Result<bool, Fault> {
        for other in self.all_vms()? {
            if vm.is_some_and(|vm| vm.uuid == other.uuid) {
                continue;
            }
            let Some(belonging) = self.belonging(&other)? else { continue };
            if belonging.disks.iter().any(|disks| have_in_common(fresh, disks)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The disks among the facts that the VM does not have yet; media of a library, which nobody can write
    /// to and which many VMs may read, are judged as media.
    fn fresh(&self, present: Option<&Present>, facts: &Facts) -> Facts {
        let policy = self.gate.monitor.policy();
        let known: Vec<String> =
            present.iter().flat_map(|present| present.all()).flat_map(own_files).collect();
        let mut facts = facts.clone();
        facts
            .sources
            .retain(|source| !known.contains(source) && media::check(source, policy.policy.media()).is_err());
        facts
    }

    pub(super) fn all_vms(&mut self) -> Result<Vec<Vm>, Fault> {
        let answer = self.ask(CONNECT_LIST_ALL_DOMAINS, &[Value::Boolean(true), Value::Unsigned(0)])?;
        let values = answer.values()?;
        let handles = values.first().map_or(&[][..], Value::parts);
        let found = handles.iter().filter_map(|value| Handle::from_value(HandleKind::Vm, value)?.vm());
        Ok(found.map(|found| self.gate.monitor.known_vm(found.uuid, found.name)).collect())
    }
}

/// The files that a VM writes to: not what it only reads, nor what they build upon, which others may too.
fn own_files(definition: &Definition) -> Vec<String> {
    let disks = definition.devices().filter(|device| device.is("disk") && device.child("readonly").is_none());
    disks.filter_map(|disk| disk.child("source")?.attribute("file")).map(str::to_owned).collect()
}

/// A volume can be named by its pool or by its file, which has the same name.
fn have_in_common(one: &Facts, other: &Facts) -> bool {
    let is_volume_of = |source: &String, facts: &Facts| {
        let file = source.rsplit('/').next().unwrap_or_default();
        facts.volumes.iter().any(|(_, volume)| volume == file)
    };
    one.sources.iter().any(|source| other.sources.contains(source) || is_volume_of(source, other))
        || one.volumes.iter().any(|volume| other.volumes.contains(volume))
        || other.sources.iter().any(|source| is_volume_of(source, one))
}
