// SPDX-License-Identifier: Apache-2.0
//! `vm list` and `show`, and how a VM that is named is found.

mod create;
mod sensitive;
mod templates;
mod workshop;

use std::collections::HashSet;

use virtwarden_core::control::{Failure, Presence, Reply, Request, VmRow, VmState};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

pub use self::workshop::{Disk, Workshop};
use super::failure::{no_vm, unavailable};
use super::hypervisor::Seen;
use super::{Control, Flow, Listener};
use crate::monitor::Attempt;

impl Control {
    /// The VMs that the asker may see. Those that libvirt lost are shown to whoever may see them.
    pub(super) fn vm_list(&self, subject: &Subject, listener: &mut dyn Listener) -> Result<Reply, Failure> {
        let policy = self.monitor.policy();
        let standing = policy.policy.standing(subject);
        let mut replies = 0;
        for row in self.rows(subject)? {
            if standing.sees(&self.monitor.vm(row.uuid, &row.name)) {
                replies += 1;
                if listener.take(Reply::Vm(row)) == Flow::Stop {
                    break;
                }
            }
        }
        Ok(Reply::End { replies })
    }

    /// One VM.
    pub(super) fn vm_show(&self, subject: &Subject, request: &Request, vm: &str) -> Result<Reply, Failure> {
        let (row, attempt) = self.begin_on_vm(subject, request, vm, "")?;
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Vm(row))
    }

    /// Finds a VM by what was typed, decides and records. A VM that the asker may not know of fails
    /// in the same words as one that does not exist.
    pub(super) fn begin_on_vm(
        &self,
        subject: &Subject,
        request: &Request,
        typed: &str,
        detail: &str,
    ) -> Result<(VmRow, Attempt), Failure> {
        let row = self.find(subject, typed)?;
        let object = self.monitor.vm(row.uuid, &row.name);
        match self.begin_on(subject, request, detail, &object) {
            Ok(attempt) => Ok((row, attempt)),
            Err(failure) if failure == no_vm(&row.name) => Err(no_vm(typed)),
            Err(failure) => Err(failure),
        }
    }

    /// A VM by name or UUID.
    pub(super) fn find(&self, subject: &Subject, typed: &str) -> Result<VmRow, Failure> {
        let uuid = Uuid::parse(typed);
        let rows = self.rows(subject)?;
        let by_name = rows.iter().find(|row| row.name == typed);
        let found = by_name.or_else(|| rows.iter().find(|row| uuid == Some(row.uuid)));
        found.cloned().ok_or_else(|| no_vm(typed))
    }

    /// A VM as a decision sees it, by name or UUID.
    pub(super) fn vm_object(&self, subject: &Subject, typed: &str) -> Result<Object, Failure> {
        self.find(subject, typed).map(|row| self.monitor.vm(row.uuid, &row.name))
    }

    /// Every VM: those that libvirt has, then those that only the registry knows.
    fn rows(&self, subject: &Subject) -> Result<Vec<VmRow>, Failure> {
        let seen = self.hypervisor.vms(subject).map_err(unavailable)?;
        let entries = self.monitor.registry().entries();
        let known: HashSet<_> = seen.iter().map(|vm| vm.uuid).collect();
        let missing = entries.iter().filter(|(uuid, entry)| entry.is_assigned() && !known.contains(uuid));
        let missing: Vec<_> = missing.map(|(uuid, entry)| (*uuid, entry.name.clone())).collect();
        let mut rows: Vec<_> = seen.into_iter().map(|vm| self.present(vm)).collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        rows.extend(missing.into_iter().map(|(uuid, name)| self.missing(uuid, name)));
        Ok(rows)
    }

    /// VMs that the registry knows and libvirt does not have, for Administrators.
    pub(super) fn lost(&self, subject: &Subject) -> Option<String> {
        let rows = self.rows(subject).ok()?;
        let lost = rows.iter().filter(|row| row.presence == Presence::Missing);
        let lost: Vec<_> = lost.map(|row| format!("`{}` ({})", row.name, row.uuid)).collect();
        (!lost.is_empty()).then(|| {
            format!(
                "the registry has VMs that libvirt does not have: {}, removed past the gate; \
                 take them out with `virtwarden vm unassign`",
                lost.join(", ")
            )
        })
    }

    fn present(&self, Seen { uuid, name, state }: Seen) -> VmRow {
        self.monitor.notice_name(uuid, &name);
        let assignment = self.monitor.registry().vm(uuid).as_deref().cloned();
        VmRow { uuid, name, state, presence: Presence::Present, assignment }
    }

    fn missing(&self, uuid: Uuid, name: String) -> VmRow {
        let assignment = self.monitor.registry().vm(uuid).as_deref().cloned();
        VmRow { uuid, name, state: VmState::Unknown, presence: Presence::Missing, assignment }
    }
}
