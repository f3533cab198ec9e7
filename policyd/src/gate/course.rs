// SPDX-License-Identifier: Apache-2.0
//! What becomes of a call, by the rule of its procedure: what it needs, on which object, and what follows.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::rpc::value::Value;

use super::call::{Call, Course, Forward, on_host};
use super::connection::{Connection, Stage};
use super::fault::{Fault, code};
use super::pending::Chore;

impl Connection {
    /// What becomes of a call, by the rule of its procedure.
    pub(super) fn course(&mut self, call: &Call<'_>) -> Result<Course, Fault> {
        let rule = call.procedure.rule;
        if !matches!(rule, Rule::Own(_)) && self.stage != Stage::Open {
            return Err(Fault::Failed(code::INTERNAL, "hypervisor connection not open".to_owned()));
        }
        self.insist_on_keeping(call)?;
        let forward = match rule {
            Rule::Own(own) => return self.answer(call, own),
            Rule::Needs { .. } => self.plain(call)?,
            Rule::Describe { secret_flags } => self.describe(call, secret_flags)?,
            Rule::List(listed) => return self.list(call, listed),
            Rule::Recast(recast) => return self.recast(call, recast),
            Rule::Lookup(kind) => return self.look_up(call, kind),
            Rule::Judged(judge) => self.judge(call, judge)?,
            Rule::Register { right, .. } => self.register(call, right)?,
            Rule::Deregister => Forward::from(vec![on_host(Right::View)]),
            Rule::Event(_) | Rule::Closed => {
                return Err(self.malformed(&call.subject, call.procedure.name, "events are not for calling"));
            }
            Rule::Refused(why) => return Err(self.forbidden(call, why, Vec::new())),
        };
        Ok(Course::Forward(Self::with_right_to_administer(forward)))
    }

    /// Rights that are fixed, on the object of the call.
    fn plain(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let rights = call.procedure.rights(&call.arguments);
        let (object, replaced) = self.object_of(call, &rights)?;
        let needs: Vec<_> = rights.into_iter().map(|right| Need { right, object: object.clone() }).collect();
        self.insist_on_free_name(call, &needs)?;
        let turn =
            if let Object::Vm(vm) = &object { self.insist_on_resized_quota(call, vm, &needs)? } else { None };
        Ok(Forward { replaced, turn, chore: chore(call, &object), ..Forward::from(needs) })
    }

    /// A definition to look at; without its secrets for who may not see those.
    fn describe(&mut self, call: &Call<'_>, secret_flags: u32) -> Result<Forward, Fault> {
        let (object, mut replaced) = self.object_of(call, &[Right::View])?;
        let secrets = Need { right: Right::Administer, object: object.clone() };
        if call.arguments.flags() & u64::from(secret_flags) != 0 && !self.may(call, &[secrets]) {
            let flags = call.arguments.number("flags").unwrap_or_default() & !secret_flags;
            replaced.push(("flags", Value::Unsigned(flags)));
        }
        let mut needs = vec![Need { right: Right::View, object: object.clone() }];
        needs.extend(
            call.procedure
                .rights(&call.arguments)
                .into_iter()
                .map(|right| Need { right, object: object.clone() }),
        );
        Ok(Forward { replaced, ..Forward::from(needs) })
    }

    /// Events of one object, or of all that the subject sees.
    fn register(&mut self, call: &Call<'_>, right: Right) -> Result<Forward, Fault> {
        let object = match call.arguments.handle() {
            Some(_) => self.object_of(call, &[right])?.0,
            None => Object::Host,
        };
        Ok(Forward::from(vec![Need { right, object }]))
    }

    /// Whether the policy would say yes. Decides nothing and records nothing.
    pub(super) fn may(&self, call: &Call<'_>, needs: &[Need]) -> bool {
        self.gate.monitor.would_allow(&call.subject, needs)
    }
}

/// What follows from a good answer to a call whose rights are fixed.
fn chore(call: &Call<'_>, object: &Object) -> Option<Chore> {
    let Object::Vm(vm) = object else { return None };
    match (call.procedure.name, call.arguments.text("new_name")) {
        ("DOMAIN_UNDEFINE" | "DOMAIN_UNDEFINE_FLAGS" | "DOMAIN_DESTROY" | "DOMAIN_DESTROY_FLAGS", _) => {
            Some(Chore::Bury(vm.uuid))
        }
        ("DOMAIN_RENAME", Some(name)) => Some(Chore::Rename(vm.uuid, name.to_owned())),
        _ => None,
    }
}
