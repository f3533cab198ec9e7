// SPDX-License-Identifier: Apache-2.0
//! Saving a VM to a file and starting it from one. The file carries a definition of its own.
//!
//! Each VM has one directory for this, named by its UUID, which Users cannot write to. Any other path of
//! the host is for who may administer it.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Form, changes};
use virtwarden_core::xml::definition::Definition;

use super::{flagged, media, need, needs, rights, row, spelled, summary};
use crate::gate::call::{Call, Forward, Replaced, on_host};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};
use crate::gate::pending::Chore;
use crate::monitor::Refusal;

const DOMAIN_SAVE_IMAGE_GET_XML_DESC: u32 = 235;
const SECURE: u32 = 1;
/// Most saved states in a VM's own directory: each is as large as the VM's memory.
const SAVED_STATES: usize = 8;
/// `VIR_DOMAIN_SAVE_*`: leave it paused, reset the NVRAM.
const SAVE_FLAGS: [(u32, Right); 2] = [(4, row(Function::Suspend)), (8, row(Function::ConfigureVms))];

impl Connection {
    /// DOMAIN_SAVE and its kin: 25, the place, and what a replaced definition changes.
    pub(super) fn judge_save(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let Words { path, definition } = words(call, "to")?;
        let mut needed = needs([row(Function::Suspend)], &object);
        match path {
            Some(path) if self.saved_vm(path) == Some(vm.uuid) => {
                self.insist_on_room(call, Path::new(path), &needed)?;
                self.make_saved_directory(vm.uuid);
            }
            Some(path) => needed.push(self.host_path(call, path, &object)?),
            // Without a path, libvirt chooses one of its own.
            None => needed.push(need(Right::Administer, &object)),
        }
        let mut turn = self.take_turn(vm.uuid)?;
        let mut detail = format!("to `{}`", path.unwrap_or_default());
        if let Some(text) = definition {
            let definition = self.read_definition(call, text)?;
            let present = self.present(&vm)?;
            let current = present.running.as_ref().unwrap_or(&present.stored);
            let changes = changes(Some(current), &definition, Form::Stored);
            needed.extend(self.needs_of_changes(call, &changes, &object)?);
            self.insist_on_bounds(call, &definition.facts(), vm.assignment.as_deref(), &needed)?;
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
        let image = self.image_definition(call, path)?;
        let proposed = match definition {
            Some(text) => self.read_definition(call, text)?,
            None => image.clone(),
        };
        let mut wanted = vec![row(Function::Start), row(Function::Resume)];
        wanted.extend(flagged(call.flag_bits(), &SAVE_FLAGS));
        let mut forward = self.judge_image(call, path, &image, &proposed, Source::Libvirt, wanted)?;
        forward.chore = image.uuid().map(Chore::Restore);
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
        let image = self.image_definition(call, path)?;
        let proposed = self.read_definition(call, call.required("dxml")?)?;
        let wanted = vec![row(Function::ConfigureVms)];
        let forward = self.judge_image(call, path, &image, &proposed, Source::Client, wanted)?;
        Ok(Forward { replaced: vec![("dxml", spelled(proposed.root()))], ..forward })
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
            self.insist_on_bounds(call, &proposed.facts(), vm.assignment.as_deref(), &needed)?;
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
        needed.extend(self.media_needs(call, changes, object)?);
        Ok(needed)
    }

    /// An image is judged against the VM that its definition names, as that VM is now.
    fn judge_image(
        &mut self,
        call: &Call<'_>,
        path: &str,
        image: &Definition,
        proposed: &Definition,
        source: Source,
        wanted: Vec<Right>,
    ) -> Result<Forward, Fault> {
        let present = self.find_vm(image.uuid(), image.name())?;
        let mut turn = present.as_ref().map(|vm| self.take_turn(vm.uuid)).transpose()?;
        let object = present.clone().map_or(Object::Host, Object::Vm);
        let same = image.uuid() == proposed.uuid() && image.uuid() == present.as_ref().map(|vm| vm.uuid);
        let mut needed = needs(wanted, &object);
        if !same || self.saved_vm(path) != image.uuid() {
            needed.push(need(Right::Administer, &object));
        }
        let changes = match (&present, source) {
            (Some(vm), Source::Libvirt) if image == proposed => {
                let present = self.present(vm)?;
                self.changes_from_present(&present, image)
            }
            (Some(vm), _) => {
                let present = self.present(vm)?;
                let mut all = self.changes_from_present(&present, image);
                all.extend(changes(Some(image), proposed, Form::Stored));
                all
            }
            (None, _) => changes(None, proposed, Form::Stored),
        };
        needed.extend(self.needs_of_changes(call, &changes, &object)?);
        let assignment = present.as_ref().and_then(|vm| vm.assignment.as_deref());
        self.insist_on_bounds(call, &proposed.facts(), assignment, &needed)?;
        if let Some(vm) = &present {
            let state = self.present(vm)?;
            let quota = self.means(call, vm, &state, proposed, &mut needed)?;
            turn = turn.map(|turn| turn.and(quota));
        }
        let detail = format!("`{path}`: VM `{}`: {}", image.name(), summary(&changes));
        Ok(Forward { detail, turn, ..Forward::from(needed) })
    }

    /// The definition in an image. Only to be asked once the place is known to be the subject's.
    fn image_definition(&mut self, call: &Call<'_>, path: &str) -> Result<Definition, Fault> {
        let question = [Value::Text(path.to_owned().into()), Value::Unsigned(SECURE)];
        let text = self.ask(DOMAIN_SAVE_IMAGE_GET_XML_DESC, &question)?.text("xml")?;
        self.read_definition(call, &text)
    }

    /// Refuses, before anything is read, a path that is neither the subject's VM's nor open to him.
    fn insist_on_place(&self, call: &Call<'_>, path: &str, wanted: &[Right]) -> Result<(), Fault> {
        if self.may(call, &[on_host(Right::Administer)]) {
            return Ok(());
        }
        let Some(uuid) = self.saved_vm(path) else {
            return Err(self.forbidden(call, &elsewhere(path), vec![on_host(Right::Administer)]));
        };
        let object = self.gate.monitor.vm(uuid, "");
        let needed = needs(wanted.iter().copied(), &object);
        if self.may(call, &needed) {
            return Ok(());
        }
        match self.gate.monitor.judge(&call.subject, call.procedure.name, needed) {
            Ok(_) => Ok(()),
            Err(Refusal::Hidden { .. }) => Err(Fault::Failed(code::ACCESS_DENIED, elsewhere(path))),
            Err(refusal @ (Refusal::Denied(_) | Refusal::Unrecorded(_))) => Err(refusal.into()),
        }
    }

    /// A path outside the VM's own directory, as a need; refused with a hint to who may not.
    fn host_path(&self, call: &Call<'_>, path: &str, object: &Object) -> Result<Need, Fault> {
        let administer = need(Right::Administer, object);
        if self.may(call, std::slice::from_ref(&administer)) {
            return Ok(administer);
        }
        let suspend = need(row(Function::Suspend), object);
        Err(self.forbidden(call, &elsewhere(path), vec![suspend]))
    }

    /// Whose directory of saved states a path is directly in. Every spelling but the plain one is nobody's.
    fn saved_vm(&self, path: &str) -> Option<Uuid> {
        let policy = self.gate.monitor.policy();
        let rest = path.strip_prefix(policy.policy.saved_directory().to_str()?)?.strip_prefix('/')?;
        let (directory, name) = rest.split_once('/')?;
        let plain = !matches!(name, "" | "." | "..") && !name.contains('/');
        let uuid = Uuid::parse(directory).filter(|uuid| uuid.to_string() == directory)?;
        (plain && media::is_safe_directory(policy.policy.saved_directory())).then_some(uuid)
    }

    /// Saving a VM again and again under new names would fill the host's disk.
    fn insist_on_room(&self, call: &Call<'_>, path: &Path, needed: &[Need]) -> Result<(), Fault> {
        let entries = path.parent().and_then(|directory| std::fs::read_dir(directory).ok());
        let others = entries.into_iter().flatten().flatten().filter(|entry| entry.path() != path);
        if others.take(SAVED_STATES).count() < SAVED_STATES {
            return Ok(());
        }
        let why = format!(
            "the VM has {SAVED_STATES} saved states, save over one of them or ask an administrator to remove some"
        );
        Err(self.forbidden(call, &why, needed.to_vec()))
    }

    /// libvirt does not make directories. Should this fail, its own error says so.
    fn make_saved_directory(&self, vm: Uuid) {
        let policy = self.gate.monitor.policy();
        let directory: &Path = policy.policy.saved_directory();
        let _exists = std::fs::DirBuilder::new().mode(0o700).create(directory.join(vm.to_string()));
    }
}

/// Who wrote the definition that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// libvirt, when it saved the VM.
    Libvirt,
    /// The client.
    Client,
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

fn elsewhere(path: &str) -> String {
    format!("`{path}` is not in the VM's own directory of saved states, see `virtwarden vm show`")
}
