// SPDX-License-Identifier: Apache-2.0
//! VMs that leave this host or come to it: an Administrator's matter, and every definition in it is judged.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Form, changes, changes_from_any};
use virtwarden_core::xml::definition::Definition;

use super::bounds::Judged;
use super::{needs, rights, row, spelled};
use crate::gate::call::{Call, Forward, Replaced, on_host};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::listed::owned;

/// Arguments, and typed parameters, that hold a definition.
const ARGUMENTS: [&str; 2] = ["xmlin", "dom_xml"];
const PARAMETERS: [&str; 2] = ["destination_xml", "persistent_xml"];

impl Connection {
    /// The source's side: 3 and Administer, and what the definition for the other host changes.
    pub(super) fn judge_migration_out(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, mut replaced) = self.vm_of(call)?;
        let object = Object::Vm(vm.clone());
        let mut needed = needs([row(Function::ConfigureVms), Right::Administer], &object);
        if !self.may(call, &needed) {
            return Ok(Forward { replaced, ..Forward::from(needed) });
        }
        let turn = self.take_turn(vm.uuid)?;
        let present = self.present(&vm)?;
        let carried = self.carried(call)?;
        for (_, definition) in &carried {
            let changes = changes_from_any(&present.all(), definition, Form::Running);
            needed.extend(needs(rights(&changes), &object));
        }
        replaced.extend(rewritten(call, &carried));
        Ok(Forward { replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// The destination's side: 3, 22 and Administer, and all that the definition holds.
    pub(super) fn judge_migration_in(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let wanted = [row(Function::ConfigureVms), row(Function::Start), Right::Administer];
        let mut needed: Vec<Need> = wanted.into_iter().map(on_host).collect();
        if !self.may(call, &needed) {
            return Ok(Forward::from(needed));
        }
        let carried = self.carried(call)?;
        for (_, definition) in &carried {
            let changes = changes(None, definition, Form::Stored);
            needed.extend(needs(rights(&changes), &Object::Host));
            self.insist_on_bounds(call, &definition.facts(), Judged::New(definition.name()), &needed)?;
        }
        Ok(Forward { replaced: rewritten(call, &carried), ..Forward::from(needed) })
    }

    fn carried(&self, call: &Call<'_>) -> Result<Vec<(&'static str, Definition)>, Fault> {
        let mut carried = Vec::new();
        for name in ARGUMENTS {
            if let Some(text) = call.arguments.text(name) {
                carried.push((name, self.read_definition(call, text)?));
            }
        }
        for name in PARAMETERS {
            if let Some(text) = call.parameter(name)? {
                carried.push((name, self.read_definition(call, text)?));
            }
        }
        Ok(carried)
    }
}

/// The call with every definition as we write it.
fn rewritten(call: &Call<'_>, carried: &[(&'static str, Definition)]) -> Replaced {
    let mut replaced = Vec::new();
    let mut parameters = call.arguments.value("params").cloned().map(owned);
    for (name, definition) in carried {
        match (ARGUMENTS.contains(name), &mut parameters) {
            (true, _) => replaced.push((*name, spelled(definition.root()))),
            (false, Some(parameters)) => set(parameters, name, &spelled(definition.root())),
            (false, None) => {}
        }
    }
    replaced.extend(parameters.map(|parameters| ("params", parameters)));
    replaced
}

/// The typed parameters of a call with one of them replaced.
pub(super) fn with_parameter(call: &Call<'_>, name: &str, value: Value<'static>) -> Value<'static> {
    let mut parameters = call.arguments.value("params").cloned().map_or(Value::List(Vec::new()), owned);
    set(&mut parameters, name, &value);
    parameters
}

fn set(parameters: &mut Value<'static>, name: &str, value: &Value<'static>) {
    let Value::List(list) = parameters else { return };
    for parameter in list {
        if let Value::Record(parts) = parameter
            && let [known, held] = parts.as_mut_slice()
            && known.as_text() == Some(name)
        {
            *held = value.clone();
        }
    }
}
