// SPDX-License-Identifier: Apache-2.0
//! What the registry learns because VMs come, go and change their names: each change is on record.

use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::Subject;

use super::{Monitor, actor};
use crate::registry::StoreError;

impl Monitor {
    /// A VM belongs to whoever created it. If that cannot be kept, it belongs to nobody.
    pub fn adopt(&self, subject: &Subject, uuid: Uuid, name: &str) {
        let kept = self.registry.adopt(uuid, name, &subject.account);
        self.record_change(subject, "registry adopt", (uuid, name), kept, "assigned to who created it");
    }

    /// A VM is gone, and with it what was known of its UUID.
    pub fn forget(&self, subject: &Subject, uuid: Uuid) {
        let Some(name) = self.registered_name(uuid) else { return };
        let kept = self.registry.forget(uuid);
        self.record_change(subject, "registry forget", (uuid, &name), kept, "the VM is gone");
    }

    /// A VM has a new name.
    pub fn rename(&self, subject: &Subject, uuid: Uuid, name: &str) {
        let Some(before) = self.registered_name(uuid).filter(|before| before != name) else { return };
        let kept = self.registry.renamed(uuid, name);
        self.record_change(subject, "registry rename", (uuid, name), kept, &format!("before: `{before}`"));
    }

    /// A VM turned out to have another name than the registry knew: it was renamed past the gate.
    pub fn notice_name(&self, uuid: Uuid, name: &str) {
        let Some(before) = self.registered_name(uuid).filter(|before| before != name) else { return };
        let kept = self.registry.renamed(uuid, name);
        let change = change("registry rename", (uuid, name), kept, &format!("seen; before: `{before}`"));
        self.ledger.note(Event { kind: Kind::Observation, ..change });
    }

    fn registered_name(&self, uuid: Uuid) -> Option<String> {
        self.registry.entries().get(&uuid).map(|entry| entry.name.clone())
    }

    fn record_change(
        &self,
        subject: &Subject,
        operation: &str,
        vm: (Uuid, &str),
        kept: Result<(), StoreError>,
        detail: &str,
    ) {
        let roles: Vec<_> =
            self.policy().policy.roles(subject).iter().map(|role| role.name.clone()).collect();
        let change = change(operation, vm, kept, detail);
        self.ledger.note(Event { actor: Some(actor(subject, &roles)), ..change });
    }
}

fn change(operation: &str, (uuid, name): (Uuid, &str), kept: Result<(), StoreError>, detail: &str) -> Event {
    let (outcome, detail) = match kept {
        Ok(()) => (Outcome::Success, detail.to_owned()),
        Err(error) => (Outcome::Failure, error.to_string()),
    };
    Event {
        origin: None,
        kind: Kind::Change,
        outcome,
        actor: None,
        operation: operation.to_owned(),
        functions: Vec::new(),
        targets: vec![Target { kind: "vm".to_owned(), name: Some(name.to_owned()), uuid: Some(uuid) }],
        detail,
        of: None,
        count: None,
    }
}
