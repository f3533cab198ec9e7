// SPDX-License-Identifier: Apache-2.0
//! The shipped policy, asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::object::{Assignment, Object, Uuid, Vm};
use crate::policy::decision::Denial;
use crate::policy::request::Need;
use crate::subject::{Account, Door, Group, Process};

pub(super) const DEFAULT: Source<'static> =
    Source { name: "90-default.toml", text: include_str!("../../../policyd/policy.d/90-default.toml") };

pub(super) fn shipped() -> Policy {
    Policy::load(&[DEFAULT]).unwrap()
}

pub(super) fn subject(name: &str, uid: u32, groups: &[(&str, u32)]) -> Subject {
    Subject {
        account: Account { name: name.into(), uid },
        groups: groups.iter().map(|(name, gid)| Group { name: (*name).into(), gid: *gid }).collect(),
        login: None,
        process: Process { pid: 1, start_time: 1 },
        door: Door::Libvirt,
    }
}

pub(super) fn alice() -> Subject {
    subject("alice", 1000, &[("alice", 1000), ("virtwarden-admin", 997)])
}

pub(super) fn bob() -> Subject {
    subject("bob", 1001, &[("bob", 1001), ("libvirt", 123)])
}

pub(super) fn carol() -> Subject {
    subject("carol", 1002, &[("carol", 1002)])
}

pub(super) fn vm(name: &str, assignment: Option<Assignment>) -> Object {
    Object::Vm(Vm { uuid: Uuid([7; 16]), name: name.into(), assignment: assignment.map(Arc::new) })
}

pub(super) fn assigned_to(subject: &Subject) -> Assignment {
    Assignment { users: BTreeSet::from([subject.account.clone()]), ..Assignment::default() }
}

pub(super) fn ask(
    policy: &Policy,
    subject: &Subject,
    right: Right,
    object: Object,
) -> Result<(), Box<Denial>> {
    match policy.decide(&Request { subject, needs: &[Need { right, object }] }) {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(denial) => Err(Box::new(denial)),
    }
}

#[test]
fn bob_starts_his_vm_and_no_other() {
    let policy = shipped();
    let start = Right::Function(Function::Start);
    assert_eq!(ask(&policy, &bob(), start, vm("bobvm", Some(assigned_to(&bob())))), Ok(()));
    assert!(ask(&policy, &bob(), start, vm("finance", None)).is_err());
    assert!(ask(&policy, &bob(), start, vm("finance", Some(assigned_to(&alice())))).is_err());
    assert_eq!(ask(&policy, &alice(), start, vm("finance", None)), Ok(()));
    assert!(ask(&policy, &carol(), start, vm("carolvm", Some(assigned_to(&carol())))).is_err());
}
