// SPDX-License-Identifier: Apache-2.0
//! The second lock: libvirt's hook asks before a VM starts, whoever caused it.
//!
//! It holds for starts that no request through us caused: autostart, root's own tools, a migration
//! that comes in. What it lets pass and what it stops is recorded as seen, without a person.

mod media;

use virtwarden_core::control::{Failure, HookAnswer, HookCall, HookDriver, Reply, Sight, Veto};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::networks::Network;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::policy::sharing::Member;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::{Door, Subject};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::facts::{Facts, Link};
use virtwarden_core::xml::network::NetworkDefinition;
use virtwarden_core::xml::reach::Reach;
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
            (HookDriver::Qemu, Veto::Stops) => self.judge_definition(call),
            (HookDriver::Network, Veto::Stops) => self.judge_network(&call.xml),
        }
    }

    /// A network may start where it meets none of another information domain. A VM may be plugged into it only if
    /// it belongs there: this is where an interface shows that was added to a running VM past the gate.
    fn judge_network(&self, xml: &str) -> Result<(), String> {
        let told = parse(xml).map_err(|error| format!("what libvirt tells of the network: {error}"))?;
        let network = told.child("network").ok_or("what libvirt tells of the network is something else")?;
        // libvirtd waits for this answer with the network locked, so it cannot be asked which others there are.
        let networks = self.monitor.networks().last_seen();
        let policy = self.monitor.policy();
        let Some(port) = told.child("networkport") else {
            let definition = NetworkDefinition::new(network.clone());
            let definition = definition.map_err(|error| format!("the network's definition: {error}"))?;
            let checked = policy.policy.check_network(&self.network_of(&definition), &networks);
            return checked.map_err(|violation| format!("the policy forbids this network: {violation}"));
        };
        let name = network.text_of("name").ok_or("what libvirt tells of the network has no name")?;
        let assignment = owner(port).and_then(|owner| self.monitor.registry().vm(owner));
        let facts = Facts { links: vec![Link::Network(name)], ..Facts::default() };
        let checked = policy.policy.check(&facts, assignment.as_deref(), &networks);
        checked.map_err(|violation| format!("the policy forbids this VM to be plugged in: {violation}"))
    }

    /// A network as it is about to be.
    fn network_of(&self, definition: &NetworkDefinition) -> Network {
        let membership = definition.uuid().and_then(|uuid| self.monitor.networks().membership(uuid));
        Network {
            name: definition.name().to_owned(),
            uuid: definition.uuid(),
            assigned: membership.map(|membership| membership.information_domain),
            reaches: vec![Reach::of(definition)],
        }
    }

    fn judge_definition(&self, call: &HookCall) -> Result<(), String> {
        let definition =
            Definition::parse(&call.xml).map_err(|error| format!("the VM's definition: {error}"))?;
        let uuid = definition.uuid().ok_or("the VM's definition has no UUID")?;
        let assignment = self.monitor.registry().vm(uuid);
        let policy = self.monitor.policy();
        let facts = definition.facts();
        let networks = self.monitor.networks().last_seen();
        let checked = policy.policy.check(&facts, assignment.as_deref(), &networks);
        checked.map_err(|violation| format!("the policy forbids this VM to start: {violation}"))?;
        let vm = self.monitor.known_vm(uuid, definition.name());
        let declared = self.monitor.sharing().openings().check(Member::from(&vm), &facts.uses);
        declared.map_err(|undeclared| format!("this VM may not start: {undeclared}"))?;
        self.judge_sight(Member::from(&vm), call)?;
        self.judge_media(call, &vm, &facts)
    }

    /// What the VM has in common with others must be open between them. Who cannot see that, cannot start it.
    fn judge_sight(&self, vm: Member<'_>, call: &HookCall) -> Result<(), String> {
        let seen = match &call.sight {
            Sight::Looked(seen) => seen.as_slice(),
            Sight::NotLooked if call.begins_vm() => {
                return Err("the hook did not look at other VMs".to_owned());
            }
            Sight::NotLooked => &[],
            Sight::Failed(why) => return Err(format!("what other VMs have is not known: {why}")),
        };
        let openings = self.monitor.sharing().openings();
        seen.iter().try_for_each(|other| {
            let known = self.monitor.known_vm(other.uuid, &other.name);
            let declared = openings.check_between(vm, Member::from(&known), &other.common);
            declared.map_err(|undeclared| format!("this VM may not start: {undeclared}"))
        })
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
        | (HookDriver::Network, "start" | "stopped" | "port-created" | "port-deleted")
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
        ..Target::default()
    };
    let plugged = plugged(call);
    Event {
        origin: None,
        kind: Kind::Observation,
        outcome: if judged.is_ok() { Outcome::Success } else { Outcome::Denied },
        actor: Some(actor(&subject, &[])),
        operation: format!("{driver} {}", call.operation),
        functions: Vec::new(),
        targets: [target].into_iter().chain(plugged).collect(),
        detail: judged.as_ref().err().cloned().unwrap_or_default(),
        of: None,
        count: None,
    }
}

/// The identity of the VM or network, as far as its definition can be read.
fn identity(call: &HookCall) -> Option<Uuid> {
    match call.driver {
        HookDriver::Qemu => Definition::parse(&call.xml).ok()?.uuid(),
        HookDriver::Network => Uuid::parse(&parse(&call.xml).ok()?.child("network")?.text_of("uuid")?),
        HookDriver::Daemon => None,
    }
}

/// The VM whose interface is plugged into the network, or out of it.
fn plugged(call: &HookCall) -> Option<Target> {
    let told = parse(&call.xml).ok()?;
    let port = told.child("networkport")?;
    let name = port.child("owner").and_then(|owner| owner.text_of("name"));
    Some(Target { kind: "vm".to_owned(), name, uuid: owner(port), ..Target::default() })
}

/// The VM that a port of a network is for.
fn owner(port: &Element) -> Option<Uuid> {
    Uuid::parse(&port.child("owner")?.text_of("uuid")?)
}
