// SPDX-License-Identifier: Apache-2.0
//! What binds everybody, whoever asks: information domains and raw doors.

use std::error::Error;
use std::fmt;

use crate::media::Party;
use crate::object::{Assignment, Sensitivity, Uuid};
use crate::policy::Policy;
use crate::policy::networks::{Claim, Encounter, Network, Networks};
use crate::policy::place::Place;
use crate::policy::settings::RawDoors;
use crate::xml::facts::{Facts, Link};
use crate::xml::redirection::{Filter, Redirection};

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
    /// A VM outside all information domains has a link past libvirt's networks onto one that belongs to one.
    Tap {
        /// The link.
        link: String,
        /// The network that it gets into.
        network: String,
        /// Whose that is.
        information_domain: String,
    },
    /// Two networks that are not of one information domain meet.
    Meeting(Box<Encounter>),
    /// A VM belongs to an information domain that the policy does not define.
    UnknownInformationDomain(String),
    /// The definition opens a raw door while those are shut.
    RawDoor(String),
    /// A sensitive VM has a port for devices.
    Sensitive(String),
    /// USB devices could be redirected into the VM that the rules for media do not let in.
    Redirection,
}

impl Policy {
    /// Judges what a definition contains by the rules that bind everybody, on a host with these networks.
    ///
    /// # Errors
    /// The first rule that the definition violates.
    pub fn check(
        &self,
        facts: &Facts,
        assignment: Option<&Assignment>,
        networks: &Networks,
    ) -> Result<(), Violation> {
        check_sensitivity(facts, assignment.map(|assignment| assignment.sensitivity).unwrap_or_default())?;
        self.check_raw_doors(facts)?;
        self.check_redirection(facts, assignment)?;
        match assignment.and_then(|assignment| assignment.information_domain.as_deref()) {
            Some(name) => self.check_inside(facts, name, networks),
            None => self.check_outside(facts, networks),
        }
    }

    /// Judges a network that is about to be made, changed, started or given to an information domain.
    ///
    /// # Errors
    /// The first other network that it would meet, although they are not of one information domain.
    pub fn check_network(&self, proposed: &Network, networks: &Networks) -> Result<(), Violation> {
        let claim = self.claim_of(proposed);
        let others = networks.iter().filter(|other| !other.is(proposed));
        let met = others.into_iter().find_map(|other| {
            let others = self.claim_of(other);
            let domain = |claim: &Option<Claim>| claim.as_ref().map(|claim| claim.information_domain.clone());
            let (ours, theirs) = (domain(&claim), domain(&others));
            let at = proposed.meets(other).filter(|_| ours != theirs)?;
            let one = (proposed.name.clone(), ours);
            let rule = [&claim, &others].into_iter().flatten().find_map(|claim| claim.rule.clone());
            let encounter = Encounter { one, other: (other.name.clone(), theirs), at };
            Some(Violation { breach: Breach::Meeting(Box::new(encounter)), rule })
        });
        met.map_or(Ok(()), Err)
    }

    /// The USB devices that may be redirected into a VM.
    pub fn redirection(&self, assignment: Option<&Assignment>) -> Filter {
        let domain = assignment.and_then(|assignment| assignment.information_domain.clone());
        // Which VM it is does not matter: rules know those of information domains, and all.
        let party = domain.map_or(Party::Vm(Uuid([0; 16])), Party::InformationDomain);
        Filter::of(self.media_rules(), &party)
    }

    fn check_redirection(&self, facts: &Facts, assignment: Option<&Assignment>) -> Result<(), Violation> {
        match &facts.redirection {
            Redirection::Possible(filter) if filter.as_ref() != Some(&self.redirection(assignment)) => {
                Err(Violation { breach: Breach::Redirection, rule: None })
            }
            Redirection::None | Redirection::Possible(_) => Ok(()),
        }
    }

    fn check_raw_doors(&self, facts: &Facts) -> Result<(), Violation> {
        match (self.vm().raw, facts.raw.first()) {
            (RawDoors::Nobody, Some(door)) => {
                Err(Violation { breach: Breach::RawDoor(door.clone()), rule: Some(self.vm().place.clone()) })
            }
            (RawDoors::Nobody, None) | (RawDoors::Administrator, _) => Ok(()),
        }
    }

    fn check_inside(&self, facts: &Facts, name: &str, networks: &Networks) -> Result<(), Violation> {
        let Some(domain) = self.information_domain(name) else {
            let breach = Breach::UnknownInformationDomain(name.to_owned());
            return Err(Violation { breach, rule: None });
        };
        let information_domain = domain.name.clone();
        let admits = |link: &Link| match link {
            Link::Network(network) => {
                self.claim(network, networks).is_some_and(|claim| claim.information_domain == name)
            }
            Link::Past { .. } => false,
        };
        let breach = match facts.links.iter().find(|link| !admits(link)) {
            None => return Ok(()),
            Some(Link::Network(network)) => {
                Breach::ForeignNetwork { network: network.clone(), information_domain }
            }
            Some(link @ Link::Past { .. }) => Breach::Bypass { link: link.to_string(), information_domain },
        };
        Err(Violation { breach, rule: Some(domain.place.clone()) })
    }

    fn check_outside(&self, facts: &Facts, networks: &Networks) -> Result<(), Violation> {
        facts.links.iter().find_map(|link| self.intrusion(link, networks)).map_or(Ok(()), Err)
    }

    /// How a link of a VM outside all information domains gets into one.
    fn intrusion(&self, link: &Link, networks: &Networks) -> Option<Violation> {
        let (breach, claim) = match link {
            Link::Network(network) => {
                let claim = self.claim(network, networks)?;
                let information_domain = claim.information_domain.clone();
                (Breach::ClaimedNetwork { network: network.clone(), information_domain }, claim)
            }
            Link::Past { .. } => {
                let (network, claim) = self.tapped(link, networks)?;
                let information_domain = claim.information_domain.clone();
                (Breach::Tap { link: link.to_string(), network, information_domain }, claim)
            }
        };
        Some(Violation { breach, rule: claim.rule })
    }

    /// The network of an information domain that a link gets into past libvirt's networks: by a bridge or
    /// device of its, or as the host itself does.
    fn tapped(&self, link: &Link, networks: &Networks) -> Option<(String, Claim)> {
        let Link::Past { kind, onto } = link else { return None };
        networks.iter().find_map(|network| {
            let onto_it = onto.as_deref().is_some_and(|device| network.has(device));
            let as_host = kind == "user" && network.is_reached_by_host();
            let claim = self.claim_of(network).filter(|_| onto_it || as_host)?;
            Some((network.name.clone(), claim))
        })
    }
}

/// A sensitive VM has no port through which something could be plugged in.
///
/// # Errors
/// The first one that it has.
pub fn check_sensitivity(facts: &Facts, sensitivity: Sensitivity) -> Result<(), Violation> {
    match (sensitivity, facts.ports.first()) {
        (Sensitivity::Sensitive, Some(port)) => {
            Err(Violation { breach: Breach::Sensitive(port.clone()), rule: None })
        }
        (Sensitivity::Sensitive, None) | (Sensitivity::Ordinary, _) => Ok(()),
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
            Breach::Tap { link, network, information_domain } => write!(
                f,
                "`{link}` leads past libvirt's networks into network `{network}`, which belongs to information \
                 domain `{information_domain}`, and the VM does not"
            ),
            Breach::Meeting(encounter) => encounter.fmt(f),
            Breach::UnknownInformationDomain(name) => {
                write!(f, "the VM belongs to information domain `{name}`, which the policy does not define")
            }
            Breach::Sensitive(port) => write!(
                f,
                "the VM is sensitive and has no `{port}`; an Administrator may end that with `virtwarden vm sensitive \
                 VM off`"
            ),
            Breach::Redirection => f.write_str(
                "the filter of its USB redirection is not the one that follows from the rules for removable media; \
                 an administrator who defines the VM again (`virsh dumpxml --inactive --security-info`, \
                 `virsh define`) puts it in",
            ),
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
