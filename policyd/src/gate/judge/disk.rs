// SPDX-License-Identifier: Apache-2.0
//! What carries a VM's disks or memory to other places of the host, or brings places of the host into it.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::Right;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::definition::DefinitionError;
use virtwarden_core::xml::strict;

use super::{needs, row, spelled};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

/// In BLOCK_REBASE: `base` is where the copy goes.
const COPY: u32 = 8;

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

    /// DOMAIN_BLOCK_REBASE: within the disk's own chain, or a copy to any place of the host.
    pub(super) fn judge_rebase(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let base = call.arguments.text("base");
        let mut wanted = vec![row(Function::ConfigureVms)];
        if base.is_some() || call.flag_bits() & COPY != 0 {
            wanted.extend([Right::Administer, row(Function::ConfigureSharing)]);
        }
        let detail = base.map(|base| format!("base `{base}`")).unwrap_or_default();
        Ok(Forward { detail, replaced, ..Forward::from(needs(wanted, &Object::Vm(vm))) })
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
        replaced.push(("destxml", spelled(&element)));
        Ok(Forward { replaced, ..Forward::from(needs(wanted, &Object::Vm(vm))) })
    }

    /// DOMAIN_FD_ASSOCIATE: descriptors that a later definition uses as disks; nobody can see what they are.
    pub(super) fn judge_descriptors(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let wanted = [row(Function::ConfigureVms), row(Function::ConfigureDevices), Right::Administer];
        let detail = format!("group `{}`", call.required("name")?);
        Ok(Forward { detail, replaced, ..Forward::from(needs(wanted, &Object::Vm(vm))) })
    }
}
