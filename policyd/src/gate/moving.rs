// SPDX-License-Identifier: Apache-2.0
//! Media on their way into a VM or out of it: kept for it until libvirtd has answered, then known and on record.

use virtwarden_core::media::Id;
use virtwarden_core::object::{Object, Vm};
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::Way;

use crate::media::{Cleared, Start};
use crate::monitor::{Monitor, actor, target};

/// What moves with a call.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) moving: Vec<Moving>,
    /// Where a VM starts with it: so that the hook knows whose start it is.
    pub(super) _start: Option<Start>,
}

/// A medium that moves if libvirtd says yes.
#[derive(Debug)]
pub(super) struct Moving {
    pub(super) vm: Vm,
    pub(super) way: Way,
    pub(super) medium: Moved,
}

/// The medium.
#[derive(Debug)]
pub(super) enum Moved {
    /// It goes into the VM; nobody else gets it meanwhile.
    In(Box<Cleared>),
    /// It leaves.
    Out(Id),
}

impl Moving {
    /// libvirtd said yes.
    pub(super) fn settle(self, monitor: &Monitor, subject: &Subject) {
        let Moving { vm, way, medium } = self;
        let (id, detail, kept) = match medium {
            Moved::In(cleared) => {
                let (id, name, rule) =
                    (cleared.medium.id.clone(), cleared.medium.name.clone(), cleared.rule.clone());
                let kept = monitor.media().given(*cleared, &vm, &subject.account.name);
                (id, format!("`{name}`, {rule}"), kept)
            }
            Moved::Out(id) => {
                let kept = monitor.media().taken(&id);
                (id, String::new(), kept)
            }
        };
        let (outcome, detail) = match kept {
            Ok(()) => (Outcome::Success, detail),
            Err(error) => (Outcome::Failure, format!("{detail}; who has it cannot be kept: {error}")),
        };
        let roles: Vec<_> =
            monitor.policy().policy.roles(subject).iter().map(|role| role.name.clone()).collect();
        monitor.ledger().note(Event {
            origin: None,
            kind: Kind::Change,
            outcome,
            actor: Some(actor(subject, &roles)),
            operation: way.word().to_owned(),
            functions: vec![Function::ConnectRemovable],
            targets: vec![target(&Object::Vm(vm)), target(&Object::Medium(id.0))],
            detail,
            of: None,
            count: None,
        });
    }
}
