// SPDX-License-Identifier: Apache-2.0
//! The rules that bind everybody, applied to what a VM is about to be.

use virtwarden_core::object::Assignment;
use virtwarden_core::policy::request::Need;
use virtwarden_core::xml::definition::{Definition, DefinitionError};
use virtwarden_core::xml::element::{Element, Node};
use virtwarden_core::xml::facts::Facts;

use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

impl Connection {
    /// Refuses what no role can have: a network of another information domain, a raw door that is shut.
    pub(super) fn insist_on_bounds(
        &mut self,
        call: &Call<'_>,
        facts: &Facts,
        assignment: Option<&Assignment>,
        needs: &[Need],
    ) -> Result<(), Fault> {
        let networks = self.networks_of(&facts.links)?;
        let policy = self.gate.monitor.policy();
        let violation = policy.policy.check(facts, assignment, &networks).err();
        violation
            .map_or(Ok(()), |violation| Err(self.forbidden(call, &violation.to_string(), needs.to_vec())))
    }

    /// Reads a definition of the client's.
    pub(super) fn read_definition(&self, call: &Call<'_>, text: &str) -> Result<Definition, Fault> {
        Definition::parse(text).map_err(|error| self.unreadable(call, &error))
    }

    /// XML that is outside what we understand is refused, with its place.
    pub(super) fn unreadable(&self, call: &Call<'_>, error: &DefinitionError) -> Fault {
        self.malformed(&call.subject, call.procedure.name, &error.to_string())
    }
}

/// The facts of a definition with one more device.
pub(super) fn facts_with(definition: &Definition, device: &Element) -> Facts {
    let mut root = definition.root().clone();
    let devices = root.children.iter_mut().find_map(|node| match node {
        Node::Element(element) if element.is("devices") => Some(element),
        Node::Element(_) | Node::Text(_) => None,
    });
    match devices {
        Some(devices) => devices.children.push(Node::Element(device.clone())),
        None => root.children.push(Node::Element(Element::new("devices").holding(device.clone()))),
    }
    Facts::of(&root)
}
