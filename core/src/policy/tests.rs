// SPDX-License-Identifier: Apache-2.0
//! The people, objects and questions that the stories below share.

mod authenticated;
mod bounds;
mod columns;
mod explain;
mod matrix;
mod messages;
mod mistakes;
mod networks;
mod overriding;
mod scopes;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::authentication::{Absence, Authenticated, Authentication, Factor, Origin};
use crate::object::{Assignment, Object, Uuid, Vm};
use crate::policy::decision::Denial;
use crate::policy::request::Need;
use crate::subject::{Account, Door, Group, Process};

const DEFAULT: Source<'static> =
    Source { name: "90-default.toml", text: include_str!("../../../policyd/policy.d/90-default.toml") };

fn shipped() -> Policy {
    Policy::load(&[DEFAULT]).unwrap()
}

/// The shipped policy behind a site's own file.
fn site(text: &str) -> Policy {
    Policy::load(&[Source { name: "10-site.toml", text }, DEFAULT]).unwrap()
}

fn subject(name: &str, uid: u32, groups: &[(&str, u32)]) -> Subject {
    Subject {
        account: Account { name: name.into(), uid },
        groups: groups.iter().map(|(name, gid)| Group { name: (*name).into(), gid: *gid }).collect(),
        login: None,
        authentication: person(),
        process: Process { pid: 1, start_time: 1 },
        door: Door::Libvirt,
    }
}

/// Somebody who came in through the front door.
fn person() -> Authentication {
    let origin = Origin::Local { terminal: "tty1".into() };
    Authentication::Person(Authenticated { origin, service: "login".into(), factors: vec![Factor::Pam] })
}

/// The same process, where nobody has authenticated.
fn without(absence: Absence, subject: Subject) -> Subject {
    Subject { authentication: Authentication::Nobody(absence), ..subject }
}

fn alice() -> Subject {
    subject("alice", 1000, &[("alice", 1000), ("virtwarden-admin", 997)])
}

fn bob() -> Subject {
    subject("bob", 1001, &[("bob", 1001), ("libvirt", 123), ("team", 2000)])
}

fn carol() -> Subject {
    subject("carol", 1002, &[("carol", 1002)])
}

fn vm(name: &str, assignment: Option<Assignment>) -> Object {
    Object::Vm(Vm { uuid: Uuid([7; 16]), name: name.into(), assignment: assignment.map(Arc::new) })
}

fn assigned_to(subject: &Subject) -> Assignment {
    Assignment { users: BTreeSet::from([subject.account.clone()]), ..Assignment::default() }
}

fn assigned_to_group(name: &str, gid: u32) -> Assignment {
    Assignment { groups: BTreeSet::from([Group { name: name.into(), gid }]), ..Assignment::default() }
}

fn in_domain(name: &str) -> Assignment {
    Assignment { information_domain: Some(name.into()), ..Assignment::default() }
}

/// One object of each kind, none of them a VM of anybody's.
fn things() -> Vec<Object> {
    vec![
        Object::Network("default".into()),
        Object::NetworkFilter("clean-traffic".into()),
        Object::Pool("default".into()),
        Object::Volume { pool: "default".into(), name: "disk.qcow2".into() },
        Object::Interface("eth0".into()),
        Object::Device("pci_0000_01_00_0".into()),
        Object::Secret(Uuid([9; 16])),
        Object::Setting("banner".into()),
        Object::Policy,
        Object::Trail,
        vm("finance", None),
        vm("idle", Some(Assignment::default())),
    ]
}

fn function(slug: &str) -> Right {
    Right::Function(Function::from_slug(slug).unwrap())
}

fn ask(
    policy: &Policy,
    subject: &Subject,
    right: Right,
    object: &Object,
) -> Result<Vec<String>, Box<Denial>> {
    let needs = [Need { right, object: object.clone() }];
    let decision = policy.decide(&Request { subject, needs: &needs });
    let may = policy.standing(subject).may(&needs);
    assert_eq!(may, matches!(decision, Decision::Allow(_)), "asking twice, hearing two things");
    match decision {
        Decision::Allow(permit) => Ok(permit.roles().to_vec()),
        Decision::Deny(denial) => Err(Box::new(denial)),
    }
}
