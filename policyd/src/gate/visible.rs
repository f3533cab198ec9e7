// SPDX-License-Identifier: Apache-2.0
//! What a subject may see: lists, counts, lookups, statistics and events agree on it.
//!
//! Who sees everything of a kind gets libvirtd's own answer, untouched. For everybody else the gate asks,
//! and answers with what is left: a hidden object looks exactly like one that does not exist.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::error::found_nothing;
use virtwarden_core::rpc::frame::Header;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::layout::Layout;
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::rule::{Judge, Rule};
use virtwarden_core::rpc::value::{self, Strings, Value};

use super::ask::Answer;
use super::call::{Call, Course, Forward, on_host};
use super::connection::Connection;
use super::fault::{Fault, code};
use crate::monitor::Refusal;

impl Connection {
    /// A lookup: what is found is judged before the client hears of it.
    pub(super) fn look_up(&mut self, call: &Call<'_>, kind: HandleKind) -> Result<Course, Fault> {
        if self.sees_all(call, kind) {
            return Ok(Course::Forward(Forward::from(vec![on_host(Right::View)])));
        }
        let answer =
            match self.ask_as(call, call.procedure, &call.arguments.encode().map_err(|_| nonsense())?) {
                Err(Fault::Theirs(_)) => return Err(hidden(call)),
                other => other?,
            };
        let values = answer.values()?;
        let handle = values.iter().find_map(|value| Handle::from_value(kind, value)).ok_or_else(nonsense)?;
        let needs = vec![self.sight_of(call, &handle)?];
        match self.gate.monitor.judge(&call.subject, call.procedure.name, needs) {
            Ok(_permit) => Ok(Course::Answer(answer.payload().to_vec())),
            Err(refusal) => Err(refused(call, refusal)),
        }
    }

    /// The object of an event, by libvirtd's own word for it.
    pub(super) fn object_of_event(&self, header: Header, payload: &[u8]) -> Option<Object> {
        let event = procedure::find(header.program, header.procedure)?;
        let Rule::Event(_) = event.rule else { return None };
        let values = value::decode_fields(event.reply, &mut Reader::new(payload), Strings::Lossy).ok()?;
        let parts = event.reply.iter().zip(&values);
        parts.into_iter().find_map(|(field, value)| self.object_within(&field.layout, value))
    }

    /// The object that a value names, itself or in its first part that names one.
    fn object_within(&self, layout: &Layout, value: &Value<'_>) -> Option<Object> {
        if let Some(kind) = layout.handle() {
            return Some(self.object_in(&Handle::from_value(kind, value)?));
        }
        let Layout::Record(record) = layout else { return None };
        let mut parts = record.fields.iter().zip(value.parts());
        parts.find_map(|(field, value)| self.object_within(&field.layout, value))
    }

    /// An object that libvirtd named: its name is true.
    pub(super) fn object_in(&self, handle: &Handle<'_>) -> Object {
        match handle {
            Handle::Vm(vm) | Handle::Snapshot(vm, _) | Handle::Checkpoint(vm, _) => {
                self.gate.monitor.vm(vm.uuid, vm.name)
            }
            Handle::Network(network) | Handle::Port(network, _) => Object::Network(network.name.to_owned()),
            Handle::Filter(filter) => Object::NetworkFilter(filter.name.to_owned()),
            Handle::Binding(port) => Object::NetworkFilter((*port).to_owned()),
            Handle::Interface(name) => Object::Interface((*name).to_owned()),
            Handle::Pool(pool) => Object::Pool(pool.name.to_owned()),
            Handle::Volume { pool, name } => {
                Object::Volume { pool: (*pool).to_owned(), name: (*name).to_owned() }
            }
            Handle::Device(name) => Object::Device((*name).to_owned()),
            Handle::Secret(uuid) => Object::Secret(*uuid),
        }
    }

    pub(super) fn permit(
        &mut self,
        call: &Call<'_>,
        needs: Vec<Need>,
    ) -> Result<crate::monitor::Attempt, Fault> {
        let judged = self.gate.monitor.judge(&call.subject, call.procedure.name, needs);
        judged.map_err(|refusal| refused(call, refusal))
    }

    /// Asks what the client asks, with arguments that were judged.
    pub(super) fn ask_as(
        &mut self,
        call: &Call<'_>,
        procedure: &'static Procedure,
        payload: &[u8],
    ) -> Result<Answer, Fault> {
        if !self.may(call, &[on_host(Right::View)]) {
            let refusal =
                self.gate.monitor.judge(&call.subject, call.procedure.name, vec![on_host(Right::View)]);
            return Err(refusal.err().map_or_else(nonsense, Fault::from));
        }
        self.ask_raw(procedure, payload)
    }

    /// Whether nothing of a kind is hidden from the subject.
    pub(super) fn sees_all(&self, call: &Call<'_>, kind: HandleKind) -> bool {
        let nameless = virtwarden_core::object::Uuid([0; 16]);
        let object = match kind {
            // A port, a binding and a lease tell of other people's VMs.
            HandleKind::Vm
            | HandleKind::Snapshot
            | HandleKind::Checkpoint
            | HandleKind::Port
            | HandleKind::Binding => self.gate.monitor.vm(nameless, ""),
            HandleKind::Network => Object::Network(String::new()),
            HandleKind::Filter => Object::NetworkFilter(String::new()),
            HandleKind::Interface => Object::Interface(String::new()),
            HandleKind::Pool => Object::Pool(String::new()),
            HandleKind::Volume => Object::Volume { pool: String::new(), name: String::new() },
            HandleKind::Device => Object::Device(String::new()),
            HandleKind::Secret => Object::Secret(nameless),
        };
        self.may(call, &[Need { right: Right::View, object }])
    }

    /// An object that libvirtd named; a VM without its name, which nobody will read.
    pub(super) fn unnamed_in(&self, handle: &Handle<'_>) -> Object {
        handle.vm().map_or_else(|| self.object_in(handle), |vm| self.gate.monitor.vm(vm.uuid, ""))
    }
}

/// A refusal as the caller sees it. Who makes something names it himself, so that he is told that he may not,
/// whether or not something of that name is there.
pub(super) fn refused(call: &Call<'_>, refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Hidden { words, .. } if makes_what_it_names(call) => Refusal::Denied(words).into(),
        Refusal::Hidden { .. } => hidden(call),
        refusal @ (Refusal::Denied(_) | Refusal::Unrecorded(_)) => refusal.into(),
    }
}

fn makes_what_it_names(call: &Call<'_>) -> bool {
    use Judge::{CreateNetwork, CreatePool, CreateVm, DefineNetwork, DefinePool, DefineVm};
    let Rule::Judged(judge) = call.procedure.rule else { return call.makes().is_some() };
    matches!(judge, CreateVm | DefineVm | CreateNetwork | DefineNetwork | CreatePool | DefinePool)
}

/// The answer to a call about an object that the subject may not see.
pub(super) fn hidden(call: &Call<'_>) -> Fault {
    Fault::Theirs(found_nothing(call.procedure, &call.arguments).encode())
}

pub(super) fn nonsense() -> Fault {
    Fault::Failed(code::RPC, "libvirtd's answer makes no sense".to_owned())
}
