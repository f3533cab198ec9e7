// SPDX-License-Identifier: Apache-2.0
//! Titles, descriptions and applications' notes. What says whose VM it is, is not for everybody to write.

use virtwarden_core::object::Object;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::definition::DefinitionError;
use virtwarden_core::xml::metadata::needs_for;
use virtwarden_core::xml::strict;

use super::{need, row, spelled};
use crate::gate::call::{Call, Forward, Replaced};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

/// `VIR_DOMAIN_METADATA_ELEMENT`: the value is XML under a namespace.
const ELEMENT: i32 = 2;

impl Connection {
    /// DOMAIN_SET_METADATA.
    pub(super) fn judge_metadata(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let turn = self.take_turn(vm.uuid)?;
        let forward = self.metadata_on(call, &Object::Vm(vm), Function::ConfigureVms, replaced)?;
        Ok(Forward { turn: Some(turn), ..forward })
    }

    /// NETWORK_SET_METADATA.
    pub(super) fn judge_network_metadata(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (object, replaced) = self.object_of_named(call)?;
        self.metadata_on(call, &object, Function::ConfigureNetworks, replaced)
    }

    fn metadata_on(
        &self,
        call: &Call<'_>,
        object: &Object,
        function: Function,
        mut replaced: Replaced,
    ) -> Result<Forward, Fault> {
        let mut needed =
            vec![need(row(function), object), need(needs_for(call.arguments.text("uri")), object)];
        needed.dedup();
        let is_element = call.arguments.value("type") == Some(&Value::Int(ELEMENT));
        if let (true, Some(text)) = (is_element, call.arguments.text("metadata")) {
            let parsed = strict::parse(text);
            let element = parsed.map_err(|error| self.unreadable(call, &DefinitionError::Xml(error)))?;
            if let Some(namespace) = &element.namespace {
                needed.push(need(needs_for(Some(&namespace.uri)), object));
            }
            replaced.push(("metadata", spelled(&element)));
        }
        Ok(Forward { replaced, ..Forward::from(needed) })
    }
}
