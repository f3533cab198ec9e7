// SPDX-License-Identifier: Apache-2.0
//! What a record says of who did what to which objects.

use virtwarden_core::authentication::Authentication;
use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::record::{Actor, Event, Kind, Outcome, Target};
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;

/// An event of a subject's doing.
pub(super) fn describe(
    kind: Kind,
    subject: &Subject,
    roles: &[String],
    operation: &str,
    needs: &[Need],
) -> Event {
    Event {
        origin: None,
        kind,
        outcome: Outcome::Pending,
        actor: Some(actor(subject, roles)),
        operation: operation.to_owned(),
        functions: functions(needs),
        targets: targets(needs),
        detail: String::new(),
        of: None,
        count: None,
    }
}

/// The person and process of an event.
pub fn actor(subject: &Subject, roles: &[String]) -> Actor {
    Actor {
        account: subject.account.clone(),
        login: subject.login.clone(),
        authenticated: match &subject.authentication {
            Authentication::Person(person) => Some(person.clone()),
            Authentication::Nobody(_) => None,
        },
        roles: roles.to_vec(),
        process: subject.process,
        door: subject.door,
    }
}

fn functions(needs: &[Need]) -> Vec<Function> {
    let mut functions: Vec<_> = needs
        .iter()
        .filter_map(|need| match need.right {
            Right::Function(function) => Some(function),
            // To read the trail is a part of row 6, though a role may hold it alone.
            Right::Review => Some(Function::ManageAudit),
            Right::View | Right::Operate | Right::Guest | Right::Administer | Right::Raw => None,
        })
        .collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}

fn targets(needs: &[Need]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for need in needs {
        let new = target(&need.object);
        let same =
            |known: &&mut Target| (&known.kind, &known.name, known.uuid) == (&new.kind, &new.name, new.uuid);
        match targets.iter_mut().find(same) {
            Some(known) if known.rights.contains(&need.right) => {}
            Some(known) => known.rights.push(need.right),
            None => targets.push(Target { rights: vec![need.right], ..new }),
        }
    }
    targets
}

/// An object in a form that outlives it.
pub fn target(object: &Object) -> Target {
    let (kind, name, uuid) = match object {
        Object::Host => ("host", None, None),
        Object::Vm(vm) => ("vm", Some(vm.name.clone()), Some(vm.uuid)),
        Object::Network(name) => ("network", Some(name.clone()), None),
        Object::NetworkFilter(name) => ("network-filter", Some(name.clone()), None),
        Object::Pool(name) => ("pool", Some(name.clone()), None),
        Object::Volume { pool, name } => ("volume", Some(format!("{pool}/{name}")), None),
        Object::Interface(name) => ("interface", Some(name.clone()), None),
        Object::Device(name) => ("device", Some(name.clone()), None),
        Object::Medium(id) => ("medium", Some(id.clone()), None),
        Object::Secret(uuid) => ("secret", None, Some(*uuid)),
        Object::Setting(name) => ("setting", Some(name.clone()), None),
        Object::OwnSetting(name) => ("own-setting", Some(name.clone()), None),
        Object::Policy => ("policy", None, None),
        Object::Trail => ("trail", None, None),
    };
    Target { kind: kind.to_owned(), name: name.filter(|name| !name.is_empty()), uuid, ..Target::default() }
}
