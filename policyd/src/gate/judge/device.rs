// SPDX-License-Identifier: Apache-2.0
//! One device attached, updated or detached: what it is decides what it needs.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::Need;
use virtwarden_core::xml::definition::DefinitionError;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::plug::{Act, Lasting, alias_change, device_change};
use virtwarden_core::xml::reference::carried;
use virtwarden_core::xml::strict;

use super::bounds::{Judged, facts_with};
use super::medium::{Comes, JudgedMedia, Occasion};
use super::present::Present;
use super::{needs, rights, spelled, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

impl Connection {
    /// A device given as XML, judged against every definition that the call touches.
    pub(super) fn judge_device(&mut self, call: &Call<'_>, act: Act) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let text = call.required("xml")?;
        let element =
            strict::parse(text).map_err(|error| self.unreadable(call, &DefinitionError::Xml(error)))?;
        let mut turn = self.take_turn(vm.uuid)?;
        let present = self.present(&vm)?;
        let affected = present.affected(affects(call));
        let lasting = lasting(call, &present);
        let changes: Vec<_> =
            affected.iter().flat_map(|current| device_change(act, lasting, &element, current)).collect();

        let object = Object::Vm(vm.clone());
        let named = if act == Act::Detach { Vec::new() } else { carried(&element) };
        let judged = self.judge_media(call, (&vm, &object), named, Occasion::Asked)?;
        let mut needed = needs(rights(&changes), &object);
        needed.extend(self.media_needs(call, &changes, &judged, &object)?);
        if lasting == Lasting::Stored {
            needed.extend(Self::needs_of_absent(&judged, &object));
        }
        needed.extend(judged.needs.iter().cloned());
        let sent = self.device_to_send(call, &changes, &judged, &element)?;
        if act != Act::Detach {
            for current in affected {
                let facts = facts_with(current, &sent, act);
                self.insist_on_bounds(call, &facts, Judged::Known(&vm), &needed)?;
            }
        }
        let plugged = act != Act::Detach && !judged.has_media();
        if plugged && self.may(call, &needed) {
            needed.extend(self.needs_of_plugging(call, (&vm, &present), &sent, &object, &needed)?);
        }
        if act != Act::Detach {
            let vm = (Judged::Known(&vm), Some(&present));
            turn = turn.and(self.insist_on_own_media(call, vm, &alone(&sent), &needed)?);
        }
        replaced.push(("xml", spelled(&sent)));
        let detail = summary(&changes);
        let media = self.moving(&vm, &changes, judged, comes(lasting));
        Ok(Forward { detail, replaced, media, turn: Some(turn), ..Forward::from(needed) })
    }

    /// What a new device needs because of other VMs: it may be another's disk, or memory beyond the quota.
    fn needs_of_plugging(
        &mut self,
        call: &Call<'_>,
        present: (&Vm, &Present),
        device: &Element,
        object: &Object,
        needed: &[Need],
    ) -> Result<Vec<Need>, Fault> {
        if device.is("memory") && self.is_under_quota(call) {
            return Err(self.forbidden(call, "memory devices are not counted by quotas", needed.to_vec()));
        }
        self.disk_needs(call, Some(present), &alone(device), object)
    }

    /// A device named by its alias, found in the VM's own definitions.
    pub(super) fn judge_alias(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let alias = call.required("alias")?;
        let turn = self.take_turn(vm.uuid)?;
        let present = self.present(&vm)?;
        let affected = present.affected(affects(call));
        let lasting = lasting(call, &present);
        let changes: Vec<_> =
            affected.into_iter().flat_map(|current| alias_change(alias, lasting, current)).collect();
        let object = Object::Vm(vm.clone());
        let mut needed = needs(rights(&changes), &object);
        needed.extend(self.media_needs(call, &changes, &JudgedMedia::default(), &object)?);
        let media = self.moving(&vm, &changes, JudgedMedia::default(), comes(lasting));
        Ok(Forward { detail: summary(&changes), replaced, media, turn: Some(turn), ..Forward::from(needed) })
    }
}

/// The facts of a device alone.
fn alone(device: &Element) -> Facts {
    Facts::of(&Element::new("domain").holding(Element::new("devices").holding(device.clone())))
}

/// Calls without flags touch the running VM.
fn affects(call: &Call<'_>) -> u32 {
    match call.arguments.value("flags") {
        Some(_) => call.flag_bits(),
        None => 1,
    }
}

/// What a VM that does not run is given, it has for its next start.
fn lasting(call: &Call<'_>, present: &Present) -> Lasting {
    match (affects(call) & 2, &present.running) {
        (0, Some(_)) => Lasting::Running,
        (_, Some(_) | None) => Lasting::Stored,
    }
}

fn comes(lasting: Lasting) -> Comes {
    match lasting {
        Lasting::Running => Comes::Now,
        Lasting::Stored => Comes::Later,
    }
}
