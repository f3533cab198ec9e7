// SPDX-License-Identifier: Apache-2.0
//! Whose a network is, and which networks must not meet (Table 3, 5; FDP_VNC_EXT.1).
//!
//! A network that the policy lists belongs to that information domain; any other belongs to the one that an
//! Administrator put it into with `virtwarden network assign`, by its UUID. Networks that are not of one
//! information domain must not meet: whoever is on one would be on the other.

use std::fmt;

use crate::object::Uuid;
use crate::policy::Policy;
use crate::policy::place::Place;
use crate::xml::network::Forward;
use crate::xml::reach::{Meeting, Reach};

/// A network of the host as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name, by which VMs and the policy know it.
    pub name: String,
    /// Its identity; none for one that is about to be made.
    pub uuid: Option<Uuid>,
    /// The information domain that it was put into by its UUID; the policy's word comes first.
    pub assigned: Option<String>,
    /// What it reaches: as it is stored, and as it is while it is up, where these differ.
    pub reaches: Vec<Reach>,
}

/// The networks of the host at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// Whose a network is, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The information domain.
    pub information_domain: String,
    /// Where the policy says so; none if it was assigned.
    pub rule: Option<Place>,
}

/// Two networks that meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// One, with its information domain.
    pub one: (String, Option<String>),
    /// The other, with its own.
    pub other: (String, Option<String>),
    /// Where.
    pub at: Meeting,
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl Networks {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.0.iter()
    }

    /// The one of a name.
    pub fn named(&self, name: &str) -> Option<&Network> {
        self.0.iter().find(|network| network.name == name)
    }
}

impl Network {
    /// Whether a device of the host is part of it.
    pub fn has(&self, device: &str) -> bool {
        self.reaches.iter().any(|reach| reach.has(device))
    }

    /// Whether the host has an address on it, and so reaches its VMs.
    pub fn is_reached_by_host(&self) -> bool {
        self.reaches.iter().any(|reach| {
            matches!(
                (&reach.forward, reach.addresses.as_slice()),
                (Forward::Isolated | Forward::Host(_), [_, ..])
            )
        })
    }

    /// Where it meets another.
    pub fn meets(&self, other: &Self) -> Option<Meeting> {
        self.reaches.iter().find_map(|one| other.reaches.iter().find_map(|other| one.meets(other)))
    }

    /// Whether the two are one network.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name || (self.uuid.is_some() && self.uuid == other.uuid)
    }
}

impl Policy {
    /// Whose the network of a name is.
    pub fn claim(&self, name: &str, networks: &Networks) -> Option<Claim> {
        self.claim_by_name(name).or_else(|| assigned(networks.named(name)?))
    }

    /// Whose a network is.
    pub fn claim_of(&self, network: &Network) -> Option<Claim> {
        self.claim_by_name(&network.name).or_else(|| assigned(network))
    }

    fn claim_by_name(&self, name: &str) -> Option<Claim> {
        self.information_domains().find_map(|domain| {
            let rule = domain.networks.get(name)?.clone();
            Some(Claim { information_domain: domain.name.clone(), rule: Some(rule) })
        })
    }
}

fn assigned(network: &Network) -> Option<Claim> {
    network.assigned.clone().map(|information_domain| Claim { information_domain, rule: None })
}

impl fmt::Display for Encounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = |domain: &Option<String>| match domain {
            Some(name) => format!("of information domain `{name}`"),
            None => "of no information domain".to_owned(),
        };
        let ((one, ones), (other, others)) = (&self.one, &self.other);
        let (ones, others) = (whose(ones), whose(others));
        write!(f, "network `{one}` {ones} would meet network `{other}` {others} ")?;
        match &self.at {
            Meeting::Device(device) => write!(f, "on `{device}`"),
            Meeting::Routing => f.write_str(
                "by the host's routing, which `route`, `open` and untranslated IPv6 let in; use `nat`, or no forwarding",
            ),
        }
    }
}
