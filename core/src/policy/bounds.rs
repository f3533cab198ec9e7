// SPDX-License-Identifier: Apache-2.0
//! What binds everybody, whoever asks: information domains and raw doors.

use std::error::Error;
use std::fmt;

use crate::object::Assignment;
use crate::policy::Policy;
use crate::policy::place::Place;
use crate::policy::rule::InformationDomain;
use crate::policy::settings::RawDoors;
use crate::xml::facts::{Facts, Link};

/// A definition that no role can have, and the rule that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is violated.
    pub breach: Breach,
    /// Where the rule stands; none if what is missing is a rule.
    pub rule: Option<Place>,
}

/// What is violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A VM of an information domain uses a network that is not listed for it.
    ForeignNetwork {
        /// The network.
        network: String,
        /// The VM's information domain.
        information_domain: String,
    },
    /// A VM outside all information domains uses a network that belongs to one.
    ClaimedNetwork {
        /// The network.
        network: String,
        /// Whose it is.
        information_domain: String,
    },
    /// A VM of an information domain has a link past libvirt's networks.
    Bypass {
        /// Where it leads.
        link: String,
        /// The VM's information domain.
        information_domain: String,
    },
    /// A VM belongs to an information domain that the policy does not define.
    UnknownInformationDomain(String),
    /// The definition opens a raw door while those are shut.
    RawDoor(String),
}

impl Policy {
    /// Judges what a definition contains by the rules that bind everybody.
    ///
    /// # Errors
    /// The first rule that the definition violates.
    pub fn check(&self, facts: &Facts, assignment: Option<&Assignment>) -> Result<(), Violation> {
        self.check_raw_doors(facts)?;
        match assignment.and_then(|assignment| assignment.information_domain.as_deref()) {
            Some(name) => self.check_inside(facts, name),
            None => self.check_outside(facts),
        }
    }

    /// Which information domain a network belongs to.
    pub fn information_domain_of(&self, network: &str) -> Option<&InformationDomain> {
        self.information_domains().find(|domain| domain.networks.contains_key(network))
    }

    fn check_raw_doors(&self, facts: &Facts) -> Result<(), Violation> {
        match (self.vm().raw, facts.raw.first()) {
            (RawDoors::Nobody, Some(door)) => {
                Err(Violation { breach: Breach::RawDoor(door.clone()), rule: Some(self.vm().place.clone()) })
            }
            (RawDoors::Nobody, None) | (RawDoors::Administrator, _) => Ok(()),
        }
    }

    fn check_inside(&self, facts: &Facts, name: &str) -> Result<(), Violation> {
        let Some(domain) = self.information_domain(name) else {
            let breach = Breach::UnknownInformationDomain(name.to_owned());
            return Err(Violation { breach, rule: None });
        };
        let information_domain = domain.name.clone();
        let breach = match facts.links.iter().find(|link| !domain.admits(link)) {
            None => return Ok(()),
            Some(Link::Network(network)) => {
                Breach::ForeignNetwork { network: network.clone(), information_domain }
            }
            Some(Link::Other(link)) => Breach::Bypass { link: link.clone(), information_domain },
        };
        Err(Violation { breach, rule: Some(domain.place.clone()) })
    }

    fn check_outside(&self, facts: &Facts) -> Result<(), Violation> {
        let claimed = facts.links.iter().find_map(|link| match link {
            Link::Network(network) => Some((network, self.information_domain_of(network)?)),
            Link::Other(_) => None,
        });
        let Some((network, domain)) = claimed else { return Ok(()) };
        let (network, information_domain) = (network.clone(), domain.name.clone());
        let breach = Breach::ClaimedNetwork { network, information_domain };
        Err(Violation { breach, rule: Some(domain.place.clone()) })
    }
}

impl InformationDomain {
    fn admits(&self, link: &Link) -> bool {
        match link {
            Link::Network(network) => self.networks.contains_key(network),
            Link::Other(_) => false,
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::ForeignNetwork { network, information_domain } => write!(
                f,
                "a VM of information domain `{information_domain}` may not use network `{network}`, \
                 which is not listed for it"
            ),
            Breach::ClaimedNetwork { network, information_domain } => write!(
                f,
                "network `{network}` belongs to information domain `{information_domain}`, and the VM does not"
            ),
            Breach::Bypass { link, information_domain } => write!(
                f,
                "a VM of information domain `{information_domain}` may only use libvirt networks listed for it, \
                 not `{link}`"
            ),
            Breach::UnknownInformationDomain(name) => {
                write!(f, "the VM belongs to information domain `{name}`, which the policy does not define")
            }
            Breach::RawDoor(door) => write!(f, "`{door}` is a raw door, and raw = \"nobody\" shuts those"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.breach)?;
        self.rule.as_ref().map_or(Ok(()), |rule| write!(f, " (policy rule at {rule})"))
    }
}

impl Error for Violation {}
