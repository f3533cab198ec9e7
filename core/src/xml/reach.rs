// SPDX-License-Identifier: Apache-2.0
//! What of the host a virtual network is made of, and where its VMs get from there.
//!
//! Two networks meet where they share a part of the host, or where the host routes between them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::element::Element;
use super::network::{Forward, NetworkDefinition};
use super::pci::pci;

/// What a definition of a network reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The way out.
    pub forward: Forward,
    /// Which way connections pass through the host's routing.
    pub routing: Routing,
    /// The bridge that it makes or uses; none if libvirt is to find a name that nothing else has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// Devices of the host that its VMs are plugged onto, by name or PCI address.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub devices: BTreeSet<String>,
    /// Addresses of this host on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Whether its VMs reach each other.
    pub ports: Ports,
}

/// Which way connections pass through the host's routing, by the rules that libvirt itself makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// None do: libvirt refuses them, or the host has no part in it.
    Closed,
    /// VMs reach out, and only answers come in: address translation.
    Outwards,
    /// VMs can also be reached: `route`, `open`, and IPv6 that is not translated.
    BothWays,
}

/// Whether the VMs of a network reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ports {
    /// They do, unless their own definitions isolate them.
    Open,
    /// They do not.
    Isolated,
}

/// Where two networks meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// A bridge or device of the host that both are made of or lead onto.
    Device(String),
    /// The host routes from one to the other.
    Routing,
}

impl Reach {
    /// What a definition reaches.
    pub fn of(network: &NetworkDefinition) -> Self {
        let (root, forward) = (network.root(), network.forward());
        Self {
            routing: routing(&forward, root),
            bridge: network.bridge().filter(|name| !name.contains('%')).map(str::to_owned),
            devices: match forward {
                Forward::Device(_) => root.child("forward").map(devices).unwrap_or_default(),
                Forward::Isolated | Forward::Host(_) => BTreeSet::new(),
            },
            addresses: root.all("ip").filter_map(|ip| ip.attribute("address")).map(str::to_owned).collect(),
            ports: match root.child("port").and_then(|port| port.attribute("isolated")) {
                Some("yes") => Ports::Isolated,
                Some(_) | None => Ports::Open,
            },
            forward,
        }
    }

    /// What an interface of a VM is plugged onto past libvirt's networks.
    pub fn onto(kind: &str, device: Option<String>) -> Self {
        Self {
            forward: Forward::Device(kind.to_owned()),
            routing: Routing::Closed,
            bridge: None,
            devices: device.into_iter().collect(),
            addresses: Vec::new(),
            ports: Ports::Open,
        }
    }

    /// The same with what an update of one of its sections names.
    #[must_use]
    pub fn with(mut self, fragment: &Element) -> Self {
        match fragment.name.as_str() {
            "bridge" => self.bridge = fragment.attribute("name").map(str::to_owned).or(self.bridge),
            _ => fragment.walk(&mut |part| self.devices.extend(device(part))),
        }
        self
    }

    /// Whether a device of the host is part of it.
    pub fn has(&self, device: &str) -> bool {
        self.bridge.as_deref() == Some(device) || self.devices.contains(device)
    }

    /// Where it meets another.
    pub fn meets(&self, other: &Self) -> Option<Meeting> {
        let shared = self.bridge.iter().chain(&self.devices).find(|device| other.has(device));
        if let Some(device) = shared {
            return Some(Meeting::Device(device.clone()));
        }
        match (self.routing, other.routing) {
            (Routing::BothWays, Routing::Outwards | Routing::BothWays)
            | (Routing::Outwards, Routing::BothWays) => Some(Meeting::Routing),
            // libvirt turns away what comes from one translated network to another.
            (Routing::Outwards, Routing::Outwards) | (Routing::Closed, _) | (_, Routing::Closed) => None,
        }
    }
}

fn routing(forward: &Forward, root: &Element) -> Routing {
    match forward {
        Forward::Isolated | Forward::Device(_) => Routing::Closed,
        Forward::Host(mode) if mode == "nat" && !has_plain_ipv6(root) => Routing::Outwards,
        Forward::Host(_) => Routing::BothWays,
    }
}

/// libvirt translates IPv6 only where it is told to, and else routes it.
fn has_plain_ipv6(root: &Element) -> bool {
    let translated = root.at(&["forward", "nat"]).and_then(|nat| nat.attribute("ipv6")) == Some("yes");
    let plain = |ip: &Element| {
        ip.attribute("family") == Some("ipv6") || ip.attribute("address").is_some_and(|a| a.contains(':'))
    };
    !translated && root.all("ip").any(plain)
}

fn devices(forward: &Element) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    forward.walk(&mut |part| found.extend(device(part)));
    found
}

/// The device that `<forward>`, or a part of it, names.
fn device(part: &Element) -> Option<String> {
    match part.name.as_str() {
        "forward" | "interface" | "pf" => part.attribute("dev").map(str::to_owned),
        "address" => pci(part),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(inner: &str) -> Reach {
        Reach::of(&NetworkDefinition::parse(format!("<network><name>n</name>{inner}</network>")).unwrap())
    }

    const NAT: &str = "<forward mode='nat'/><bridge name='virbr1'/><ip address='192.168.5.1'/>";
    const NAT_2: &str = "<forward dev='eth0'/><bridge name='virbr2'/><ip address='192.168.6.1'/>";
    const ROUTE: &str = "<forward mode='route'/><bridge name='virbr3'/><ip address='192.168.7.1'/>";
    const OPEN: &str = "<forward mode='open'/><bridge name='virbr4'/><ip address='192.168.8.1'/>";
    const NAT_IPV6: &str = "<forward/><bridge name='virbr5'/><ip family='ipv6' address='fd00::1'/>";
    const NAT_66: &str =
        "<forward><nat ipv6='yes'/></forward><bridge name='virbr6'/><ip family='ipv6' address='fd01::1'/>";
    const ISOLATED: &str = "<bridge name='virbr7'/><ip address='192.168.9.1'/>";
    const HOST_BRIDGE: &str = "<forward mode='bridge'/><bridge name='br0'/>";
    const MACVTAP: &str = "<forward mode='private' dev='eth0'><interface dev='eth0'/></forward>";
    const MACVTAP_2: &str = "<forward mode='bridge'><interface dev='eth1'/><interface dev='eth0'/></forward>";
    const POOL: &str = "<forward mode='hostdev'><address type='pci' domain='0' bus='0x3' slot='0x10' function='0x1'/></forward>";
    const PHYSICAL: &str = "<forward mode='hostdev' managed='yes'><pf dev='eth2'/></forward>";

    #[test]
    fn networks_of_their_own_do_not_meet() {
        for (one, other) in [
            (NAT, NAT_2),
            (NAT, NAT_66),
            (NAT, ISOLATED),
            (ROUTE, ISOLATED),
            (OPEN, ISOLATED),
            (ROUTE, HOST_BRIDGE),
            (MACVTAP, HOST_BRIDGE),
            (POOL, PHYSICAL),
            ("", ""),
            ("<bridge name='virbr%d'/>", "<bridge name='virbr%d'/>"),
            // Both leave by eth0, each behind an address of the host's.
            (NAT_2, NAT_2.replace("virbr2", "virbr9").as_str()),
            (NAT_2, MACVTAP),
        ] {
            assert_eq!(reach(one).meets(&reach(other)), None, "{one} {other}");
            assert_eq!(reach(other).meets(&reach(one)), None, "{other} {one}");
        }
    }

    #[test]
    fn networks_meet_on_a_device_or_by_routing() {
        let device = |name: &str| Some(Meeting::Device(name.to_owned()));
        for (one, other, expected) in [
            (NAT, "<forward mode='bridge'/><bridge name='virbr1'/>", device("virbr1")),
            (NAT, "<bridge name='virbr1'/>", device("virbr1")),
            (ISOLATED, "<forward mode='bridge' dev='virbr7'/>", device("virbr7")),
            (ISOLATED, "<forward mode='passthrough'><interface dev='virbr7'/></forward>", device("virbr7")),
            (HOST_BRIDGE, HOST_BRIDGE, device("br0")),
            (MACVTAP, MACVTAP_2, device("eth0")),
            (POOL, &POOL.replace("0x3", "03"), device("0000:03:10.1")),
            (PHYSICAL, "<forward mode='bridge' dev='eth2'/>", device("eth2")),
            (NAT, ROUTE, Some(Meeting::Routing)),
            (ROUTE, OPEN, Some(Meeting::Routing)),
            (NAT, NAT_IPV6, Some(Meeting::Routing)),
        ] {
            assert_eq!(reach(one).meets(&reach(other)), expected, "{one} {other}");
            assert_eq!(reach(other).meets(&reach(one)), expected, "{other} {one}");
        }
    }

    #[test]
    fn an_update_adds_what_it_names() {
        let updated = |text: &str| reach(MACVTAP).with(&crate::xml::strict::parse(text).unwrap());
        assert!(updated("<interface dev='eth7'/>").has("eth7"));
        assert!(updated("<pf dev='eth8'/>").has("eth8"));
        assert!(updated("<forward dev='eth9' mode='bridge'/>").has("eth9"));
        assert!(updated("<bridge name='br9'/>").has("br9"));
        assert_eq!(updated("<host mac='52:54:00:00:00:01' ip='192.0.2.2'/>"), reach(MACVTAP));
    }
}
