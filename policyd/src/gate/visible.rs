// SPDX-License-Identifier: Apache-2.0
//! What a subject may see: lists, counts, lookups, statistics and events agree on it.
//!
//! Who sees everything of a kind gets libvirtd's own answer, untouched. For everybody else the gate asks,
//! and answers with what is left: a hidden object looks exactly like one that does not exist.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::frame::Header;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::layout::{Field, Layout};
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::rule::{Form, Listed, Recast, Rule};
use virtwarden_core::rpc::value::{self, Strings, Value, skip};
use virtwarden_core::rpc::writer::Writer;

use super::ask::Answer;
use super::call::{Call, Course, Forward, on_host};
use super::connection::Connection;
use super::fault::{Fault, code};
use super::missing;
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
                Err(Fault::Theirs(_)) => return Err(Fault::Theirs(missing::found_nothing(call))),
                other => other?,
            };
        let values = answer.values()?;
        let handle = values.iter().find_map(|value| Handle::from_value(kind, value)).ok_or_else(nonsense)?;
        let needs = vec![Need { right: Right::View, object: self.object_in(&handle) }];
        match self.gate.monitor.judge(&call.subject, call.procedure.name, needs) {
            Ok(_permit) => Ok(Course::Answer(answer.payload().to_vec())),
            Err(Refusal::Hidden(_)) => Err(Fault::Theirs(missing::found_nothing(call))),
            Err(refusal) => Err(refusal.into()),
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
    fn object_in(&self, handle: &Handle<'_>) -> Object {
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

    fn permit(&mut self, call: &Call<'_>, needs: Vec<Need>) -> Result<crate::monitor::Attempt, Fault> {
        match self.gate.monitor.judge(&call.subject, call.procedure.name, needs) {
            Ok(permit) => Ok(permit),
            Err(Refusal::Hidden(_)) => Err(hidden(call)),
            Err(refusal) => Err(refusal.into()),
        }
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
    fn shown(
        &self,
        call: &Call<'_>,
        fields: &'static [Field],
        payload: &[u8],
        kind: HandleKind,
    ) -> Result<Vec<Element>, Fault> {
        let elements = elements(fields, payload, kind).map_err(|_| nonsense())?;
        let policy = self.gate.monitor.policy();
        let standing = policy.policy.standing(&call.subject);
        let hides_with_vms = matches!(kind, HandleKind::Port | HandleKind::Binding);
        let seen = |element: &Element| {
            let handle = Handle::from_value(kind, &element.handle);
            !hides_with_vms && handle.is_some_and(|handle| standing.sees(&self.object_in(&handle)))
        };
        Ok(elements.into_iter().filter(seen).collect())
    }
}

/// The answer to a call about an object that the subject may not see.
pub(super) fn hidden(call: &Call<'_>) -> Fault {
    match call.arguments.handle() {
        Some(handle) => Fault::Theirs(missing::leads_nowhere(&handle)),
        None => Fault::Theirs(missing::found_nothing(call)),
    }
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

/// One element of a list: its bytes, and what it names.
struct Element {
    bytes: Vec<u8>,
    handle: Value<'static>,
}

/// Cuts the list that an answer begins with into its elements.
fn elements(fields: &'static [Field], payload: &[u8], kind: HandleKind) -> Result<Vec<Element>, XdrError> {
    let Some(Layout::List(layout, limit)) = fields.first().map(|field| &field.layout) else {
        return Err(XdrError::Truncated);
    };
    let mut reader = Reader::new(payload);
    let count = reader.count(*limit, layout.smallest())?;
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let mut ahead = reader;
        skip(layout, &mut ahead)?;
        let bytes = reader.take(reader.remaining() - ahead.remaining())?;
        found.push(Element { bytes: bytes.to_vec(), handle: handle_within(layout, bytes, kind)? });
    }
    Ok(found)
}

/// The handle that an element is or begins with; a device's plain name counts as one.
fn handle_within(layout: &Layout, bytes: &[u8], kind: HandleKind) -> Result<Value<'static>, XdrError> {
    let value = Value::decode(layout, &mut Reader::new(bytes), Strings::Lossy)?;
    let handle = match (layout, kind) {
        (Layout::Text, HandleKind::Device) => Value::Record(vec![value]),
        (Layout::Record(record), _) if record.handle.is_none() => {
            let first = value.parts().first().cloned();
            first.ok_or(XdrError::Truncated)?
        }
        _ => value,
    };
    Ok(owned(handle))
}

/// A value that stands without its frame.
pub(super) fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Int(number) => Value::Int(number),
        Value::Unsigned(number) => Value::Unsigned(number),
        Value::Hyper(number) => Value::Hyper(number),
        Value::UnsignedHyper(number) => Value::UnsignedHyper(number),
        Value::Double(bits) => Value::Double(bits),
        Value::Boolean(truth) => Value::Boolean(truth),
        Value::Text(text) => Value::Text(text.into_owned().into()),
        Value::Uuid(uuid) => Value::Uuid(uuid),
        Value::Opaque(bytes) => Value::Opaque(bytes.into_owned().into()),
        Value::Absent => Value::Absent,
        Value::List(list) => Value::List(list.into_iter().map(owned).collect()),
        Value::Record(parts) => Value::Record(parts.into_iter().map(owned).collect()),
    }
}

/// The answer with what is left: the list, then the count where the procedure has one.
fn list_again(procedure: &Procedure, shown: &[Element], results: bool) -> Vec<u8> {
    let mut writer = Writer::with_capacity(64);
    let listed = if results { shown } else { &[] };
    writer.count(listed.len());
    listed.iter().for_each(|element| writer.raw(&element.bytes));
    if procedure.reply.len() > 1 {
        writer.count(shown.len());
    }
    writer.finish()
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

fn old_form(form: Form, shown: &[Element], most: usize) -> Vec<u8> {
    let mut writer = Writer::with_capacity(64);
    let listed = shown.get(..most.min(shown.len())).unwrap_or_default();
    match form {
        Form::Count => writer.count(shown.len()),
        Form::Names | Form::Uuids | Form::Ids => writer.count(listed.len()),
    }
    for element in listed {
        match (form, element.handle.parts()) {
            (Form::Names, [Value::Text(_), Value::Text(name), ..]) if is_volume(&element.handle) => {
                writer.text(name)
            }
            (Form::Names, [Value::Text(name), ..]) => writer.text(name),
            (Form::Uuids, [Value::Uuid(uuid), ..]) => writer.text(&uuid.to_string()),
            (Form::Ids, [_, _, Value::Int(id)]) => writer.i32(*id),
            _ => {}
        }
    }
    writer.finish()
}

/// A volume's handle is pool, name and key; its name comes second.
fn is_volume(handle: &Value<'_>) -> bool {
    matches!(handle.parts(), [Value::Text(_), Value::Text(_), Value::Text(_)])
}
