// SPDX-License-Identifier: Apache-2.0
//! Starting a VM: what starts is its definition, or a saved state with a definition of its own.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Form, changes_from_any};
use virtwarden_core::xml::definition::Definition;

use super::bounds::Judged;
use super::medium::{Comes, Occasion, coming};
use super::present::{Present, handle_of};
use super::{flagged, needs, rights, row, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::moving::Moves;
use crate::gate::upstream::Access;

const DOMAIN_HAS_MANAGED_SAVE_IMAGE: u32 = 183;
const DOMAIN_MANAGED_SAVE_GET_XML_DESC: u32 = 388;
/// Throw a saved state away and start afresh.
const FORCE_BOOT: u32 = 8;

/// `VIR_DOMAIN_START_*`: start paused, destroy with the link, force boot, reset NVRAM.
pub(super) const START_FLAGS: [(u32, Right); 4] = [
    (1, row(Function::Suspend)),
    (2, row(Function::Stop)),
    (FORCE_BOOT, row(Function::Suspend)),
    (32, row(Function::ConfigureVms)),
];

impl Connection {
    /// The definition that starts is bound by the rules that bind everybody; a saved state is judged as
    /// if what it brings were being configured now.
    pub(super) fn judge_start(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let turn = self.take_turn(vm.uuid)?;
        let object = Object::Vm(vm.clone());
        let mut wanted = vec![row(Function::Start)];
        wanted.extend(flagged(call.flag_bits(), &START_FLAGS));
        if !self.may(call, &needs([Right::View], &object)) {
            return Ok(Forward { replaced, ..Forward::from(needs(wanted, &object)) });
        }
        let present = self.present(&vm)?;
        let mut needed = needs(wanted, &object);
        let mut detail = String::new();
        let mut first = None;
        let media;
        match self.managed_save(call, &vm)? {
            Some(saved) => {
                needed.extend(needs([row(Function::Resume)], &object));
                let changes = self.changes_from_present(&present, &saved);
                needed.extend(needs(rights(&changes), &object));
                media = self.media_again(call, (&vm, &present), &[&saved], &changes, &mut needed)?;
                self.insist_on_bounds(call, &saved.facts(), Judged::Known(&vm), &needed)?;
                detail = summary(&changes);
            }
            None => {
                let stored = self.with_filter(call, &present.stored, &vm)?;
                self.insist_on_bounds(call, &stored.facts(), Judged::Known(&vm), &needed)?;
                media = self.media_again(call, (&vm, &present), &[&present.stored], &[], &mut needed)?;
                if stored.facts().redirection != present.stored.facts().redirection {
                    // It was defined past us, or before today's rules: what it says otherwise stays as it is.
                    detail = "completed: filter of USB redirection".to_owned();
                    first = Some(stored.write().into());
                }
            }
        }
        Ok(Forward { detail, replaced, first, media, turn: Some(turn), ..Forward::from(needed) })
    }

    /// Every medium in definitions that come into force: where it was when that was written says nothing of
    /// where it is now, and the policy may be another.
    pub(super) fn media_again(
        &self,
        call: &Call<'_>,
        (vm, present): (&Vm, &Present),
        definitions: &[&Definition],
        changes: &[Change],
        needed: &mut Vec<Need>,
    ) -> Result<Moves, Fault> {
        let object = Object::Vm(vm.clone());
        let occasion = Occasion::Start(Some(&present.stored));
        let carried = definitions.iter().flat_map(|definition| definition.facts().media);
        let judged = self.judge_media(call, (vm, &object), carried.chain(coming(changes)), occasion)?;
        needed.extend(self.media_needs(call, changes, &judged, &object)?);
        needed.extend(judged.needs.iter().cloned());
        self.insist_on_access(call, &judged)?;
        Ok(self.moving(vm, &[], judged, Comes::Start))
    }

    /// What a state that libvirt wrote changes in a VM of today.
    pub(super) fn changes_from_present(&self, present: &Present, written: &Definition) -> Vec<Change> {
        changes_from_any(&present.all(), written, Form::Running)
    }

    /// The definition in the managed save, if the call would start from it.
    fn managed_save(&mut self, call: &Call<'_>, vm: &Vm) -> Result<Option<Definition>, Fault> {
        if call.flag_bits() & FORCE_BOOT != 0 {
            return Ok(None);
        }
        let answer = self.ask(DOMAIN_HAS_MANAGED_SAVE_IMAGE, &[handle_of(vm), Value::Unsigned(0)])?;
        if answer.values()?.first() == Some(&Value::Int(0)) {
            return Ok(None);
        }
        self.managed_save_definition(call, vm).map(Some)
    }

    /// The definition in the managed save.
    pub(super) fn managed_save_definition(&mut self, call: &Call<'_>, vm: &Vm) -> Result<Definition, Fault> {
        let secure = match self.access {
            Access::Full => 1,
            Access::ReadOnly => 0,
        };
        let question = [handle_of(vm), Value::Unsigned(secure)];
        let text = self.ask(DOMAIN_MANAGED_SAVE_GET_XML_DESC, &question)?.text("xml")?;
        self.read_definition(call, &text)
    }
}
