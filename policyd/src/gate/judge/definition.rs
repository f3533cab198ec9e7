// SPDX-License-Identifier: Apache-2.0
//! Defining and creating VMs: judged by what differs from what the VM is now.

use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::policy::quota::Allowance;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Form, changes};
use virtwarden_core::xml::complete::{Completed, complete};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::reference::Carried;

use super::bounds::Judged;
use super::medium::{Comes, Occasion, coming};
use super::present::Present;
use super::start::START_FLAGS;
use super::{flagged, needs, rights, row, spelled, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::pending::Chore;
use crate::gate::turns::Turn;
use crate::templates;

impl Connection {
    /// DOMAIN_DEFINE_XML: a new VM, or another definition for the one with the same UUID.
    pub(super) fn judge_define(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let definition = self.read_definition(call, call.required("xml")?)?;
        self.judge_definition(call, "xml", &definition, vec![row(Function::ConfigureVms)])
    }

    /// DOMAIN_CREATE_XML: as defining, and it starts at once.
    pub(super) fn judge_create(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let definition = self.read_definition(call, call.required("xml_desc")?)?;
        let mut wanted = vec![row(Function::ConfigureVms), row(Function::Start)];
        wanted.extend(flagged(call.flag_bits(), &START_FLAGS));
        self.judge_definition(call, "xml_desc", &definition, wanted)
    }

    fn judge_definition(
        &mut self,
        call: &Call<'_>,
        argument: &'static str,
        definition: &Definition,
        mut wanted: Vec<Right>,
    ) -> Result<Forward, Fault> {
        if !self.may(call, &needs([row(Function::ConfigureVms)], &Object::Host)) {
            if let Some(forward) = self.judge_media_alone(call, argument, definition, &wanted)? {
                return Ok(forward);
            }
            let needed = self.needs_at_first_sight(definition, wanted);
            return Ok(Forward { detail: format!("VM `{}`", definition.name()), ..Forward::from(needed) });
        }
        let mut turn = self.turn_of(definition)?;
        let present = self.find_vm(definition.uuid(), definition.name())?;
        if let (None, Some(vm)) = (&turn, &present) {
            turn = Some(self.take_turn(vm.uuid)?);
        }
        let object = present.clone().map_or(Object::Host, Object::Vm);
        let own = needs([row(Function::ConfigureVms)], &object);
        if !self.may(call, &own) {
            // What it is now tells nothing then, neither in an answer nor by an error.
            return Ok(Forward { detail: format!("VM `{}`", definition.name()), ..Forward::from(own) });
        }
        let (definition, completed) = match &present {
            None => self.completed(call, definition, &own)?,
            Some(_) => (definition.clone(), String::new()),
        };
        let definition = &definition;
        let state = present.as_ref().map(|vm| self.present(vm)).transpose()?;
        let differences = changes(state.as_ref().map(|state| &state.stored), definition, Form::Stored);
        wanted.extend(rights(&differences));
        wanted.sort_unstable();
        wanted.dedup();
        let starts = wanted.contains(&row(Function::Start));
        let expected = self.newcomer(definition).filter(|_| present.is_none()).cloned();
        let vm = present.clone().or_else(|| expected.clone()).unwrap_or_else(|| newcomer(definition));
        let definition = &self.with_filter(call, definition, &vm)?;
        let mut needed = needs(wanted, &object);
        let judged = self.judge_media(
            call,
            (&vm, &object),
            fresh(definition, state.as_ref(), &differences),
            Occasion::Asked,
        )?;
        needed.extend(self.media_needs(call, &differences, &judged, &object)?);
        needed.extend(Self::needs_of_absent(&judged, &object));
        needed.extend(judged.needs.iter().cloned());
        self.insist_on_access(call, &judged)?;

        let facts = definition.facts();
        let known = present.as_ref().or(expected.as_ref());
        self.insist_on_bounds(call, &facts, Judged::of(known, definition), &needed)?;
        let quota = self.insist_on_quota(call, known.map(|vm| vm.uuid), &facts, &needed)?;
        let turn = Turn::both(turn, quota);
        if self.may(call, &needed) {
            needed.extend(self.disk_needs(call, present.as_ref().zip(state.as_ref()), &facts, &object)?);
        }
        let whose = (Judged::of(known, definition), state.as_ref());
        let turn = Turn::both(turn, self.insist_on_own_media(call, whose, &facts, &needed)?);
        if let (None, Some(uuid), true) = (known, definition.uuid(), self.may(call, &needed)) {
            self.gate.monitor.forget(&call.subject, uuid);
        }
        Ok(Forward {
            detail: format!("VM `{}`: {}{completed}", definition.name(), summary(&differences)),
            replaced: vec![(argument, spelled(definition.root()))],
            first: None,
            chore: self.chore_of_creation(call, known),
            media: self.moving(&vm, &differences, judged, if starts { Comes::Start } else { Comes::Later }),
            turn,
            needs: needed,
        })
    }

    /// Whoever may connect media may also put one into a drive by defining the VM again with nothing but that
    /// changed, as virt-manager does. None if it is anything else.
    fn judge_media_alone(
        &mut self,
        call: &Call<'_>,
        argument: &'static str,
        definition: &Definition,
        wanted: &[Right],
    ) -> Result<Option<Forward>, Fault> {
        let Some(uuid) = definition.uuid().filter(|_| wanted == [row(Function::ConfigureVms)]) else {
            return Ok(None);
        };
        let object = self.gate.monitor.vm(uuid, definition.name());
        let own = needs([Right::View, row(Function::ConnectRemovable)], &object);
        if !self.may(call, &own) {
            return Ok(None);
        }
        let turn = self.take_turn(uuid)?;
        let Some(vm) = self.find_vm(Some(uuid), definition.name())?.filter(|vm| vm.uuid == uuid) else {
            return Ok(None);
        };
        let object = Object::Vm(vm.clone());
        let state = self.present(&vm)?;
        let differences = changes(Some(&state.stored), definition, Form::Stored);
        if differences.is_empty() || differences.iter().any(|change| change.medium.is_none()) {
            return Ok(None);
        }
        let judged = self.judge_media(
            call,
            (&vm, &object),
            fresh(definition, Some(&state), &differences),
            Occasion::Asked,
        )?;
        let mut needed = needs(rights(&differences), &object);
        needed.extend(self.media_needs(call, &differences, &judged, &object)?);
        needed.extend(judged.needs.iter().cloned());
        self.insist_on_access(call, &judged)?;
        let facts = definition.facts();
        self.insist_on_bounds(call, &facts, Judged::Known(&vm), &needed)?;
        let whose = (Judged::Known(&vm), Some(&state));
        let turn = turn.and(self.insist_on_own_media(call, whose, &facts, &needed)?);
        Ok(Some(Forward {
            detail: format!("VM `{}`: {}", definition.name(), summary(&differences)),
            replaced: vec![(argument, spelled(definition.root()))],
            media: self.moving(&vm, &differences, judged, Comes::Later),
            turn: Some(turn),
            ..Forward::from(needed)
        }))
    }

    /// A new VM's definition with what it says nothing of, and which that is. Row 4.
    fn completed(
        &self,
        call: &Call<'_>,
        definition: &Definition,
        own: &[Need],
    ) -> Result<(Definition, String), Fault> {
        let name = self.gate.template();
        let template = name.map(|name| templates::read(&templates::PLACES, &name)).transpose();
        let template = template.map_err(|why| self.forbidden(call, &why, own.to_vec()))?;
        let Completed { root, added } = complete(definition, template.as_ref());
        let definition = Definition::new(root).map_err(|error| self.unreadable(call, &error))?;
        let words =
            if added.is_empty() { String::new() } else { format!("; completed: {}", added.join(", ")) };
        Ok((definition, words))
    }

    /// The definition with the filter that follows from the policy, where USB devices can be redirected.
    pub(super) fn with_filter(
        &self,
        call: &Call<'_>,
        definition: &Definition,
        vm: &Vm,
    ) -> Result<Definition, Fault> {
        let policy = self.gate.monitor.policy();
        let filter = policy.policy.redirection(vm.assignment.as_deref());
        Definition::new(filter.put_into(definition.root())).map_err(|error| self.unreadable(call, &error))
    }

    /// For who may not configure any VM: refused without asking libvirtd what there is.
    fn needs_at_first_sight(&self, definition: &Definition, wanted: Vec<Right>) -> Vec<Need> {
        let changes = changes(None, definition, Form::Stored);
        needs(wanted.into_iter().chain(rights(&changes)), &Object::Host)
    }

    fn turn_of(&mut self, definition: &Definition) -> Result<Option<Turn>, Fault> {
        definition.uuid().map(|uuid| self.take_turn(uuid)).transpose()
    }

    /// Who creates a VM under a quota owns it. What others create belongs to nobody until it is assigned.
    fn chore_of_creation(&self, call: &Call<'_>, present: Option<&Vm>) -> Option<Chore> {
        let policy = self.gate.monitor.policy();
        match (present, policy.policy.quota(&call.subject)) {
            (None, Allowance::Within(_)) => Some(Chore::Adopt),
            (None, Allowance::Nothing | Allowance::Unlimited) | (Some(_), _) => None,
        }
    }
}

/// What the VM does not have yet.
fn fresh(definition: &Definition, present: Option<&Present>, differences: &[Change]) -> Vec<Carried> {
    let known: Vec<_> =
        present.iter().flat_map(|present| present.all()).flat_map(|d| d.facts().media).collect();
    let is_new = |carried: &Carried| !known.iter().any(|there| there.reference == carried.reference);
    definition.facts().media.into_iter().filter(is_new).chain(coming(differences)).collect()
}

/// A VM that there is not yet: it is in no information domain.
fn newcomer(definition: &Definition) -> Vm {
    let uuid = definition.uuid().unwrap_or(Uuid([0; 16]));
    Vm { uuid, name: definition.name().to_owned(), assignment: None }
}
