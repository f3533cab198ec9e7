// SPDX-License-Identifier: Apache-2.0
//! The second lock: libvirt's hook asks before a VM starts, whoever caused it.
//!
//! It holds for starts that no request through us caused: autostart, root's own tools, a migration
//! that comes in. What it lets pass and what it stops is recorded as seen, without a person.

use virtwarden_core::control::{Failure, HookAnswer, HookCall, HookDriver, Reply, Veto};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::networks::Networks;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::policy::sharing::Member;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::{Door, Subject};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::facts::{Facts, Link};
use virtwarden_core::xml::strict::parse;

use super::Control;
use super::failure::denied;
use crate::monitor::actor;

impl Control {
    /// Answers a hook, which runs as root. Anybody else who asks is refused.
    pub(super) fn hook(&self, subject: &Subject, call: &HookCall) -> Result<Reply, Failure> {
        if subject.account.uid != 0 {
            let needs = vec![Need { right: Right::Administer, object: Object::Host }];
            let reason = Reason::Forbidden("only libvirt's hook asks this".to_owned());
            let refusal = self.monitor.forbid(subject, "hook", reason, needs);
            return Err(denied(refusal.to_string()));
        }
        let judged = self.judge_hook(call);
        let recorded = self.record_hook(subject, call, &judged);
        Ok(Reply::Hook(match (call.veto(), judged, recorded) {
            (Veto::Ignored, _, _) | (Veto::Stops, Ok(_), Ok(())) => HookAnswer::Allow,
            (Veto::Stops, Err(reason), _) | (Veto::Stops, Ok(_), Err(reason)) => HookAnswer::Deny { reason },
        }))
    }

    /// Judges by the rules that bind everybody. The error is the reason against it.
    fn judge_hook(&self, call: &HookCall) -> Result<(), String> {
        match (call.driver, call.veto()) {
            (HookDriver::Daemon, _) | (HookDriver::Qemu | HookDriver::Network, Veto::Ignored) => Ok(()),
            (HookDriver::Qemu, Veto::Stops) => self.judge_definition(&call.xml),
            (HookDriver::Network, Veto::Stops) => self.judge_network(&call.xml),
        }
    }

    /// A network itself may start. A VM may be plugged into it only if it belongs there: this is
    /// where an interface shows that was added to a running VM past the gate.
    fn judge_network(&self, xml: &str) -> Result<(), String> {
        let told = parse(xml).map_err(|error| format!("what libvirt tells of the network: {error}"))?;
        let Some(port) = told.child("networkport") else { return Ok(()) };
        let network = told.child("network").and_then(|network| network.text_of("name"));
        let network = network.ok_or("what libvirt tells of the network has no name")?;
        let owner = port.child("owner").and_then(|owner| Uuid::parse(&owner.text_of("uuid")?));
        let assignment = owner.and_then(|owner| self.monitor.registry().vm(owner));
        let facts = Facts { links: vec![Link::Network(network)], ..Facts::default() };
        let checked = self.monitor.policy().policy.check(&facts, assignment.as_deref(), &Networks::default());
        checked.map_err(|violation| format!("the policy forbids this VM to be plugged in: {violation}"))
    }

    fn judge_definition(&self, xml: &str) -> Result<(), String> {
        let definition = Definition::parse(xml).map_err(|error| format!("the VM's definition: {error}"))?;
        let uuid = definition.uuid().ok_or("the VM's definition has no UUID")?;
        let assignment = self.monitor.registry().vm(uuid);
        let policy = self.monitor.policy();
        let facts = definition.facts();
        let checked = policy.policy.check(&facts, assignment.as_deref(), &Networks::default());
        checked.map_err(|violation| format!("the policy forbids this VM to start: {violation}"))?;
        let vm = self.monitor.known_vm(uuid, definition.name());
        let declared = self.monitor.sharing().openings().check(Member::from(&vm), &facts.uses);
        declared.map_err(|undeclared| format!("this VM may not start: {undeclared}"))
    }

    /// A start that cannot be recorded does not happen. What cannot be stopped is noted.
    fn record_hook(
        &self,
        subject: &Subject,
        call: &HookCall,
        judged: &Result<(), String>,
    ) -> Result<(), String> {
        let event = observation(subject, call, judged);
        match (judged, is_begin(call)) {
            (Err(_), _) => self.monitor.ledger().deny(event),
            (Ok(()), Begin::Act) => drop(self.monitor.ledger().attempt(event)?),
            (Ok(()), Begin::Other) => {}
        }
        Ok(())
    }
}

/// Which calls of the hook stand for something worth a record.
enum Begin {
    /// A VM or network begins or ends to run.
    Act,
    /// A step of it.
    Other,
}

fn is_begin(call: &HookCall) -> Begin {
    match (call.driver, call.operation.as_str()) {
        (HookDriver::Qemu, "start" | "restore" | "migrate" | "stopped" | "reconnect" | "attach")
        | (HookDriver::Network, "start" | "stopped")
        | (HookDriver::Daemon, "start" | "shutdown") => Begin::Act,
        (HookDriver::Qemu | HookDriver::Network | HookDriver::Daemon, _) => Begin::Other,
    }
}

fn observation(subject: &Subject, call: &HookCall, judged: &Result<(), String>) -> Event {
    let subject = Subject { door: Door::Hook, ..subject.clone() };
    let (driver, kind) = match call.driver {
        HookDriver::Qemu => ("qemu", "vm"),
        HookDriver::Network => ("network", "network"),
        HookDriver::Daemon => ("daemon", "host"),
    };
    let target = Target {
        kind: kind.to_owned(),
        name: Some(call.object.clone()).filter(|name| name != "-"),
        uuid: identity(call),
    };
    Event {
        origin: None,
        kind: Kind::Observation,
        outcome: if judged.is_ok() { Outcome::Success } else { Outcome::Denied },
        actor: Some(actor(&subject, &[])),
        operation: format!("{driver} {}", call.operation),
        functions: Vec::new(),
        targets: vec![target],
        detail: judged.as_ref().err().cloned().unwrap_or_default(),
        of: None,
        count: None,
    }
}

/// The identity of the VM, as far as its definition can be read.
fn identity(call: &HookCall) -> Option<Uuid> {
    match call.driver {
        HookDriver::Qemu => Definition::parse(&call.xml).ok()?.uuid(),
        HookDriver::Network | HookDriver::Daemon => None,
    }
}
