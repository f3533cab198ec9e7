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
use virtwarden_core::rpc::layout::{Field, Layout};
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::rule::{Judge, Listed, Recast, Rule};
use virtwarden_core::rpc::value::{self, Strings, Value};
use virtwarden_core::rpc::writer::Writer;

use super::ask::Answer;
use super::call::{Call, Course, Forward, on_host};
use super::connection::Connection;
use super::fault::{Fault, code};
use super::listed::{Element, elements, list_again, old_form};
use crate::monitor::Refusal;

impl Connection {
    /// A list: untouched, or asked for and filtered.
    pub(super) fn list(&mut self, call: &Call<'_>, listed: Listed) -> Result<Course, Fault> {
        let needs = self.needs_of_container(call)?;
        if self.sees_all(call, kind_of(listed)) {
            return Ok(Course::Forward(Forward::from(needs)));
        }
        let _permit = self.permit(call, needs)?;
        let answer = match listed {
            Listed::Handles(_) => {
                let mut arguments = call.arguments.clone();
                let _absent_where_there_is_none = arguments.replace("need_results", Value::Boolean(true));
                self.ask_as(call, call.procedure, &arguments.encode().map_err(|_| nonsense())?)?
            }
            Listed::Stats => match self.statistics(call)? {
                Some(answer) => answer,
                None => return Ok(Course::Answer(vec![0; 4])),
            },
            Listed::Leases => return Ok(Course::Answer(vec![0; 8])),
        };
        let shown = self.shown(call, call.procedure.reply, answer.payload(), kind_of(listed))?;
        let results = call.arguments.value("need_results") != Some(&Value::Boolean(false));
        Ok(Course::Answer(list_again(call.procedure, &shown, results)))
    }

    /// A list or count of the oldest kind, made from the one of today.
    pub(super) fn recast(&mut self, call: &Call<'_>, recast: Recast) -> Result<Course, Fault> {
        let needs = self.needs_of_container(call)?;
        let modern = procedure::find(call.procedure.program.number(), recast.call).ok_or_else(nonsense)?;
        let Rule::List(Listed::Handles(kind)) = modern.rule else { return Err(nonsense()) };
        if self.sees_all(call, kind) {
            return Ok(Course::Forward(Forward::from(needs)));
        }
        let _permit = self.permit(call, needs)?;
        let arguments = modern_arguments(call, modern, recast)?;
        let answer = self.ask_as(call, modern, &arguments)?;
        let shown = self.shown(call, modern.reply, answer.payload(), kind)?;
        let most = call.arguments.number("maxnames").or_else(|| call.arguments.number("maxids"));
        let most = most.or_else(|| call.arguments.number("maxuuids")).unwrap_or(u32::MAX);
        Ok(Course::Answer(old_form(recast.form, &shown, usize::try_from(most).unwrap_or(usize::MAX))))
    }

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
        let needs = vec![Need { right: Right::View, object: self.object_in(&handle) }];
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

    /// Sight of the host, and of the network, pool or VM whose parts are listed.
    fn needs_of_container(&mut self, call: &Call<'_>) -> Result<Vec<Need>, Fault> {
        let mut needs = vec![on_host(Right::View)];
        if call.arguments.handle().is_some() {
            let (object, _) = self.object_of(call, &[Right::View])?;
            needs.push(Need { right: Right::View, object });
        }
        Ok(needs)
    }

    pub(super) fn permit(
        &mut self,
        call: &Call<'_>,
        needs: Vec<Need>,
    ) -> Result<crate::monitor::Attempt, Fault> {
        let judged = self.gate.monitor.judge(&call.subject, call.procedure.name, needs);
        judged.map_err(|refusal| refused(call, refusal))
    }

    /// Whether nothing of a kind is hidden from the subject.
    fn sees_all(&self, call: &Call<'_>, kind: HandleKind) -> bool {
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

    /// Asks what the client asks, with arguments that were judged.
    fn ask_as(
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

    /// Statistics of the VMs that the subject sees; none if there are none.
    fn statistics(&mut self, call: &Call<'_>) -> Result<Option<Answer>, Fault> {
        let asked = call.arguments.value("doms").map_or(&[][..], Value::parts);
        let visible = if asked.is_empty() { self.visible_vms(call) } else { self.visible_among(call, asked) };
        if visible.is_empty() {
            return Ok(None);
        }
        let mut arguments = call.arguments.clone();
        arguments.replace("doms", Value::List(visible)).map_err(|_| nonsense())?;
        let payload = arguments.encode().map_err(|_| nonsense())?;
        self.ask_as(call, call.procedure, &payload).map(Some)
    }

    /// All VMs that the registry knows and the subject sees.
    fn visible_vms(&self, call: &Call<'_>) -> Vec<Value<'static>> {
        let entries = self.gate.monitor.registry().entries();
        let policy = self.gate.monitor.policy();
        let standing = policy.policy.standing(&call.subject);
        let visible =
            entries.iter().filter(|(uuid, entry)| standing.sees(&self.gate.monitor.vm(**uuid, &entry.name)));
        let handle = |uuid, name: &str| {
            Value::Record(vec![Value::Text(name.to_owned().into()), Value::Uuid(uuid), Value::Int(-1)])
        };
        visible.map(|(uuid, entry)| handle(*uuid, &entry.name)).collect()
    }

    fn visible_among<'v>(&self, call: &Call<'_>, asked: &[Value<'v>]) -> Vec<Value<'v>> {
        let sees = |value: &&Value<'_>| {
            Handle::from_value(HandleKind::Vm, value).is_some_and(|handle| {
                self.may(call, &[Need { right: Right::View, object: self.object_in(&handle) }])
            })
        };
        asked.iter().filter(sees).cloned().collect()
    }

    /// The elements of a list that the subject may see.
    fn shown<'a>(
        &self,
        call: &Call<'_>,
        fields: &'static [Field],
        payload: &'a [u8],
        kind: HandleKind,
    ) -> Result<Vec<Element<'a>>, Fault> {
        let policy = self.gate.monitor.policy();
        let standing = policy.policy.standing(&call.subject);
        let hides_with_vms = matches!(kind, HandleKind::Port | HandleKind::Binding);
        let seen = |handle: &Value<'_>| {
            let handle = Handle::from_value(kind, handle);
            !hides_with_vms && handle.is_some_and(|handle| standing.sees(&self.unnamed_in(&handle)))
        };
        elements(fields, payload, kind, seen).map_err(|_| nonsense())
    }

    /// An object that libvirtd named; a VM without its name, which nobody will read.
    fn unnamed_in(&self, handle: &Handle<'_>) -> Object {
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
fn hidden(call: &Call<'_>) -> Fault {
    Fault::Theirs(found_nothing(call.procedure, &call.arguments).encode())
}

const fn kind_of(listed: Listed) -> HandleKind {
    match listed {
        Listed::Handles(kind) => kind,
        Listed::Stats | Listed::Leases => HandleKind::Vm,
    }
}

fn nonsense() -> Fault {
    Fault::Failed(code::RPC, "libvirtd's answer makes no sense".to_owned())
}

/// The arguments of today's list for a call of the oldest kind.
fn modern_arguments(call: &Call<'_>, modern: &Procedure, recast: Recast) -> Result<Vec<u8>, Fault> {
    let mut values = Vec::new();
    for field in modern.arguments {
        values.push(match (field.name, call.arguments.value(field.name)) {
            ("need_results", _) => Value::Boolean(true),
            ("flags", _) => Value::Unsigned(recast.flags),
            ("maxnames", None) => Value::Int(65536),
            (_, Some(value)) => value.clone(),
            (_, None) => return Err(nonsense()),
        });
    }
    let mut writer = Writer::with_capacity(64);
    value::encode_fields(modern.arguments, &values, &mut writer).map_err(|_| nonsense())?;
    Ok(writer.finish())
}
