// SPDX-License-Identifier: Apache-2.0
//! `status`, `table` and `whoami`: what anybody may ask.

use std::collections::BTreeSet;

use virtwarden_core::control::{Lock, SessionRow, Status, StatusDetails, TableRow, Whoami};
use virtwarden_core::object::Object;
use virtwarden_core::policy::request::Right;
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::{Column, Function};

use super::Control;
use super::policy::digest;
use crate::kept::Condition;

impl Control {
    /// How policyd is. Details are for those who may see the policy.
    pub(super) fn status(&self, subject: &Subject) -> Status {
        let policy = self.monitor.policy();
        let sees = policy.policy.standing(subject).sees(&Object::Policy);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            roles: policy.policy.roles(subject).iter().map(|role| role.name.clone()).collect(),
            details: sees.then(|| self.details(subject)),
        }
    }

    fn details(&self, subject: &Subject) -> StatusDetails {
        let (policy, entries) = (self.monitor.policy(), self.monitor.registry().entries());
        let assigned = entries
            .values()
            .filter(|entry| !entry.assignment.users.is_empty() || !entry.assignment.groups.is_empty());
        let open = |session: &SessionRow| session.until.is_none();
        let sessions: Vec<_> = self.monitor.sessions().rows().into_iter().filter(open).collect();
        let libvirt = self.hypervisor.version(subject);
        let trail = self.archive.state();
        let mut warnings: Vec<String> = libvirt.as_ref().err().into_iter().cloned().collect();
        warnings.extend(self.stores().into_iter().filter_map(Condition::warning).map(str::to_owned));
        warnings.extend(self.lost(subject));
        warnings.extend(trail.warning);
        StatusDetails {
            policy_hash: digest(&policy.files).to_string(),
            policy_files: policy.files.iter().map(|file| file.path.display().to_string()).collect(),
            registered: count(entries.len()),
            assigned: count(assigned.count()),
            libvirt: libvirt.unwrap_or_else(|why| why),
            trail: trail.text,
            sessions: count(sessions.len()),
            raised: count(sessions.iter().filter(|session| session.raised_until.is_some()).count()),
            locked: self.locked(),
            warnings,
        }
    }

    /// How all that policyd keeps was found when it started.
    fn stores(&self) -> [&Condition; 7] {
        [
            self.monitor.registry().condition(),
            self.settings.condition(),
            self.logins.lockouts.condition(),
            self.monitor.sharing().condition(),
            self.monitor.networks().condition(),
            self.monitor.media().condition(),
            self.former.condition(),
        ]
    }

    /// The accounts that a lock keeps out somewhere.
    fn locked(&self) -> Vec<String> {
        let rows = self.lockout_rows().into_iter();
        let kept_out = rows.filter(|row| match row.lock {
            Lock::Open | Lock::Spared => false,
            Lock::Until(_) | Lock::UntilUnlocked => true,
        });
        let names: BTreeSet<_> = kept_out.map(|row| row.account).collect();
        names.into_iter().collect()
    }

    /// Table 3 and who has what here.
    pub(super) fn table(&self) -> Vec<TableRow> {
        let policy = self.monitor.policy();
        let holders = |function| {
            let roles = policy.policy.rules().filter(move |role| role.holds(Right::Function(function)));
            roles.map(|role| role.name.clone()).collect()
        };
        let row = |function: Function| TableRow {
            function,
            administrator: function.cell(Column::Administrator),
            user: function.cell(Column::User),
            roles: holders(function),
        };
        Function::ALL.into_iter().map(row).collect()
    }

    /// Who the asker is and what he holds.
    pub(super) fn whoami(&self, subject: &Subject) -> Whoami {
        let policy = self.monitor.policy();
        let roles = policy.policy.roles(subject);
        let held = |function: &Function| roles.iter().any(|role| role.holds(Right::Function(*function)));
        Whoami {
            authentication: subject.authentication.clone(),
            withheld: policy.policy.withheld(subject).iter().map(|role| role.name.clone()).collect(),
            account: subject.account.clone(),
            login: subject.login.as_ref().map(|login| login.account.clone()),
            groups: subject.groups.clone(),
            functions: Function::ALL.into_iter().filter(held).collect(),
            roles: roles.iter().map(|role| role.name.clone()).collect(),
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
