// SPDX-License-Identifier: Apache-2.0
//! Virtual networks: what a definition reaches decides what it needs, and no two information domains meet.

use virtwarden_core::object::Object;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::definition::DefinitionError;
use virtwarden_core::xml::network::{NetworkDefinition, changes, update};
use virtwarden_core::xml::reach::Reach;

use super::{needs, rights, row, spelled, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};
use crate::gate::question;
use crate::gate::turns::Matter;

const NETWORK_LOOKUP_BY_NAME: u32 = 46;
const NETWORK_GET_XML_DESC: u32 = 43;
const INACTIVE: u32 = 1;
/// `VIR_NETWORK_UPDATE_COMMAND_DELETE`: what is taken out meets nothing.
const DELETE: u32 = 2;

impl Connection {
    /// NETWORK_DEFINE_XML and NETWORK_CREATE_XML: 5, and 7 where it reaches a physical device.
    pub(super) fn judge_network(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let read = NetworkDefinition::parse(call.required("xml")?);
        let proposed = read.map_err(|error| self.unreadable(call, &error))?;
        let object = Object::Network(proposed.name().to_owned());
        let needed = needs([row(Function::ConfigureNetworks)], &object);
        if !self.may(call, &needed) {
            return Ok(Forward::from(needed));
        }
        let turn = self.take_turn_at(Matter::Networks)?;
        let present = self.present_network(call, &proposed)?;
        let changes = changes(present.as_ref(), &proposed);
        let mut needed =
            needs([row(Function::ConfigureNetworks)].into_iter().chain(rights(&changes)), &object);
        if let Some(present) = present.as_ref().filter(|present| present.name() != proposed.name()) {
            let renamed = Object::Network(present.name().to_owned());
            needed.extend(needs([row(Function::ConfigureNetworks)], &renamed));
        }
        if self.may(call, &needed) {
            let uuid = proposed.uuid().or_else(|| present.as_ref()?.uuid());
            self.insist_on_apartness(call, (proposed.name(), uuid), &[Reach::of(&proposed)], &needed)?;
        }
        let replaced = vec![("xml", spelled(proposed.root()))];
        Ok(Forward { detail: summary(&changes), replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// NETWORK_CREATE: the definition was judged when it was made, and is judged again by the rules of today.
    pub(super) fn judge_network_start(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (object, replaced) = self.object_of_named(call)?;
        let needed = needs([row(Function::ConfigureNetworks)], &object);
        if !self.may(call, &needed) {
            return Ok(Forward { replaced, ..Forward::from(needed) });
        }
        let turn = self.take_turn_at(Matter::Networks)?;
        self.insist_on_apartness_of(call, &object, |reach| reach, &needed)?;
        Ok(Forward { replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// NETWORK_UPDATE: one section of a network.
    pub(super) fn judge_network_update(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (object, mut replaced) = self.object_of_named(call)?;
        let section = call.arguments.number("section").unwrap_or(u32::MAX);
        let (element, changes) = update(section, call.required("xml")?)
            .map_err(|error| self.unreadable(call, &DefinitionError::Xml(error)))?;
        let mut wanted = rights(&changes);
        wanted.push(row(Function::ConfigureNetworks));
        wanted.dedup();
        replaced.push(("xml", spelled(&element)));
        let needed = needs(wanted, &object);
        let mut turn = None;
        if self.may(call, &needed) && call.arguments.number("command") != Some(DELETE) {
            turn = Some(self.take_turn_at(Matter::Networks)?);
            self.insist_on_apartness_of(call, &object, |reach| reach.with(&element), &needed)?;
        }
        Ok(Forward { detail: summary(&changes), replaced, turn, ..Forward::from(needed) })
    }

    /// The network of today with this UUID, or else of this name.
    fn present_network(
        &mut self,
        call: &Call<'_>,
        proposed: &NetworkDefinition,
    ) -> Result<Option<NetworkDefinition>, Fault> {
        let by_uuid = proposed.uuid().map(|uuid| (question::NETWORK_LOOKUP_BY_UUID, Value::Uuid(uuid)));
        let by_name = (NETWORK_LOOKUP_BY_NAME, Value::Text(proposed.name().to_owned().into()));
        for (number, key) in by_uuid.into_iter().chain([by_name]) {
            let answer = match self.ask(number, &[key]) {
                Err(Fault::Theirs(_)) => continue,
                other => other?,
            };
            let values = answer.values()?;
            let found = values.first().and_then(|value| Handle::from_value(HandleKind::Network, value));
            let Some(Handle::Network(network)) = found else { continue };
            let own = needs([row(Function::ConfigureNetworks)], &Object::Network(network.name.to_owned()));
            if !self.may(call, &own) {
                // Before anything is read of it: another network's definition is not his to know.
                return Err(self.permit(call, own).err().unwrap_or_else(gone));
            }
            let handle =
                Value::Record(vec![Value::Text(network.name.to_owned().into()), Value::Uuid(network.uuid)]);
            let text = self.ask(NETWORK_GET_XML_DESC, &[handle, Value::Unsigned(INACTIVE)])?.text("xml")?;
            return NetworkDefinition::parse(text).map(Some).map_err(|error| self.unreadable(call, &error));
        }
        Ok(None)
    }
}

/// The policy changed in between.
fn gone() -> Fault {
    Fault::Failed(code::ACCESS_DENIED, "access denied: the policy has just changed, try again".to_owned())
}
