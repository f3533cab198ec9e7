// SPDX-License-Identifier: Apache-2.0
//! What the registry learns because VMs come, go and change their names: each change is on record.

use std::time::Instant;

use virtwarden_core::object::{Assignment, Uuid};
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::Subject;

use super::{Monitor, actor};
use crate::kept::StoreError;
use crate::registry::differences;

impl Monitor {
    /// A VM belongs to whoever created it. If that cannot be kept, it belongs to nobody.
    pub fn adopt(&self, subject: &Subject, uuid: Uuid, name: &str) {
        let kept = self.registry.adopt(uuid, name, &subject.account);
        self.record_change(subject, "registry adopt", (uuid, name), kept, "assigned to who created it");
    }

    /// A VM is gone, and with it what was known of its UUID.
    pub fn forget(&self, subject: &Subject, uuid: Uuid) {
        self.close_channels(uuid);
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

    /// A request through the gate made a VM, so that it needs no other explanation.
    pub fn made(&self, uuid: Uuid, now: Instant) {
        self.made.note(uuid, now);
    }

    /// Whether a request through the gate made a VM lately.
    pub fn was_made(&self, uuid: Uuid, now: Instant) -> bool {
        self.made.has(uuid, now)
    }

    /// libvirtd says that VMs are gone, whoever removed them. The records keep what they were assigned to.
    pub fn lost(&self, gone: &[Uuid], why: &str) {
        let entries = self.registry.entries();
        for uuid in gone {
            self.made.forget(*uuid);
            self.close_channels(*uuid);
        }
        let kept = self.registry.forget_all(gone).map_err(|error| error.to_string());
        for (uuid, entry) in gone.iter().filter_map(|uuid| Some((*uuid, entries.get(uuid)?))) {
            let taken = differences(&entry.assignment, &Assignment::default()).join(", ");
            let detail = if taken.is_empty() { why.to_owned() } else { format!("{why}: {taken}") };
            let change = change("registry forget", (uuid, &entry.name), kept.clone(), &detail);
            self.ledger.note(Event { kind: Kind::Observation, ..change });
        }
    }

    /// VMs that libvirtd has. Those that are new to the registry and that no request through the gate made
    /// are on record as seen; they belong to nobody.
    pub fn enroll(&self, vms: Vec<(Uuid, String)>, now: Instant) {
        let entries = self.registry.entries();
        let new: Vec<_> = vms.into_iter().filter(|(uuid, _)| !entries.contains_key(uuid)).collect();
        if new.is_empty() {
            return;
        }
        let kept = self.registry.enroll(&new).map_err(|error| error.to_string());
        for (uuid, name) in new.iter().filter(|(uuid, _)| !self.was_made(*uuid, now)) {
            let seen = change(
                "vm appeared",
                (*uuid, name),
                Ok::<(), StoreError>(()),
                "no request through the gate made it",
            );
            self.ledger.note(Event { kind: Kind::Observation, ..seen });
        }
        if let Err(error) = kept {
            eprintln!("virtwarden-policyd: VMs that appeared will be recorded again: {error}");
        }
    }

    /// A VM that is gone shares nothing any more, and who defines its UUID again inherits no channel.
    fn close_channels(&self, uuid: Uuid) {
        let closed = self.sharing.forget(uuid);
        if matches!(closed, Ok(0)) {
            return;
        }
        let detail = closed
            .as_ref()
            .map_or(String::new(), |closed| format!("{closed} channels closed: the VM is gone"));
        let name = self.registered_name(uuid).unwrap_or_default();
        let change = change("sharing forget", (uuid, &name), closed.map(drop), &detail);
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

fn change<E: std::fmt::Display>(
    operation: &str,
    (uuid, name): (Uuid, &str),
    kept: Result<(), E>,
    detail: &str,
) -> Event {
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
        targets: vec![Target {
            kind: "vm".to_owned(),
            name: Some(name.to_owned()),
            uuid: Some(uuid),
            ..Target::default()
        }],
        detail,
        of: None,
        count: None,
    }
}
