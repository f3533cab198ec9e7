// SPDX-License-Identifier: Apache-2.0
//! `role list`, and `role add` and `remove`, which root carries out between two records of ours.

use virtwarden_core::control::{Change, Failure, Membership, Mode, Reply, Request, RoleRow};
use virtwarden_core::policy::request::Right;
use virtwarden_core::policy::rule::Role;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;

use super::failure::{failed, not_found, usage};
use super::{Control, Pending, people};
use crate::monitor::Attempt;

/// A change of who holds a role, as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    /// The role.
    pub(super) role: &'a str,
    /// The account.
    pub(super) user: &'a str,
    /// Which way.
    pub(super) membership: Membership,
    /// Make the change or show it.
    pub(super) mode: Mode,
}

/// A change that was allowed and recorded, and that the client is carrying out.
#[derive(Debug)]
pub(super) struct Announced {
    attempt: Attempt,
    difference: String,
}

impl Announced {
    /// What was allowed and recorded, in words.
    pub(super) fn new(attempt: Attempt, difference: String) -> Self {
        Self { attempt, difference }
    }

    /// Records how it went.
    pub(super) fn finish(self, outcome: Outcome, detail: &str) {
        self.attempt.finish(outcome, detail);
    }
}

impl Control {
    /// The roles and who holds them.
    pub(super) fn role_list(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let policy = self.monitor.policy();
        let rows = policy.policy.rules().map(row).collect();
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Roles(rows))
    }

    /// Decides and records; what is to be done is then done by the client, which must be root for it.
    pub(super) fn role_change(
        &self,
        subject: &Subject,
        request: &Request,
        wish: Wish<'_>,
        pending: &mut Pending,
    ) -> Result<Reply, Failure> {
        if pending.is_some() {
            return Err(usage("say first how the change before this one went"));
        }
        let detail = format!("role {}, user {}", wish.role, wish.user);
        let attempt = self.begin(subject, request, &detail)?;
        match (self.plan(wish), wish.mode) {
            (Err(failure), _) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
            (Ok(None), mode) => {
                attempt.finish(Outcome::Success, "nothing to change");
                Ok(Reply::Changed(Change { mode, differences: Vec::new() }))
            }
            (Ok(Some(plan)), Mode::DryRun) => {
                attempt.finish(Outcome::Success, &format!("dry run: {}", plan.difference));
                Ok(Reply::Changed(Change { mode: Mode::DryRun, differences: vec![plan.difference] }))
            }
            (Ok(Some(plan)), Mode::Apply) => {
                *pending = Some(Box::new(Announced::new(attempt, plan.difference)));
                Ok(Reply::EditGroup { group: plan.group })
            }
        }
    }

    /// Which group to change; none if the person has what is wished already.
    fn plan(&self, wish: Wish<'_>) -> Result<Option<Plan>, Failure> {
        let policy = self.monitor.policy();
        let role = policy.policy.rules().find(|role| role.name == wish.role).ok_or_else(|| {
            not_found(format!("there is no role `{}`; `virtwarden role list` shows them", wish.role))
        })?;
        let group = role.groups.iter().find(|group| people::group(group).is_ok()).ok_or_else(|| {
            failed(format!(
                "no group of this host carries role `{}`; name `{}` in its `users` in the policy",
                wish.role, wish.user
            ))
        })?;
        let account = people::account(wish.user)?;
        let is_member = people::members(group)?.contains(&account.name);
        match wish.membership {
            Membership::Added if is_member => Ok(None),
            Membership::Added => Ok(Some(Plan::new('+', wish, group))),
            Membership::Removed if role.users.contains(&account.name) => Err(failed(format!(
                "the policy names `{}` in role `{}` itself ({}); remove the name there",
                wish.user, wish.role, role.place
            ))),
            Membership::Removed if is_member => Ok(Some(Plan::new('-', wish, group))),
            Membership::Removed => Ok(None),
        }
    }
}

/// What is to be done.
struct Plan {
    group: String,
    difference: String,
}

impl Plan {
    fn new(sign: char, wish: Wish<'_>, group: &str) -> Self {
        let difference = format!("{sign}role {} for {} (group {group})", wish.role, wish.user);
        Self { group: group.to_owned(), difference }
    }
}

/// Ends an announced change in the words of whoever carried it out.
pub(super) fn done(pending: &mut Pending, outcome: Outcome, detail: &str) -> Result<Reply, Failure> {
    let Some(announced) = pending.take() else {
        return Err(usage("no change of a role was announced on this connection"));
    };
    let differences = match outcome {
        Outcome::Success => vec![announced.difference.clone()],
        Outcome::Failure => Vec::new(),
        Outcome::Pending | Outcome::Denied | Outcome::Unknown => {
            return Err(usage("a change of a role ends in success or failure"));
        }
    };
    let said = if detail.is_empty() { announced.difference.as_str() } else { detail };
    announced.attempt.finish(outcome, said);
    Ok(Reply::Changed(Change { mode: Mode::Apply, differences }))
}

fn row(role: &Role) -> RoleRow {
    let listed = role.groups.iter().flat_map(|group| people::members(group).unwrap_or_default());
    let mut members: Vec<_> = role.users.iter().cloned().chain(listed).collect();
    members.sort_unstable();
    members.dedup();
    let held = |function: &Function| role.holds(Right::Function(*function));
    RoleRow {
        name: role.name.clone(),
        column: role.column,
        users: role.users.iter().cloned().collect(),
        groups: role.groups.iter().cloned().collect(),
        services: role.services.iter().cloned().collect(),
        members,
        functions: Function::ALL.into_iter().filter(held).collect(),
    }
}
