// SPDX-License-Identifier: Apache-2.0
//! The definition in a saved state: read under its VM's turn, judged as if it were being configured now.

use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::policy::request::Right;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::change::{Form, changes};
use virtwarden_core::xml::definition::Definition;

use super::bounds::Judged;
use super::saved::SECURE;
use super::{need, needs, rights, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};
use crate::gate::moving::Moves;
use crate::gate::turns::Turn;

const DOMAIN_SAVE_IMAGE_GET_XML_DESC: u32 = 235;

/// An image that nobody saves over while it is judged.
pub(super) struct Image<'a> {
    path: &'a str,
    pub(super) definition: Definition,
    /// The VM that it names, if there is one.
    present: Option<Vm>,
    turn: Option<Turn>,
}

/// Who wrote the definition that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// libvirt, when it saved the VM.
    Libvirt,
    /// The client.
    Client,
}

impl Connection {
    /// Takes the turn first, then reads: who saves a VM over its image holds the same turn. Where the path
    /// does not tell whose image it is, the image does, and is read again under the turn that it names.
    pub(super) fn image<'a>(&mut self, call: &Call<'_>, path: &'a str) -> Result<Image<'a>, Fault> {
        let image = self.image_under(call, path, self.saved_vm(path))?;
        match image.turn_is_right() {
            Ok(()) => return Ok(image),
            Err(right) => {
                drop(image);
                let again = self.image_under(call, path, right)?;
                if again.turn_is_right().is_ok() {
                    return Ok(again);
                }
            }
        }
        Err(Fault::Failed(code::BUSY, format!("`{path}` is being written over, try again")))
    }

    /// Only to be asked once the place is known to be the subject's.
    fn image_under<'a>(
        &mut self,
        call: &Call<'_>,
        path: &'a str,
        vm: Option<Uuid>,
    ) -> Result<Image<'a>, Fault> {
        let turn = vm.map(|vm| self.take_turn(vm)).transpose()?;
        let question = [Value::Text(path.to_owned().into()), Value::Unsigned(SECURE)];
        let text = self.ask(DOMAIN_SAVE_IMAGE_GET_XML_DESC, &question)?.text("xml")?;
        let definition = self.read_definition(call, &text)?;
        let present = self.find_vm(definition.uuid(), definition.name())?;
        Ok(Image { path, definition, present, turn })
    }

    /// An image is judged against the VM that its definition names, as that VM is now.
    pub(super) fn judge_image(
        &mut self,
        call: &Call<'_>,
        image: Image<'_>,
        proposed: &Definition,
        source: Source,
        wanted: Vec<Right>,
    ) -> Result<Forward, Fault> {
        let Image { path, definition: image, present, mut turn } = image;
        let object = present.clone().map_or(Object::Host, Object::Vm);
        let same = image.uuid() == proposed.uuid() && image.uuid() == present.as_ref().map(|vm| vm.uuid);
        let mut needed = needs(wanted, &object);
        if !same || self.saved_vm(path) != image.uuid() {
            needed.push(need(Right::Administer, &object));
        }
        let changes = match (&present, source) {
            (Some(vm), Source::Libvirt) if image == *proposed => {
                let present = self.present(vm)?;
                self.changes_from_present(&present, &image)
            }
            (Some(vm), _) => {
                let present = self.present(vm)?;
                let mut all = self.changes_from_present(&present, &image);
                all.extend(changes(Some(&image), proposed, Form::Stored));
                all
            }
            (None, _) => changes(None, proposed, Form::Stored),
        };
        let mut media = Moves::default();
        match &present {
            Some(vm) => {
                let state = self.present(vm)?;
                needed.extend(needs(rights(&changes), &object));
                media = self.media_again(call, (vm, &state), &[proposed], &changes, &mut needed)?;
            }
            None => needed.extend(self.needs_of_changes(call, &changes, &object)?),
        }
        self.insist_on_bounds(call, &proposed.facts(), Judged::of(present.as_ref(), proposed), &needed)?;
        if let Some(vm) = &present {
            let state = self.present(vm)?;
            let quota = self.means(call, vm, &state, proposed, &mut needed)?;
            turn = turn.map(|turn| turn.and(quota));
        }
        let detail = format!("`{path}`: VM `{}`: {}", image.name(), summary(&changes));
        Ok(Forward { detail, media, turn, ..Forward::from(needed) })
    }
}

impl Image<'_> {
    /// Whether the turn is that of the VM that is there. If not: which one is.
    fn turn_is_right(&self) -> Result<(), Option<Uuid>> {
        let right = self.present.as_ref().map(|vm| vm.uuid);
        match (&self.turn, right) {
            // Nothing is there yet that could change; the path's own turn does no harm.
            (_, None) => Ok(()),
            (Some(turn), Some(vm)) if turn.is_of(vm) => Ok(()),
            (_, Some(_)) => Err(right),
        }
    }
}
