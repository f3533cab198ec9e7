// SPDX-License-Identifier: Apache-2.0
//! Saving a VM to a file and starting it from one. The file carries a definition of its own.
//!
//! Each VM has one directory for this, named by its UUID, which Users cannot write to. Any other path of
//! the host is for who may administer it.

use std::path::Path;

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Form, changes};
use virtwarden_core::xml::definition::Definition;

use super::bounds::Judged;
use super::image::Source;
use super::medium::{Occasion, coming};
use super::{flagged, need, needs, rights, row, spelled, summary};
use crate::gate::call::{Call, Forward, Replaced, on_host};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::moving::Moves;
use crate::gate::pending::Chore;

pub(super) const SECURE: u32 = 1;
/// `VIR_DOMAIN_SAVE_*`: leave it paused, reset the NVRAM.
const SAVE_FLAGS: [(u32, Right); 2] = [(4, row(Function::Suspend)), (8, row(Function::ConfigureVms))];

impl Connection {
    /// DOMAIN_SAVE and its kin: 25, the place, and what a replaced definition changes.
    pub(super) fn judge_save(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let Words { path, definition } = words(call, "to")?;
        let mut needed = needs([row(Function::Suspend)], &object);
        let mut turn = self.take_turn(vm.uuid)?;
        match path {
            Some(path) if self.saved_vm(path) == Some(vm.uuid) => {
                self.insist_on_room(call, Path::new(path), &needed)?;
                self.make_saved_directory(vm.uuid);
            }
            Some(path) => needed.push(self.host_path(call, path, &object)?),
            // Without a path, libvirt chooses one of its own.
            None => needed.push(need(Right::Administer, &object)),
        }
        let mut detail = format!("to `{}`", path.unwrap_or_default());
        if let Some(text) = definition {
            let definition = self.read_definition(call, text)?;
            let present = self.present(&vm)?;
            let current = present.running.as_ref().unwrap_or(&present.stored);
            let changes = changes(Some(current), &definition, Form::Stored);
            needed.extend(self.needs_of_changes(call, &changes, &object)?);
            self.insist_on_bounds(call, &definition.facts(), Judged::Known(&vm), &needed)?;
            turn = turn.and(self.means(call, &vm, &present, &definition, &mut needed)?);
            detail = format!("{detail}: {}", summary(&changes));
            replaced.extend(respelled(call, &definition)?);
        }
        Ok(Forward { detail, replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// DOMAIN_RESTORE and its kin: 22 and 26, and whatever the definition in the file brings.
    pub(super) fn judge_restore(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let Words { path, definition } = words(call, "from")?;
        let path = path.unwrap_or_default();
        self.insist_on_place(call, path, &[row(Function::Start), row(Function::Resume)])?;
        let image = self.image(call, path)?;
        let vm = image.definition.uuid();
        let proposed = match definition {
            Some(text) => self.read_definition(call, text)?,
            None => image.definition.clone(),
        };
        let mut wanted = vec![row(Function::Start), row(Function::Resume)];
        wanted.extend(flagged(call.flag_bits(), &SAVE_FLAGS));
        let mut forward = self.judge_image(call, image, &proposed, Source::Libvirt, wanted)?;
        forward.chore = vm.map(Chore::Restore);
        if definition.is_some() {
            forward.replaced = respelled(call, &proposed)?;
        }
        Ok(forward)
    }

    /// DOMAIN_SAVE_IMAGE_GET_XML_DESC: a look at the definition; its secrets are for who may see them.
    pub(super) fn judge_save_image_xml(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let path = call.required("file")?;
        let object = match self.saved_vm(path) {
            Some(uuid) => self.gate.monitor.vm(uuid, ""),
            None => return Ok(Forward::from(vec![on_host(Right::Administer)])),
        };
        let mut replaced = Vec::new();
        if !self.may(call, &[need(Right::Administer, &object)]) {
            replaced.push(("flags", Value::Unsigned(call.flag_bits() & !SECURE)));
        }
        Ok(Forward { replaced, ..Forward::from(vec![need(Right::View, &object)]) })
    }

    /// DOMAIN_SAVE_IMAGE_DEFINE_XML: 3, and what the new definition changes.
    pub(super) fn judge_save_image_define(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let path = call.required("file")?;
        self.insist_on_place(call, path, &[row(Function::ConfigureVms)])?;
        let image = self.image(call, path)?;
        let proposed = self.read_definition(call, call.required("dxml")?)?;
        let wanted = vec![row(Function::ConfigureVms)];
        let forward = self.judge_image(call, image, &proposed, Source::Client, wanted)?;
        // Nothing moves yet: when the VM is restored, all of it is judged.
        Ok(Forward { replaced: vec![("dxml", spelled(proposed.root()))], media: Moves::default(), ..forward })
    }

    /// DOMAIN_MANAGED_SAVE_DEFINE_XML: 3, and what the new definition changes.
    pub(super) fn judge_managed_save_define(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let mut needed = needs([row(Function::ConfigureVms)], &object);
        let mut turn = self.take_turn(vm.uuid)?;
        let mut detail = String::new();
        if let Some(text) = call.arguments.text("dxml") {
            let proposed = self.read_definition(call, text)?;
            let saved = self.managed_save_definition(call, &vm)?;
            let changes = changes(Some(&saved), &proposed, Form::Stored);
            needed.extend(self.needs_of_changes(call, &changes, &object)?);
            self.insist_on_bounds(call, &proposed.facts(), Judged::Known(&vm), &needed)?;
            let present = self.present(&vm)?;
            turn = turn.and(self.means(call, &vm, &present, &proposed, &mut needed)?);
            replaced.push(("dxml", spelled(proposed.root())));
            detail = summary(&changes);
        }
        Ok(Forward { detail, replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// Rights of changes, and of the media among them.
    pub(super) fn needs_of_changes(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let mut needed = needs(rights(changes), object);
        let known = if let Object::Vm(vm) = object { Some(vm.clone()) } else { None };
        let vm = known.unwrap_or_else(|| self.gate.monitor.known_vm(Uuid([0; 16]), ""));
        let judged = self.judge_media(call, (&vm, object), coming(changes), Occasion::Asked)?;
        needed.extend(self.media_needs(call, changes, &judged, object)?);
        needed.extend(judged.needs.iter().cloned());
        Ok(needed)
    }
}

/// The path and the replaced definition of a call, wherever it carries them.
struct Words<'a> {
    path: Option<&'a str>,
    definition: Option<&'a str>,
}

fn words<'a>(call: &'a Call<'_>, argument: &str) -> Result<Words<'a>, Fault> {
    let path = match call.arguments.text(argument) {
        Some(path) => Some(path),
        None => call.parameter("file")?,
    };
    let definition = match call.arguments.text("dxml") {
        Some(text) => Some(text),
        None => call.parameter("dxml")?,
    };
    Ok(Words { path, definition })
}

/// The call with the definition as we write it, wherever it carries it.
pub(super) fn respelled(call: &Call<'_>, definition: &Definition) -> Result<Replaced, Fault> {
    if call.arguments.text("dxml").is_some() {
        return Ok(vec![("dxml", spelled(definition.root()))]);
    }
    Ok(vec![("params", super::migration::with_parameter(call, "dxml", spelled(definition.root())))])
}
