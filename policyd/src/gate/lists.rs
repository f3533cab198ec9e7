// SPDX-License-Identifier: Apache-2.0
//! Lists, counts and statistics: libvirtd's own for who sees everything of a kind, for everybody else what is
//! left of them.

use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::layout::Field;
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::rule::{Listed, Recast, Rule};
use virtwarden_core::rpc::value::{self, Value};
use virtwarden_core::rpc::writer::Writer;

use super::ask::Answer;
use super::call::{Call, Course, Forward, on_host};
use super::connection::Connection;
use super::fault::Fault;
use super::listed::{Element, Key, elements, list_again, old_form};
use super::nics::is_of_nic;
use super::visible::nonsense;

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
            Listed::Leases => return self.leases(call),
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

    /// Sight of the host, and of the network, pool or VM whose parts are listed.
    fn needs_of_container(&mut self, call: &Call<'_>) -> Result<Vec<Need>, Fault> {
        let mut needs = vec![on_host(Right::View)];
        if call.arguments.handle().is_some() {
            let (object, _) = self.object_of(call, &[Right::View])?;
            needs.push(Need { right: Right::View, object });
        }
        Ok(needs)
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
    pub(super) fn visible_vms(&self, call: &Call<'_>) -> Vec<Value<'static>> {
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
        &mut self,
        call: &Call<'_>,
        fields: &'static [Field],
        payload: &'a [u8],
        kind: HandleKind,
    ) -> Result<Vec<Element<'a>>, Fault> {
        let nics = if is_of_nic(kind) { Some(self.own_nics(call)?) } else { None };
        let policy = self.gate.monitor.policy();
        let standing = policy.policy.standing(&call.subject);
        let seen = |handle: &Value<'_>| {
            let handle = Handle::from_value(kind, handle);
            handle.is_some_and(|handle| match &nics {
                Some(nics) => nics.have(&handle),
                None => standing.sees(&self.unnamed_in(&handle)),
            })
        };
        elements(fields, payload, Key::Handle(kind), seen).map_err(|_| nonsense())
    }
}

const fn kind_of(listed: Listed) -> HandleKind {
    match listed {
        Listed::Handles(kind) => kind,
        Listed::Stats | Listed::Leases => HandleKind::Vm,
    }
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
