// SPDX-License-Identifier: Apache-2.0
//! From a handle in a call to the object that a decision is about.
//!
//! A handle carries a UUID, which counts, and a name, which is what the client remembers or claims.
//! Looking on needs no name. Everything else is decided, recorded and forwarded under the name that
//! libvirtd knows.

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::error::leads_nowhere;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::rule::{On, Rule};
use virtwarden_core::rpc::value::Value;

use super::call::{Call, Replaced};
use super::connection::Connection;
use super::fault::{Fault, code, is_not_found};
use super::listed::owned;
use super::question;
use super::visible::refused;

/// What a UUID leads to.
#[derive(Clone, Copy, Debug)]
enum By {
    Vm,
    Network,
    Filter,
    Pool,
}

/// A handle that a UUID decides about; its name is only claimed.
#[derive(Clone, Copy, Debug)]
struct Keyed<'a> {
    by: By,
    uuid: Uuid,
    claimed: &'a str,
}

impl<'a> Keyed<'a> {
    /// None for handles that go by their names alone.
    fn of(handle: &Handle<'a>) -> Option<Self> {
        let (by, uuid, claimed) = match handle {
            Handle::Vm(vm) | Handle::Snapshot(vm, _) | Handle::Checkpoint(vm, _) => {
                (By::Vm, vm.uuid, vm.name)
            }
            Handle::Network(network) | Handle::Port(network, _) => (By::Network, network.uuid, network.name),
            Handle::Filter(filter) => (By::Filter, filter.uuid, filter.name),
            Handle::Pool(pool) => (By::Pool, pool.uuid, pool.name),
            Handle::Binding(_)
            | Handle::Interface(_)
            | Handle::Volume { .. }
            | Handle::Device(_)
            | Handle::Secret(_) => return None,
        };
        Some(Self { by, uuid, claimed })
    }
}

impl Connection {
    /// The object of a call and, where the client's name for it is false, the corrected handle.
    pub(super) fn object_of(
        &mut self,
        call: &Call<'_>,
        rights: &[Right],
    ) -> Result<(Object, Replaced), Fault> {
        let Some(handle) = call.arguments.handle() else {
            return Ok((call.makes().unwrap_or(Object::Host), Vec::new()));
        };
        self.insist_on_interface(call, &handle)?;
        let unnamed = self.unnamed(&handle);
        let reading = rights.iter().all(|right| matches!(right, Right::View | Right::Operate));
        if reading {
            let needs: Vec<_> =
                rights.iter().map(|right| Need { right: *right, object: unnamed.clone() }).collect();
            if self.may(call, &needs) {
                return Ok((unnamed, Vec::new()));
            }
        }
        self.named(call, &handle)
    }

    /// The object of a call under its true name, if the subject may know of it at all. Nothing else of the
    /// call is looked at before, lest an error tell what the answer must not.
    pub(super) fn object_of_named(&mut self, call: &Call<'_>) -> Result<(Object, Replaced), Fault> {
        let Some(handle) = call.arguments.handle() else { return Ok((Object::Host, Vec::new())) };
        self.insist_on_interface(call, &handle)?;
        let (object, replaced) = self.named(call, &handle)?;
        let sight = vec![Need { right: Right::View, object: object.clone() }];
        if self.may(call, &sight) {
            return Ok((object, replaced));
        }
        match self.gate.monitor.judge(&call.subject, call.procedure.name, sight) {
            Ok(_) => Ok((object, replaced)),
            Err(refusal) => Err(refused(call, refusal)),
        }
    }

    /// The object without a name that the client could have made up.
    fn unnamed(&self, handle: &Handle<'_>) -> Object {
        match handle {
            Handle::Vm(vm) | Handle::Snapshot(vm, _) | Handle::Checkpoint(vm, _) => {
                self.gate.monitor.vm(vm.uuid, "")
            }
            Handle::Network(_) | Handle::Port(..) => Object::Network(String::new()),
            Handle::Filter(_) => Object::NetworkFilter(String::new()),
            Handle::Pool(_) => Object::Pool(String::new()),
            Handle::Binding(port) => Object::NetworkFilter((*port).to_owned()),
            Handle::Interface(name) => Object::Interface((*name).to_owned()),
            Handle::Volume { pool, name } => {
                Object::Volume { pool: (*pool).to_owned(), name: (*name).to_owned() }
            }
            Handle::Device(name) => Object::Device((*name).to_owned()),
            Handle::Secret(uuid) => Object::Secret(*uuid),
        }
    }

    /// The object under its true name.
    fn named(&mut self, call: &Call<'_>, handle: &Handle<'_>) -> Result<(Object, Replaced), Fault> {
        let unnamed = self.unnamed(handle);
        let Some(keyed) = Keyed::of(handle) else { return Ok((unnamed, Vec::new())) };
        let name = match self.true_name(&keyed) {
            Ok(name) => name,
            Err(Fault::Theirs(payload)) if is_not_found(&payload) => {
                return Err(self.missing(call, handle, unnamed));
            }
            Err(fault) => return Err(fault),
        };
        let replaced = if name == keyed.claimed { Vec::new() } else { corrected(call, &name) };
        let object = match keyed.by {
            By::Vm => self.gate.monitor.vm(keyed.uuid, &name),
            By::Network => Object::Network(name),
            By::Filter => Object::NetworkFilter(name),
            By::Pool => Object::Pool(name),
        };
        Ok((object, replaced))
    }

    fn true_name(&mut self, keyed: &Keyed<'_>) -> Result<String, Fault> {
        let (number, kind) = match keyed.by {
            By::Vm => (question::DOMAIN_LOOKUP_BY_UUID, HandleKind::Vm),
            By::Network => (question::NETWORK_LOOKUP_BY_UUID, HandleKind::Network),
            By::Filter => (question::NWFILTER_LOOKUP_BY_UUID, HandleKind::Filter),
            By::Pool => (question::STORAGE_POOL_LOOKUP_BY_UUID, HandleKind::Pool),
        };
        let answer = self.ask(number, &[Value::Uuid(keyed.uuid)])?;
        let values = answer.values()?;
        let found = values.first().and_then(|value| Handle::from_value(kind, value));
        let found = found.as_ref().and_then(Keyed::of).filter(|found| found.uuid == keyed.uuid);
        let other = || Fault::Failed(code::RPC, "libvirtd found another object than asked for".to_owned());
        found.map(|found| found.claimed.to_owned()).ok_or_else(other)
    }

    /// What does not exist cannot be acted on; that somebody tried is recorded all the same.
    fn missing(&mut self, call: &Call<'_>, handle: &Handle<'_>, object: Object) -> Fault {
        let rights = call.procedure.rights(&call.arguments);
        let needs = rights.into_iter().map(|right| Need { right, object: object.clone() }).collect();
        let _recorded = self.forbidden(call, "it does not exist", needs);
        Fault::Theirs(leads_nowhere(handle).encode())
    }
}

impl Call<'_> {
    /// What a call on the host makes anew, by the handle in its reply. Nobody knows the name yet, so it takes a
    /// role that reaches everything of the kind: what is made, or made anew, is not one role's alone.
    pub(super) fn makes(&self) -> Option<Object> {
        if !matches!(self.procedure.rule, Rule::Needs { on: On::Host, .. }) {
            return None;
        }
        match self.procedure.reply.first()?.layout.handle()? {
            HandleKind::Filter | HandleKind::Binding => Some(Object::NetworkFilter(String::new())),
            HandleKind::Interface => Some(Object::Interface(String::new())),
            HandleKind::Device => Some(Object::Device(String::new())),
            HandleKind::Secret => Some(Object::Secret(Uuid([0; 16]))),
            HandleKind::Vm
            | HandleKind::Snapshot
            | HandleKind::Checkpoint
            | HandleKind::Network
            | HandleKind::Port
            | HandleKind::Pool
            | HandleKind::Volume => None,
        }
    }
}

/// The handle of a call with the name that libvirtd knows, as a replaced argument.
fn corrected(call: &Call<'_>, name: &str) -> Replaced {
    let field = call.procedure.handle.and_then(|(index, _)| call.procedure.arguments.get(index));
    field.zip(with_true_name(call, name)).map(|(field, handle)| (field.name, handle)).into_iter().collect()
}

/// The handle of a call with the name that libvirtd knows.
pub(super) fn with_true_name(call: &Call<'_>, name: &str) -> Option<Value<'static>> {
    let (index, kind) = call.procedure.handle?;
    let field = call.procedure.arguments.get(index)?;
    Some(renamed(kind, call.arguments.value(field.name)?, name))
}

/// A handle under another name; a snapshot's VM, a port's network.
fn renamed(kind: HandleKind, value: &Value<'_>, name: &str) -> Value<'static> {
    let name_of = |value: &Value<'_>| with_name(value.parts(), name);
    match (kind, value.parts()) {
        (HandleKind::Snapshot | HandleKind::Checkpoint, [part, vm]) => {
            Value::Record(vec![owned(part.clone()), name_of(vm)])
        }
        (HandleKind::Port, [network, port]) => Value::Record(vec![name_of(network), owned(port.clone())]),
        _ => name_of(value),
    }
}

fn with_name(parts: &[Value<'_>], name: &str) -> Value<'static> {
    let rest = parts.iter().skip(1).cloned().map(owned);
    Value::Record(std::iter::once(Value::Text(name.to_owned().into())).chain(rest).collect())
}
