// SPDX-License-Identifier: Apache-2.0
//! `network list` and `show`: whose each network is, who is on it, and what is against the rules.

mod assign;
mod make;

use std::time::Duration;

use virtwarden_core::control::{Failure, NetworkClaim, NetworkRow, NetworkState, NetworkVm, Reply, Request};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::networks::{Claim, Network, Networks};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::facts::{Facts, Link};
use virtwarden_core::xml::nic::Nic;
use virtwarden_core::xml::reach::{Ports, Reach};

pub(super) use self::make::Wish;
use super::failure::{no_network, unavailable};
use super::hypervisor::Seen;
use super::{Control, needs};
use crate::gate::turns::{Matter, Turn};
use crate::monitor::Attempt;

/// The longest wait for another change of the networks.
const PATIENCE: Duration = Duration::from_secs(20);

/// What libvirt has at this moment.
struct Scenery {
    networks: Networks,
    states: Vec<(Uuid, NetworkState)>,
    vms: Vec<(Seen, Vec<Nic>)>,
}

impl Scenery {
    /// The VMs that are plugged into a network, whoever may see them.
    fn on(&self, network: &str) -> impl Iterator<Item = &Seen> {
        let link = Link::Network(network.to_owned());
        let plugged = move |nics: &[Nic]| nics.iter().any(|nic| nic.link == link);
        self.vms.iter().filter(move |(_, nics)| plugged(nics)).map(|(vm, _)| vm)
    }
}

impl Control {
    /// The networks that the asker may see, each with those of its VMs that he may see.
    pub(super) fn network_list(&self, subject: &Subject) -> Result<Reply, Failure> {
        let scenery = self.scenery(subject)?;
        let policy = self.monitor.policy();
        let standing = policy.policy.standing(subject);
        let sees = |row: &NetworkRow| match row.state {
            NetworkState::Direct => standing.sees(&Object::Interface(row.name.clone())),
            NetworkState::Up | NetworkState::Down | NetworkState::Missing => {
                standing.sees(&Object::Network(row.name.clone()))
            }
        };
        let rows = self.network_rows(subject, &scenery);
        Ok(Reply::Networks(rows.into_iter().filter(sees).collect()))
    }

    /// One network.
    pub(super) fn network_show(
        &self,
        subject: &Subject,
        request: &Request,
        typed: &str,
    ) -> Result<Reply, Failure> {
        let scenery = self.scenery(subject)?;
        let rows = self.network_rows(subject, &scenery);
        let (row, attempt) = self.begin_on_network(subject, request, typed, "", rows)?;
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Networks(vec![row]))
    }

    /// Finds a network by what was typed, decides and records. One that the asker may not know of fails in the
    /// same words as one that does not exist.
    fn begin_on_network(
        &self,
        subject: &Subject,
        request: &Request,
        typed: &str,
        detail: &str,
        rows: Vec<NetworkRow>,
    ) -> Result<(NetworkRow, Attempt), Failure> {
        let uuid = Uuid::parse(typed);
        let there = |row: &&NetworkRow| row.state != NetworkState::Direct;
        let by_name = rows.iter().filter(there).find(|row| row.name == typed);
        let found = by_name.or_else(|| rows.iter().find(|row| uuid.is_some() && row.uuid == uuid));
        let object = Object::Network(found.map_or(typed, |row| row.name.as_str()).to_owned());
        let attempt = match self.begin_on(subject, request, detail, &object) {
            Err(failure) if found.is_some_and(|row| failure == no_network(&row.name)) => {
                return Err(no_network(typed));
            }
            other => other?,
        };
        match found {
            Some(row) => Ok((row.clone(), attempt)),
            None => {
                let failure = no_network(typed);
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    /// Nothing else changes networks until it is dropped. Whoever may change none keeps nobody waiting.
    fn turn_on_networks(
        &self,
        subject: &Subject,
        request: &Request,
        typed: &str,
    ) -> Result<Option<Turn>, Failure> {
        if !self.monitor.would_allow(subject, &needs(request, &Object::Network(typed.to_owned()))) {
            return Ok(None);
        }
        let turn = self.desk.turns.wait(Matter::Networks, PATIENCE);
        turn.map(Some).ok_or_else(|| {
            unavailable("another change of the networks is under way, try again when it is done")
        })
    }

    fn scenery(&self, subject: &Subject) -> Result<Scenery, Failure> {
        let present = self.fabric.networks(subject).map_err(unavailable)?;
        let states = present.iter().filter_map(|(network, state)| Some((network.uuid?, *state))).collect();
        let seen = present.into_iter().map(|(network, _)| network).collect();
        let networks = self.monitor.networks().complete(seen);
        let vms = self.hypervisor.vms(subject).map_err(unavailable)?;
        let handles: Vec<_> = vms.iter().map(|vm| (vm.uuid, vm.name.clone())).collect();
        let mut nics = self.fabric.nics(subject, &handles).map_err(unavailable)?;
        let mut of = |vm: &Seen| {
            let at = nics.iter().position(|(uuid, _)| *uuid == vm.uuid);
            at.map(|at| nics.swap_remove(at).1).unwrap_or_default()
        };
        let vms = vms
            .into_iter()
            .map(|vm| {
                let nics = of(&vm);
                (vm, nics)
            })
            .collect();
        Ok(Scenery { networks, states, vms })
    }

    /// Every network and everything else that VMs are plugged into, with the VMs that the asker may see.
    fn network_rows(&self, subject: &Subject, scenery: &Scenery) -> Vec<NetworkRow> {
        let entries = self.monitor.networks().entries();
        let there = |uuid: &Uuid| scenery.networks.iter().any(|network| network.uuid == Some(*uuid));
        let missing = entries.iter().filter(|(uuid, entry)| entry.membership.is_some() && !there(uuid));
        let missing = missing.map(|(uuid, entry)| Network {
            name: entry.name.clone(),
            uuid: Some(*uuid),
            assigned: None,
            reaches: Vec::new(),
        });
        let mut rows: Vec<_> =
            scenery.networks.iter().map(|network| self.network_row(subject, network, scenery)).collect();
        rows.extend(missing.map(|network| self.network_row(subject, &network, scenery)));
        rows.extend(self.direct(subject, scenery));
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        rows
    }

    fn network_row(&self, subject: &Subject, network: &Network, scenery: &Scenery) -> NetworkRow {
        let state = scenery.states.iter().find(|(uuid, _)| Some(*uuid) == network.uuid);
        let own = network.reaches.first().map_or(Ports::Open, |reach| reach.ports);
        let on_it = |nic: &&Nic| nic.link == Link::Network(network.name.clone());
        let isolated = |nic: &Nic| nic.ports.unwrap_or(own);
        NetworkRow {
            name: network.name.clone(),
            uuid: network.uuid,
            state: state.map_or(NetworkState::Missing, |(_, state)| *state),
            claim: self.claim_of(network),
            reaches: network.reaches.clone(),
            vms: self.vms_on(subject, scenery, |nics| nics.iter().find(on_it).map(isolated)),
            trouble: self.trouble(network, scenery),
        }
    }

    /// Bridges and devices of the host that VMs are plugged into past libvirt's networks.
    fn direct(&self, subject: &Subject, scenery: &Scenery) -> Vec<NetworkRow> {
        let past = |nic: &Nic| matches!(nic.link, Link::Past { .. });
        let mut links: Vec<_> = scenery
            .vms
            .iter()
            .flat_map(|(_, nics)| nics)
            .filter(|nic| past(nic))
            .map(|nic| &nic.link)
            .collect();
        links.sort_by_key(|link| link.to_string());
        links.dedup();
        let row = |link: &Link| {
            let plugged = |nic: &Nic| (nic.link == *link).then(|| nic.ports.unwrap_or(Ports::Open));
            NetworkRow {
                name: link.to_string(),
                uuid: None,
                state: NetworkState::Direct,
                claim: None,
                reaches: reach_of(link).into_iter().collect(),
                vms: self.vms_on(subject, scenery, |nics| nics.iter().find_map(plugged)),
                trouble: Vec::new(),
            }
        };
        links.into_iter().map(row).collect()
    }

    fn vms_on(
        &self,
        subject: &Subject,
        scenery: &Scenery,
        ports: impl Fn(&[Nic]) -> Option<Ports>,
    ) -> Vec<NetworkVm> {
        let policy = self.monitor.policy();
        let standing = policy.policy.standing(subject);
        let on_it = scenery.vms.iter().filter_map(|(vm, nics)| {
            let ports = ports(nics)?;
            let visible = standing.sees(&self.monitor.vm(vm.uuid, &vm.name));
            visible.then(|| NetworkVm {
                uuid: vm.uuid,
                name: vm.name.clone(),
                information_domain: self.information_domain_of_vm(vm.uuid),
                ports,
            })
        });
        on_it.collect()
    }

    fn claim_of(&self, network: &Network) -> Option<NetworkClaim> {
        let membership = network.uuid.and_then(|uuid| self.monitor.networks().membership(uuid));
        match self.monitor.policy().policy.claim_of(network) {
            Some(Claim { information_domain, rule: Some(rule) }) => {
                Some(NetworkClaim::Policy { information_domain, rule: rule.to_string() })
            }
            Some(Claim { rule: None, .. }) | None => membership.map(NetworkClaim::Assigned),
        }
    }

    /// What is against the rules of today: it came to be past the gate, or the rules changed.
    fn trouble(&self, network: &Network, scenery: &Scenery) -> Vec<String> {
        let policy = self.monitor.policy();
        let met = policy.policy.check_network(network, &scenery.networks).err();
        let link = Link::Network(network.name.clone());
        let foreign = scenery.on(&network.name).filter_map(|vm| {
            let facts = Facts { links: vec![link.clone()], ..Facts::default() };
            let assignment = self.monitor.registry().vm(vm.uuid);
            let violation = policy.policy.check(&facts, assignment.as_deref(), &scenery.networks).err()?;
            Some(format!("VM `{}` does not start: {violation}", vm.name))
        });
        met.map(|violation| format!("it does not start: {violation}")).into_iter().chain(foreign).collect()
    }

    fn information_domain_of_vm(&self, vm: Uuid) -> Option<String> {
        self.monitor.registry().vm(vm)?.information_domain.clone()
    }
}

/// What a link past libvirt's networks is plugged onto.
fn reach_of(link: &Link) -> Option<Reach> {
    let Link::Past { kind, onto } = link else { return None };
    Some(Reach::onto(kind, onto.clone()))
}
