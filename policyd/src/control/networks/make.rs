// SPDX-License-Identifier: Apache-2.0
//! `network create` and `delete`: a network from a template, made through libvirtd, and gone again.

use virtwarden_core::control::{
    Failure, FailureKind, Mode, NetworkRow, NetworkState, Reply, Request, WayOut,
};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::networks::{Network, Networks};
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::network::NetworkDefinition;
use virtwarden_core::xml::reach::{Ports, Reach};

use super::super::conclude::{conclude, prefix};
use super::super::failure::{denied, failed, usage};
use super::super::identity::fresh_uuid;
use super::super::needs;
use super::{Control, Scenery};

const ISOLATED: &str = include_str!("../../../../xml-templates/network-isolated.xml");
const NAT: &str = include_str!("../../../../xml-templates/network-nat.xml");
/// The bridges of networks that are made here begin with this: by it, libvirt's hook knows them.
const BRIDGE: &str = "vwn-";
/// The longest name of an interface that Linux takes.
const INTERFACE: usize = 15;
/// The longest name of a network that is made here.
const NAME: usize = 50;

/// The network that somebody wants.
pub(in crate::control) struct Wish<'a> {
    pub(in crate::control) network: &'a str,
    pub(in crate::control) information_domain: &'a str,
    pub(in crate::control) way_out: WayOut,
    pub(in crate::control) ports: Ports,
}

/// A network that is about to be made.
struct Draft {
    uuid: Uuid,
    text: String,
    network: Network,
}

impl Control {
    /// Makes a network of an information domain, starts it, and has it started with the host.
    pub(in crate::control) fn network_create(
        &self,
        subject: &Subject,
        request: &Request,
        wish: &Wish<'_>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let _turn = self.turn_on_networks(subject, request, wish.network)?;
        let object = Object::Network(wish.network.to_owned());
        let detail = format!("{}of information domain {}", prefix(mode), wish.information_domain);
        let begun = self.begin_on(subject, request, &detail, &object);
        let attempt = begun.map_err(|failure| match failure.kind {
            // What he names himself is no secret.
            FailureKind::NotFound => denied(self.why_not(subject, &needs(request, &object))),
            FailureKind::Usage | FailureKind::Denied | FailureKind::Unavailable | FailureKind::Error => {
                failure
            }
        })?;
        let made = self.draft(subject, wish).and_then(|draft| match mode {
            Mode::DryRun => Ok(draft.differences(wish)),
            Mode::Apply => self.build(subject, wish, &draft),
        });
        conclude(attempt, made, mode)
    }

    /// Stops a network that no VM is plugged into, and removes it and what it was put into.
    pub(in crate::control) fn network_delete(
        &self,
        subject: &Subject,
        request: &Request,
        typed: &str,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let _turn = self.turn_on_networks(subject, request, typed)?;
        let scenery = self.scenery(subject)?;
        let rows = self.network_rows(subject, &scenery);
        let (row, attempt) = self.begin_on_network(subject, request, typed, prefix(mode), rows)?;
        let removed = self.is_unplugged(&row, &scenery).and_then(|()| match mode {
            Mode::DryRun => Ok(()),
            Mode::Apply => self.remove(subject, &row),
        });
        conclude(attempt, removed.map(|()| vec![format!("-network {}", row.name)]), mode)
    }

    fn draft(&self, subject: &Subject, wish: &Wish<'_>) -> Result<Draft, Failure> {
        is_plain(wish.network)?;
        self.is_defined(Some(wish.information_domain))?;
        let present = self.fabric.networks(subject).map_err(super::unavailable)?;
        let networks =
            self.monitor.networks().complete(present.into_iter().map(|(network, _)| network).collect());
        if networks.named(wish.network).is_some() {
            return Err(failed(format!("there is a network `{}` already", wish.network)));
        }
        let uuid = fresh_uuid()?;
        let text = written(wish, uuid, &networks)?;
        let definition = NetworkDefinition::parse(&text).map_err(|error| failed(error.to_string()))?;
        let network = Network {
            name: wish.network.to_owned(),
            uuid: Some(uuid),
            assigned: Some(wish.information_domain.to_owned()),
            reaches: vec![Reach::of(&definition)],
        };
        self.judge_draft(wish, &network, &networks)?;
        Ok(Draft { uuid, text, network })
    }

    /// The policy may list the name for another information domain, or the network may meet another.
    fn judge_draft(&self, wish: &Wish<'_>, network: &Network, networks: &Networks) -> Result<(), Failure> {
        let policy = self.monitor.policy();
        let claim = policy.policy.claim_of(network);
        if let Some(claim) = claim.filter(|claim| claim.information_domain != wish.information_domain) {
            let (name, domain) = (wish.network, claim.information_domain);
            return Err(failed(format!(
                "the policy lists network `{name}` for information domain `{domain}`"
            )));
        }
        policy.policy.check_network(network, networks).map_err(|violation| failed(violation.to_string()))
    }

    /// It belongs to the information domain before it is there. If it does not come to be, neither does that.
    fn build(&self, subject: &Subject, wish: &Wish<'_>, draft: &Draft) -> Result<Vec<String>, Failure> {
        let book = self.monitor.networks();
        let membership = self.membership(subject, wish.information_domain);
        let plan = book.plan(draft.uuid, wish.network, Some(membership));
        book.apply(&plan).map_err(|error| failed(error.to_string()))?;
        if let Err(why) = self.fabric.make(subject, wish.network, draft.uuid, &draft.text) {
            let _forgotten = book.apply(&book.plan(draft.uuid, wish.network, None));
            return Err(failed(why));
        }
        Ok(draft.differences(wish))
    }

    fn remove(&self, subject: &Subject, row: &NetworkRow) -> Result<(), Failure> {
        let uuid = row.uuid.ok_or_else(|| failed(format!("`{}` is not a network of libvirt's", row.name)))?;
        if row.state != NetworkState::Missing {
            self.fabric.remove(subject, (&row.name, uuid), row.state).map_err(failed)?;
        }
        let book = self.monitor.networks();
        book.apply(&book.plan(uuid, &row.name, None)).map_err(|error| failed(error.to_string()))
    }

    fn is_unplugged(&self, row: &NetworkRow, scenery: &Scenery) -> Result<(), Failure> {
        let plugged = scenery.on(&row.name).next();
        plugged.map_or(Ok(()), |vm| {
            Err(failed(format!(
                "VM `{}` is plugged into network `{}`; detach it first, with `virsh detach-interface`",
                vm.name, row.name
            )))
        })
    }
}

impl Draft {
    /// One line for each thing that comes to be.
    fn differences(&self, wish: &Wish<'_>) -> Vec<String> {
        let addresses = self.network.reaches.iter().flat_map(|reach| &reach.addresses);
        let ports = match wish.ports {
            Ports::Open => "its VMs reach each other",
            Ports::Isolated => "its VMs do not reach each other",
        };
        let network = format!("+network {} of information domain {}", wish.network, wish.information_domain);
        let host =
            addresses.map(|address| format!("+address {address} of this host on it, with DHCP and DNS"));
        [network].into_iter().chain(host).chain([ports.to_owned()]).collect()
    }
}

/// The template, filled in.
fn written(wish: &Wish<'_>, uuid: Uuid, networks: &Networks) -> Result<String, Failure> {
    let isolated = match wish.ports {
        Ports::Open => "no",
        Ports::Isolated => "yes",
    };
    let text = match wish.way_out {
        WayOut::Nowhere => ISOLATED.to_owned(),
        WayOut::Nat => NAT.replace("{subnet}", &free_subnet(networks)?),
    };
    Ok(text
        .replace("{network}</name>", &format!("{}</name><uuid>{uuid}</uuid>", wish.network))
        .replace("{bridge}", &bridge(wish.network, uuid))
        .replace("{isolated}", isolated))
}

/// The network's own name, if that makes a name for an interface; else one made of its identity.
fn bridge(network: &str, uuid: Uuid) -> String {
    let readable = format!("{BRIDGE}{network}");
    let plain = network.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if plain && readable.len() <= INTERFACE {
        return readable;
    }
    let digits: String = uuid.to_string().chars().take(8).collect();
    format!("{BRIDGE}{digits}")
}

/// The first of 192.168.100 to 192.168.254 that no network of libvirt's has. Where the host itself is on it,
/// libvirt refuses to start the network.
fn free_subnet(networks: &Networks) -> Result<String, Failure> {
    let taken = |subnet: &String| {
        let beginning = format!("{subnet}.");
        let mut reaches = networks.iter().flat_map(|network| &network.reaches);
        reaches.any(|reach| reach.addresses.iter().any(|address| address.starts_with(&beginning)))
    };
    let mut subnets = (100..255).map(|number| format!("192.168.{number}"));
    subnets.find(|subnet| !taken(subnet)).ok_or_else(|| failed("all subnets from 192.168.100 on are taken"))
}

/// Nothing that means something in XML, on a command line or in a file's name.
fn is_plain(name: &str) -> Result<(), Failure> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if plain && begins && name.len() <= NAME {
        return Ok(());
    }
    Err(usage(format!(
        "`{name}` cannot be the name of a network: use up to {NAME} letters, digits, `-`, `_` and `.`, beginning with \
         a letter or digit"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(network: &str, way_out: WayOut) -> Wish<'_> {
        Wish { network, information_domain: "red", way_out, ports: Ports::Isolated }
    }

    #[test]
    fn templates_become_networks_that_meet_nothing() {
        let mut made: Vec<Network> = Vec::new();
        for (name, way_out) in
            [("red", WayOut::Nowhere), ("out", WayOut::Nat), ("Much.Longer_name-of-it", WayOut::Nat)]
        {
            let networks: Networks = made.iter().cloned().collect();
            let uuid = fresh_uuid().unwrap();
            let text = written(&wish(name, way_out), uuid, &networks).unwrap();
            assert!(!text.contains('{'), "{text}");
            let definition = NetworkDefinition::parse(&text).unwrap();
            assert_eq!((definition.name(), definition.uuid()), (name, Some(uuid)));
            let reach = Reach::of(&definition);
            assert!(reach.bridge.as_ref().unwrap().len() <= INTERFACE);
            assert_eq!(reach.ports, Ports::Isolated);
            assert!(made.iter().all(|other| other.reaches[0].meets(&reach).is_none()), "{text}");
            let reaches = vec![reach];
            made.push(Network { name: name.to_owned(), uuid: Some(uuid), assigned: None, reaches });
        }
        assert_eq!(made[0].reaches[0].bridge.as_deref(), Some("vwn-red"));
        assert_eq!(made[1].reaches[0].addresses, ["192.168.100.1"]);
        assert_eq!(made[2].reaches[0].addresses, ["192.168.101.1"]);
        assert!(!made[0].is_reached_by_host());
    }

    #[test]
    fn a_name_means_nothing_elsewhere() {
        for name in ["", "-x", ".x", "a b", "a'b", "a<b", "a/b", "ä", "a\n", &"x".repeat(51)] {
            assert!(is_plain(name).is_err(), "{name}");
        }
        assert!(["red", "Red-1_a.b", "1"].into_iter().all(|name| is_plain(name).is_ok()));
    }
}
