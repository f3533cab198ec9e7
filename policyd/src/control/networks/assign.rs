// SPDX-License-Identifier: Apache-2.0
//! `network assign` and `unassign`: planned, shown or made, and recorded either way.

use std::time::UNIX_EPOCH;

use virtwarden_core::control::{
    Failure, Mode, NetworkClaim, NetworkMembership, NetworkRow, Reply, Request, VmState,
};
use virtwarden_core::policy::networks::Network;
use virtwarden_core::subject::Subject;

use super::super::conclude::{conclude, prefix};
use super::super::failure::failed;
use super::{Control, Scenery};
use crate::monitor::Attempt;
use crate::networks;

impl Control {
    /// Puts a network into an information domain, or (`to` is none) takes it out of the one it was put into.
    pub(in crate::control) fn network_assign(
        &self,
        subject: &Subject,
        request: &Request,
        typed: &str,
        to: Option<&str>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let _turn = self.turn_on_networks(subject, request, typed)?;
        let scenery = self.scenery(subject)?;
        let rows = self.network_rows(subject, &scenery);
        let wish = format!("{}to {}", prefix(mode), to.unwrap_or("none"));
        let (row, attempt) = self.begin_on_network(subject, request, typed, &wish, rows)?;
        let membership = to.map(|information_domain| self.membership(subject, information_domain));
        let plan = self.judge_membership(&row, to, &scenery).and_then(|()| {
            let uuid =
                row.uuid.ok_or_else(|| failed(format!("`{}` is not a network of libvirt's", row.name)))?;
            Ok(self.monitor.networks().plan(uuid, &row.name, membership))
        });
        self.finish_network(attempt, plan, mode)
    }

    /// Who puts what where, and when.
    pub(super) fn membership(&self, subject: &Subject, information_domain: &str) -> NetworkMembership {
        let person = subject.login.as_ref().map_or(&subject.account, |login| &login.account);
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        let information_domain = information_domain.to_owned();
        NetworkMembership { information_domain, by: person.name.clone(), at: since.as_secs() }
    }

    fn judge_membership(&self, row: &NetworkRow, to: Option<&str>, scenery: &Scenery) -> Result<(), Failure> {
        if let Some(NetworkClaim::Policy { information_domain, rule }) = &row.claim {
            return Err(failed(format!(
                "the policy lists network `{}` for information domain `{information_domain}` at {rule}; what the \
                 policy says is changed there",
                row.name
            )));
        }
        self.is_defined(to)?;
        self.is_empty_of_others(row, to, scenery)?;
        let Some(present) = scenery.networks.named(&row.name) else { return Ok(()) };
        let proposed = Network { assigned: to.map(str::to_owned), ..present.clone() };
        let checked = self.monitor.policy().policy.check_network(&proposed, &scenery.networks);
        checked.map_err(|violation| failed(violation.to_string()))
    }

    /// A VM that runs on the network is connected to it: it must belong there afterwards, too.
    fn is_empty_of_others(
        &self,
        row: &NetworkRow,
        to: Option<&str>,
        scenery: &Scenery,
    ) -> Result<(), Failure> {
        let stranger = scenery.on(&row.name).find(|vm| {
            vm.state != VmState::ShutOff && self.information_domain_of_vm(vm.uuid).as_deref() != to
        });
        stranger.map_or(Ok(()), |vm| {
            let there = to.map_or_else(
                || "no information domain".to_owned(),
                |to| format!("information domain `{to}`"),
            );
            Err(failed(format!(
                "VM `{}` runs on network `{}` and does not belong to {there}; shut it down, or detach it",
                vm.name, row.name
            )))
        })
    }

    /// Makes a planned change, or not, and records how it ended.
    fn finish_network(
        &self,
        attempt: Attempt,
        plan: Result<networks::Change, Failure>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let made = plan.and_then(|plan| {
            let differences = plan.differences();
            if mode == Mode::Apply && !differences.is_empty() {
                self.monitor.networks().apply(&plan).map_err(|error| failed(error.to_string()))?;
            }
            Ok(differences)
        });
        conclude(attempt, made, mode)
    }
}
