// SPDX-License-Identifier: Apache-2.0
//! What carries a VM's disks or memory to other places of the host, or brings places of the host into it.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::table3::Function;
use virtwarden_core::xml::definition::{Definition, DefinitionError};
use virtwarden_core::xml::strict;
use virtwarden_core::xml::uses::Use;
use virtwarden_core::xml::uses::written::{Above, Commit, Depth, by_commit, by_making, by_path, by_pivot};

use super::{needs, row, spelled};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::turns::Turn;

/// In BLOCK_REBASE: `base` is where the copy goes.
const COPY: u32 = 8;
/// In BLOCK_COMMIT: without a base, one file deep.
const SHALLOW: u32 = 1;
/// In BLOCK_COMMIT: what was committed is removed.
const DELETE: u32 = 2;
/// In BLOCK_JOB_ABORT: the copy, or the base, becomes the disk.
const PIVOT: u32 = 2;

impl Connection {
    /// DOMAIN_CORE_DUMP: all memory goes to a path of the host; the VM waits, stops or starts afresh.
    pub(super) fn judge_core_dump(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let flags = call.flag_bits();
        let mut wanted = vec![Right::Administer];
        wanted.extend((flags & 2 == 0).then_some(row(Function::Suspend)));
        wanted.extend((flags & (1 | 8) != 0).then_some(row(Function::Stop)));
        wanted.extend((flags & 8 != 0).then_some(row(Function::Start)));
        let detail = format!("to `{}`", call.required("to")?);
        Ok(Forward { detail, replaced, ..Forward::from(needs(wanted, &Object::Vm(vm))) })
    }

    /// DOMAIN_BLOCK_COMMIT: what was written above goes down into a base, which others may build upon too.
    pub(super) fn judge_commit(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let flags = call.flag_bits();
        let text = |name| call.arguments.text(name);
        let commit = Commit {
            disk: call.required("disk")?,
            base: text("base"),
            top: text("top"),
            depth: if flags & SHALLOW == 0 { Depth::Deepest } else { Depth::Shallow },
            above: if flags & DELETE == 0 { Above::Stays } else { Above::Goes },
        };
        let needed =
            needs([row(Function::ConfigureVms), row(Function::ConfigureSharing)], &Object::Vm(vm.clone()));
        let detail = format!("disk `{}` into {}", commit.disk, commit.base.unwrap_or("its base"));
        let judge = |running: &Definition| by_commit(running, &commit);
        let turn = self.insist_on_own_disks(call, &vm, judge, &needed)?;
        Ok(Forward { detail, replaced, turn, ..Forward::from(needed) })
    }

    /// DOMAIN_BLOCK_JOB_ABORT: with PIVOT the VM goes on with what it was copied or committed to.
    pub(super) fn judge_job_abort(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let disk = call.required("path")?;
        let needed = needs([row(Function::ConfigureVms)], &Object::Vm(vm.clone()));
        let turn = match call.flag_bits() & PIVOT {
            0 => None,
            _ => self.insist_on_own_disks(call, &vm, |running| by_pivot(running, disk), &needed)?,
        };
        Ok(Forward { detail: format!("disk `{disk}`"), replaced, turn, ..Forward::from(needed) })
    }

    /// Refuses to write what another VM has. What is written depends on what the VM is now.
    fn insist_on_own_disks(
        &mut self,
        call: &Call<'_>,
        vm: &Vm,
        written: impl Fn(&Definition) -> Vec<Use>,
        needed: &[Need],
    ) -> Result<Option<Turn>, Fault> {
        if !self.may(call, needed) {
            return Ok(None);
        }
        let turn = self.take_turn(vm.uuid)?;
        let present = self.present(vm)?;
        let written = written(present.running.as_ref().unwrap_or(&present.stored));
        Ok(Some(turn.and(self.insist_on_own_writes(call, vm, written, needed)?)))
    }

    /// DOMAIN_BLOCK_REBASE: within the disk's own chain, or a copy to any place of the host.
    pub(super) fn judge_rebase(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let base = call.arguments.text("base");
        let copy = base.filter(|_| call.flag_bits() & COPY != 0);
        let mut wanted = vec![row(Function::ConfigureVms)];
        if base.is_some() || call.flag_bits() & COPY != 0 {
            wanted.extend([Right::Administer, row(Function::ConfigureSharing)]);
        }
        let detail = base.map(|base| format!("base `{base}`")).unwrap_or_default();
        let needed = needs(wanted, &Object::Vm(vm.clone()));
        let written = copy.map(|path| by_path("the copy of a disk", path)).into_iter().collect();
        let turn = self.insist_on_own_writes(call, &vm, written, &needed)?;
        Ok(Forward { detail, replaced, turn, ..Forward::from(needed) })
    }

    /// DOMAIN_BLOCK_COPY: a copy to any place of the host.
    pub(super) fn judge_copy(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let parsed = strict::parse(call.required("destxml")?);
        let element = parsed.map_err(|error| self.unreadable(call, &DefinitionError::Xml(error)))?;
        let mut wanted =
            vec![row(Function::ConfigureVms), row(Function::ConfigureSharing), Right::Administer];
        if element.attribute("type") != Some("file") {
            wanted.push(row(Function::ConfigureDevices));
        }
        let needed = needs(wanted, &Object::Vm(vm.clone()));
        let turn = self.insist_on_own_writes(call, &vm, by_making(&element), &needed)?;
        replaced.push(("destxml", spelled(&element)));
        Ok(Forward { replaced, turn, ..Forward::from(needed) })
    }

    /// DOMAIN_FD_ASSOCIATE: descriptors that a later definition uses as disks; nobody can see what they are.
    pub(super) fn judge_descriptors(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let wanted = [row(Function::ConfigureVms), row(Function::ConfigureDevices), Right::Administer];
        let detail = format!("group `{}`", call.required("name")?);
        Ok(Forward { detail, replaced, ..Forward::from(needs(wanted, &Object::Vm(vm))) })
    }
}
