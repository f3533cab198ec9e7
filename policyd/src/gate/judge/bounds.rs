// SPDX-License-Identifier: Apache-2.0
//! The rules that bind everybody, applied to what a VM is about to be.

use virtwarden_core::object::{Assignment, Vm};
use virtwarden_core::policy::request::Need;
use virtwarden_core::policy::sharing::Member;
use virtwarden_core::xml::definition::{Definition, DefinitionError};
use virtwarden_core::xml::element::{Element, Node};
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::plug::{Act, is_same_device};

use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

/// Whose definition is judged.
#[derive(Clone, Copy)]
pub(super) enum Judged<'a> {
    /// A VM that is there.
    Known(&'a Vm),
    /// One that is about to be made, by its name.
    New(&'a str),
}

impl<'a> Judged<'a> {
    /// The VM if it is there, else what will be made.
    pub(super) fn of(present: Option<&'a Vm>, definition: &'a Definition) -> Self {
        present.map_or(Judged::New(definition.name()), Judged::Known)
    }

    fn assignment(self) -> Option<&'a Assignment> {
        match self {
            Judged::Known(vm) => vm.assignment.as_deref(),
            Judged::New(_) => None,
        }
    }

    pub(super) fn member(self) -> Member<'a> {
        match self {
            Judged::Known(vm) => Member::from(vm),
            Judged::New(name) => Member::new(name),
        }
    }
}

impl Connection {
    /// Refuses what no role can have: a network of another information domain, a raw door that is shut, a
    /// channel that nobody opened.
    pub(super) fn insist_on_bounds(
        &mut self,
        call: &Call<'_>,
        facts: &Facts,
        vm: Judged<'_>,
        needs: &[Need],
    ) -> Result<(), Fault> {
        let networks = self.networks_of(&facts.links)?;
        let policy = self.gate.monitor.policy();
        let violation = policy.policy.check(facts, vm.assignment(), &networks).map_err(|v| v.to_string());
        let openings = self.gate.monitor.sharing().openings();
        let undeclared =
            || openings.check(vm.member(), &facts.uses).map_err(|undeclared| undeclared.to_string());
        violation.and_then(|()| undeclared()).map_err(|why| self.forbidden(call, &why, needs.to_vec()))
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

/// The facts of a definition with one more device, or with it in the place of the one that it updates.
pub(super) fn facts_with(definition: &Definition, device: &Element, act: Act) -> Facts {
    let mut root = definition.root().clone();
    let updated = |node: &Node| match node {
        Node::Element(present) => act == Act::Update && is_same_device(device, present),
        Node::Text(_) => false,
    };
    let devices = root.children.iter_mut().find_map(|node| match node {
        Node::Element(element) if element.is("devices") => Some(element),
        Node::Element(_) | Node::Text(_) => None,
    });
    match devices {
        Some(devices) => {
            devices.children.retain(|node| !updated(node));
            devices.children.push(Node::Element(device.clone()));
        }
        None => root.children.push(Node::Element(Element::new("devices").holding(device.clone()))),
    }
    Facts::of(&root)
}
