// SPDX-License-Identifier: Apache-2.0
//! Snapshots, checkpoints and backups: a definition that comes back later is judged now.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::Right;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::definition::{Definition, DefinitionError};
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::snapshot::{SnapshotRequest, backup, checkpoint, snapshot};
use virtwarden_core::xml::strict;
use virtwarden_core::xml::uses::written::{by_backup, by_snapshot};

use super::bounds::Judged;
use super::few::Image;
use super::{flagged, needs, rights, row, spelled, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};
use crate::gate::objects::with_true_name;
use crate::gate::turns::Turn;
use crate::gate::upstream::Access;

const DOMAIN_SNAPSHOT_GET_XML_DESC: u32 = 186;
/// `VIR_DOMAIN_SNAPSHOT_REVERT_*`: run afterwards, be paused afterwards, reset the NVRAM.
const REVERT_FLAGS: [(u32, Right); 3] =
    [(1, row(Function::Start)), (2, row(Function::Suspend)), (8, row(Function::ConfigureVms))];

impl Connection {
    /// DOMAIN_SNAPSHOT_CREATE_XML.
    pub(super) fn judge_snapshot(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        self.judge_request(call, Image::Snapshot, |text, flags, known| snapshot(text, flags, known))
    }

    /// DOMAIN_CHECKPOINT_CREATE_XML.
    pub(super) fn judge_checkpoint(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        self.judge_request(call, Image::Checkpoint, |text, flags, known| checkpoint(text, flags, known))
    }

    fn judge_request(
        &mut self,
        call: &Call<'_>,
        image: Image,
        read: impl Fn(&str, u32, &[&Definition]) -> Result<SnapshotRequest, DefinitionError>,
    ) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let text = call.required("xml_desc")?;
        let turn = self.take_turn(vm.uuid)?;
        let present = self.present(&vm)?;
        let request =
            read(text, call.flag_bits(), &present.all()).map_err(|error| self.unreadable(call, &error))?;
        let mut needed = needs(call.procedure.rights(&call.arguments), &object);
        needed.extend(self.needs_of_changes(call, &request.changes, &object)?);
        self.insist_on_few(call, image, &vm, &needed)?;
        let mut quota = None;
        for definition in &request.definitions {
            self.insist_on_bounds(call, &definition.facts(), Judged::Known(&vm), &needed)?;
            drop(quota.take());
            quota = self.means(call, &vm, &present, definition, &mut needed)?;
        }
        let written = if image == Image::Snapshot { by_snapshot(&request.element) } else { Vec::new() };
        let written = self.insist_on_own_writes(call, &vm, written, &needed)?;
        let turn = turn.and(Turn::both(quota, written));
        replaced.push(("xml_desc", spelled(&request.element)));
        let detail = summary(&request.changes);
        Ok(Forward { detail, replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// DOMAIN_REVERT_TO_SNAPSHOT: what the snapshot's definition changes is judged as if it were configured now.
    pub(super) fn judge_revert(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let turn = self.take_turn(vm.uuid)?;
        let present = self.present(&vm)?;
        let root = self.snapshot_of(call, &vm)?;
        let mut wanted = vec![row(Function::Checkpoint)];
        wanted.extend(flagged(call.flag_bits(), &REVERT_FLAGS));
        wanted.extend(end_state(&root, call.flag_bits()));
        let mut needed = needs(wanted, &object);
        let mut changes = Vec::new();
        let definitions = embedded(&root).map_err(|error| self.unreadable(call, &error))?;
        for definition in &definitions {
            changes.extend(self.changes_from_present(&present, definition));
            self.insist_on_bounds(call, &definition.facts(), Judged::Known(&vm), &needed)?;
        }
        needed.extend(needs(rights(&changes), &object));
        let all: Vec<_> = definitions.iter().collect();
        let media = self.media_again(call, (&vm, &present), &all, &changes, &mut needed)?;
        let mut quota = None;
        for definition in &definitions {
            drop(quota.take());
            quota = self.means(call, &vm, &present, definition, &mut needed)?;
        }
        let turn = turn.and(quota);
        let name = root.text_of("name").unwrap_or_default();
        let detail = format!("snapshot `{name}`: {}", summary(&changes));
        Ok(Forward { detail, replaced, media, turn: Some(turn), ..Forward::from(needed) })
    }

    /// DOMAIN_BACKUP_BEGIN, with the checkpoint that may come with it.
    pub(super) fn judge_backup(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let turn = self.take_turn(vm.uuid)?;
        let request = backup(call.required("backup_xml")?).map_err(|error| self.unreadable(call, &error))?;
        replaced.push(("backup_xml", spelled(&request.element)));
        let mut changes = request.changes;
        if let Some(text) = call.arguments.text("checkpoint_xml") {
            let present = self.present(&vm)?;
            let request =
                checkpoint(text, 0, &present.all()).map_err(|error| self.unreadable(call, &error))?;
            replaced.push(("checkpoint_xml", spelled(&request.element)));
            changes.extend(request.changes);
        }
        let needed = self.needs_of_changes(call, &changes, &object)?;
        if call.arguments.text("checkpoint_xml").is_some() {
            self.insist_on_few(call, Image::Checkpoint, &vm, &needed)?;
        }
        let turn = turn.and(self.insist_on_own_writes(call, &vm, by_backup(&request.element), &needed)?);
        let detail = summary(&changes);
        Ok(Forward { detail, replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// The snapshot that a call names, as libvirt has it.
    pub(super) fn snapshot_of(&mut self, call: &Call<'_>, vm: &Vm) -> Result<Element, Fault> {
        let handle = handle_of_snapshot(call, vm)?;
        self.snapshot_at(call, handle)
    }

    pub(super) fn snapshot_at(&mut self, call: &Call<'_>, handle: Value<'static>) -> Result<Element, Fault> {
        let secure = match self.access {
            Access::Full => 1,
            Access::ReadOnly => 0,
        };
        let text = self.ask(DOMAIN_SNAPSHOT_GET_XML_DESC, &[handle, Value::Unsigned(secure)])?.text("xml")?;
        strict::parse(text).map_err(|error| self.unreadable(call, &DefinitionError::Xml(error)))
    }
}

/// The handle of the snapshot, with the VM's true name.
pub(super) fn handle_of_snapshot(call: &Call<'_>, vm: &Vm) -> Result<Value<'static>, Fault> {
    let none = || Fault::Failed(code::INVALID, "the call names no snapshot".to_owned());
    with_true_name(call, &vm.name).ok_or_else(none)
}

/// The definitions that a snapshot brings back.
fn embedded(root: &Element) -> Result<Vec<Definition>, DefinitionError> {
    let definitions = root.elements().filter(|part| part.is("domain") || part.is("inactiveDomain"));
    definitions.cloned().map(Definition::new).collect()
}

/// What the state that a revert ends in amounts to. A state that we do not know could be any.
fn end_state(root: &Element, flags: u32) -> Vec<Right> {
    if flags & 3 != 0 {
        return Vec::new();
    }
    match root.text_of("state").as_deref() {
        Some("running") => vec![row(Function::Start)],
        Some("paused") => vec![row(Function::Suspend)],
        Some("shutoff" | "disk-snapshot") => vec![row(Function::Stop)],
        _ => vec![row(Function::Start), row(Function::Suspend), row(Function::Stop)],
    }
}
