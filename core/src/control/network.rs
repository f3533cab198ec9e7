// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of networks: whose they are, who is on them, who talks to whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::object::Uuid;
use crate::policy::networks::Network;
use crate::xml::network::Forward;
use crate::xml::reach::{Ports, Reach};

/// What a network was put into, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkMembership {
    /// The information domain.
    pub information_domain: String,
    /// Who did it.
    pub by: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Why a network belongs to an information domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkClaim {
    /// The policy lists it.
    Policy {
        /// The information domain.
        information_domain: String,
        /// Where.
        rule: String,
    },
    /// An Administrator put it there.
    Assigned(NetworkMembership),
}

impl NetworkClaim {
    /// The information domain.
    pub fn information_domain(&self) -> &str {
        match self {
            NetworkClaim::Policy { information_domain, .. } => information_domain,
            NetworkClaim::Assigned(membership) => &membership.information_domain,
        }
    }
}

/// How a network is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkState {
    /// It is up.
    Up,
    /// It is stored and not up.
    Down,
    /// libvirt does not have it; what it was put into is kept.
    Missing,
    /// It is none of libvirt's: a bridge or device of the host that VMs are plugged into directly.
    Direct,
}

/// How a network that is made leads out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayOut {
    /// Nowhere: the host has no address on it.
    Nowhere,
    /// Out through the host, behind its address; nobody gets in.
    Nat,
}

/// A VM on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkVm {
    /// Its identity.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its information domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information_domain: Option<String>,
    /// Whether others on the network reach it.
    pub ports: Ports,
}

/// A network, whose it is and who is on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRow {
    /// Its name.
    pub name: String,
    /// Its identity; none if it is none of libvirt's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// How it is there.
    pub state: NetworkState,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<NetworkClaim>,
    /// What it reaches: as stored and as it is while it is up, where these differ.
    pub reaches: Vec<Reach>,
    /// The VMs on it that the asker may see, running or not.
    pub vms: Vec<NetworkVm>,
    /// What is against the rules, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<String>,
}

impl NetworkRow {
    /// Addresses of the host on it, by which its VMs reach the host.
    pub fn host_addresses(&self) -> Vec<&str> {
        let plain = self.reaches.iter().filter(|reach| !matches!(reach.forward, Forward::Device(_)));
        plain.flat_map(|reach| reach.addresses.iter().map(String::as_str)).collect()
    }

    /// By what its VMs get out of this host; none if they do not.
    pub fn ways_out(&self) -> Vec<&str> {
        let mut ways: Vec<&str> = Vec::new();
        for reach in &self.reaches {
            match &reach.forward {
                Forward::Host(mode) | Forward::Device(mode) if !ways.contains(&mode.as_str()) => {
                    ways.push(mode)
                }
                Forward::Isolated | Forward::Host(_) | Forward::Device(_) => {}
            }
        }
        ways
    }

    fn network(&self) -> Network {
        Network { name: self.name.clone(), uuid: self.uuid, assigned: None, reaches: self.reaches.clone() }
    }
}

/// Two VMs that can talk to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Conversation {
    /// One, by name.
    pub one: String,
    /// The other.
    pub other: String,
    /// Over which networks.
    pub over: Vec<String>,
}

/// Which VMs can talk to each other by the networks they are on, should all run. Filters on single interfaces are
/// not looked at: they only take away.
pub fn conversations(rows: &[NetworkRow]) -> Vec<Conversation> {
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (index, here) in rows.iter().enumerate() {
        for there in rows.iter().skip(index) {
            if !connected(here, there) {
                continue;
            }
            let over = if here.name == there.name {
                here.name.clone()
            } else {
                format!("{}+{}", here.name, there.name)
            };
            for one in &here.vms {
                for other in there.vms.iter().filter(|other| other.uuid != one.uuid) {
                    if is_apart(here, there, one, other) {
                        continue;
                    }
                    let (first, second) = if one.name <= other.name { (one, other) } else { (other, one) };
                    let ways = found.entry((first.name.clone(), second.name.clone())).or_default();
                    if !ways.contains(&over) {
                        ways.push(over.clone());
                    }
                }
            }
        }
    }
    found.into_iter().map(|((one, other), over)| Conversation { one, other, over }).collect()
}

fn connected(here: &NetworkRow, there: &NetworkRow) -> bool {
    here.name == there.name || here.network().meets(&there.network()).is_some()
}

/// Isolated ports of one bridge do not reach each other.
fn is_apart(here: &NetworkRow, there: &NetworkRow, one: &NetworkVm, other: &NetworkVm) -> bool {
    here.name == there.name && one.ports == Ports::Isolated && other.ports == Ports::Isolated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::network::NetworkDefinition;

    fn row(name: &str, inner: &str, vms: &[(&str, u8, Ports)]) -> NetworkRow {
        let text = format!("<network><name>{name}</name>{inner}</network>");
        let vm = |(name, number, ports): &(&str, u8, Ports)| NetworkVm {
            uuid: Uuid([*number; 16]),
            name: (*name).to_owned(),
            information_domain: None,
            ports: *ports,
        };
        NetworkRow {
            name: name.to_owned(),
            uuid: None,
            state: NetworkState::Up,
            claim: None,
            reaches: vec![Reach::of(&NetworkDefinition::parse(text).unwrap())],
            vms: vms.iter().map(vm).collect(),
            trouble: Vec::new(),
        }
    }

    #[test]
    fn vms_talk_over_open_ports_and_between_routed_networks() {
        let (open, isolated) = (Ports::Open, Ports::Isolated);
        let rows = [
            row("red", "<bridge name='r'/>", &[("a", 1, open), ("b", 2, open)]),
            row("blue", "<bridge name='b'/>", &[("c", 3, isolated), ("d", 4, isolated), ("e", 5, open)]),
            row("far", "<forward mode='route'/><bridge name='f'/>", &[("x", 6, isolated)]),
            row("nat", "<forward/><bridge name='n'/>", &[("y", 7, open), ("a", 1, open)]),
        ];
        let talks: Vec<_> = conversations(&rows)
            .into_iter()
            .map(|Conversation { one, other, over }| format!("{one}-{other}: {}", over.join(" ")))
            .collect();
        assert_eq!(talks, ["a-b: red", "a-x: far+nat", "a-y: nat", "c-e: blue", "d-e: blue", "x-y: far+nat"]);
    }

    #[test]
    fn a_row_says_what_leads_out_and_where_the_host_is() {
        let nat = row("nat", "<forward/><ip address='192.168.5.1'/>", &[]);
        assert_eq!((nat.ways_out(), nat.host_addresses()), (vec!["nat"], vec!["192.168.5.1"]));
        let closed = row("red", "<bridge name='r'/>", &[]);
        assert_eq!((closed.ways_out().len(), closed.host_addresses().len()), (0, 0));
    }
}
