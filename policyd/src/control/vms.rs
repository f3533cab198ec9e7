// SPDX-License-Identifier: Apache-2.0
//! `vm list`, `show`, `assign`, `unassign` and `domain`.

use virtwarden_core::control::{Change, Failure, Mode, Presence, Reply, Request, VmRow, VmState};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

use super::failure::{failed, no_vm, not_found, unavailable};
use super::hypervisor::Seen;
use super::{Control, people};
use crate::monitor::Attempt;
use crate::registry::{self, People};

/// Accounts and groups as they were typed.
type Names<'a> = (&'a [String], &'a [String]);

impl Control {
    /// The VMs that the asker may see. Those that libvirt lost are shown to whoever may see them.
    pub(super) fn vm_list(&self, subject: &Subject) -> Result<Reply, Failure> {
        let policy = self.monitor.policy();
        let standing = policy.policy.standing(subject);
        let sees = |row: &VmRow| standing.sees(&self.monitor.vm(row.uuid, &row.name));
        Ok(Reply::Vms(self.rows(subject)?.into_iter().filter(sees).collect()))
    }

    /// One VM.
    pub(super) fn vm_show(&self, subject: &Subject, request: &Request, vm: &str) -> Result<Reply, Failure> {
        let (row, attempt) = self.begin_on_vm(subject, request, vm, "")?;
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Vms(vec![row]))
    }

    /// Gives a VM to more people.
    pub(super) fn vm_assign(
        &self,
        subject: &Subject,
        request: &Request,
        vm: &str,
        names: Names<'_>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        self.change_people(subject, request, vm, names, mode, registry::Registry::plan_assign)
    }

    /// Takes a VM from people, or from everybody.
    pub(super) fn vm_unassign(
        &self,
        subject: &Subject,
        request: &Request,
        vm: &str,
        names: Names<'_>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        self.change_people(subject, request, vm, names, mode, registry::Registry::plan_unassign)
    }

    /// Moves a VM to an information domain, or to none. The VM must be shut off: one that runs is
    /// connected to the networks of the information domain that it would leave.
    pub(super) fn vm_domain(
        &self,
        subject: &Subject,
        request: &Request,
        vm: &str,
        to: Option<&str>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let wish = format!("{}to {}", prefix(mode), to.unwrap_or("none"));
        let (row, attempt) = self.begin_on_vm(subject, request, vm, &wish)?;
        let plan = self.monitor.registry().plan_information_domain(row.uuid, &row.name, to);
        let allowed = self.is_defined(to).and_then(|()| is_at_rest(&row, &plan));
        self.finish(attempt, allowed.map(|()| plan), mode)
    }

    fn change_people(
        &self,
        subject: &Subject,
        request: &Request,
        vm: &str,
        (users, groups): Names<'_>,
        mode: Mode,
        plan: impl FnOnce(&registry::Registry, Uuid, &str, &People) -> registry::Change,
    ) -> Result<Reply, Failure> {
        let wish = format!("{}users [{}], groups [{}]", prefix(mode), users.join(" "), groups.join(" "));
        let (row, attempt) = self.begin_on_vm(subject, request, vm, &wish)?;
        let people = self.people(row.uuid, users, groups);
        let plan = people.map(|people| plan(self.monitor.registry(), row.uuid, &row.name, &people));
        self.finish(attempt, plan, mode)
    }

    /// Finds the people who are named. Whoever has the VM already is found by that name too, so that
    /// an account that is gone can still lose it.
    fn people(&self, vm: Uuid, users: &[String], groups: &[String]) -> Result<People, Failure> {
        let assignment = self.monitor.registry().vm(vm).unwrap_or_default();
        let mut people = People::default();
        for name in users {
            let gone: Vec<_> = assignment.users.iter().filter(|user| user.name == *name).cloned().collect();
            match people::account(name) {
                Err(failure) if gone.is_empty() => return Err(failure),
                found => people.users.extend(found.into_iter().chain(gone)),
            }
        }
        for name in groups {
            let gone: Vec<_> =
                assignment.groups.iter().filter(|group| group.name == *name).cloned().collect();
            match people::group(name) {
                Err(failure) if gone.is_empty() => return Err(failure),
                found => people.groups.extend(found.into_iter().chain(gone)),
            }
        }
        Ok(people)
    }

    /// Makes a planned change, or not, and records how it ended.
    fn finish(
        &self,
        attempt: Attempt,
        plan: Result<registry::Change, Failure>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let made = plan.and_then(|plan| {
            let differences = plan.differences();
            if mode == Mode::Apply && !differences.is_empty() {
                self.monitor.registry().apply(&plan).map_err(|error| failed(error.to_string()))?;
            }
            Ok(differences)
        });
        match made {
            Ok(differences) => {
                attempt.finish(Outcome::Success, &format!("{}{}", prefix(mode), differences.join(", ")));
                Ok(Reply::Changed(Change { mode, differences }))
            }
            Err(failure) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    /// Finds a VM by what was typed, decides and records. A VM that the asker may not know of fails
    /// in the same words as one that does not exist.
    fn begin_on_vm(
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
        let missing = entries.iter().filter(|(uuid, _)| seen.iter().all(|vm| vm.uuid != **uuid));
        let missing: Vec<_> = missing.map(|(uuid, entry)| (*uuid, entry.name.clone())).collect();
        let mut rows: Vec<_> = seen.into_iter().map(|vm| self.present(vm)).collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        rows.extend(missing.into_iter().map(|(uuid, name)| self.missing(uuid, name)));
        Ok(rows)
    }

    fn present(&self, Seen { uuid, name, state }: Seen) -> VmRow {
        let assignment = self.monitor.registry().vm(uuid).as_deref().cloned();
        VmRow { uuid, name, state, presence: Presence::Present, assignment }
    }

    fn missing(&self, uuid: Uuid, name: String) -> VmRow {
        let assignment = self.monitor.registry().vm(uuid).as_deref().cloned();
        VmRow { uuid, name, state: VmState::Unknown, presence: Presence::Missing, assignment }
    }

    fn is_defined(&self, information_domain: Option<&str>) -> Result<(), Failure> {
        let policy = self.monitor.policy();
        let Some(name) = information_domain else { return Ok(()) };
        if policy.policy.information_domain(name).is_some() {
            return Ok(());
        }
        let names: Vec<_> =
            policy.policy.information_domains().map(|domain| format!("`{}`", domain.name)).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Err(not_found(format!(
            "the policy defines no information domain `{name}`, only {known}; add `[information-domain.{name}]` \
             to a file in /etc/virtwarden/policy.d and run `virtwarden policy reload`"
        )))
    }
}

fn is_at_rest(row: &VmRow, plan: &registry::Change) -> Result<(), Failure> {
    if plan.differences().is_empty() {
        return Ok(());
    }
    match (row.presence, row.state) {
        (Presence::Missing, _) | (Presence::Present, VmState::ShutOff) => Ok(()),
        (
            Presence::Present,
            VmState::Running
            | VmState::Paused
            | VmState::ShuttingDown
            | VmState::Crashed
            | VmState::Suspended
            | VmState::Unknown,
        ) => Err(failed(format!(
            "VM `{}` is not shut off; shut it down, then change its information domain",
            row.name
        ))),
    }
}

fn prefix(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "",
        Mode::DryRun => "dry run: ",
    }
}
