// SPDX-License-Identifier: Apache-2.0
//! `vm assign`, `unassign` and `domain`: planned, shown or made, and recorded either way.

use virtwarden_core::control::{Failure, Mode, Presence, Reply, Request, VmRow, VmState};
use virtwarden_core::object::Uuid;
use virtwarden_core::subject::Subject;

use super::conclude::{conclude, prefix};
use super::failure::{failed, not_found};
use super::{Control, people};
use crate::monitor::Attempt;
use crate::registry::{self, People};

/// Accounts and groups as they were typed.
type Names<'a> = (&'a [String], &'a [String]);

impl Control {
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
    pub(super) fn finish(
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
        conclude(attempt, made, mode)
    }

    pub(super) fn is_defined(&self, information_domain: Option<&str>) -> Result<(), Failure> {
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
