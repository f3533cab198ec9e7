// SPDX-License-Identifier: Apache-2.0
//! Network interfaces.

use crate::policy::request::Right;
use crate::xml::element::Element;
use crate::xml::link::Link;
use crate::xml::needs::{DEVICE, NETWORK, Needs, SHARING};
use crate::xml::pci::pci;

pub(super) fn needs(interface: &Element) -> Needs {
    let backend = interface.child("backend").is_some_and(|b| !b.attributes.is_empty());
    let needs = Needs::of(NETWORK)
        .when(interface.child("script").is_some(), Right::Raw, "it runs a script")
        .when(interface.child("downscript").is_some(), Right::Raw, "it runs a script")
        .when(backend, Right::Administer, "it chooses what runs on the host");
    match interface.attribute("type").unwrap_or_default() {
        "network" | "user" | "null" | "bridge" | "internal" => needs,
        "direct" | "hostdev" | "vdpa" => needs.and(DEVICE, "it is a device of the host"),
        "udp" | "mcast" | "server" | "client" => needs.and(SHARING, "it joins VMs past the networks"),
        "vhostuser" => needs.and(SHARING, "").and(Right::Administer, "it names a socket of the host"),
        "ethernet" => needs.and(Right::Administer, "it names an interface of the host"),
        _ => needs.and(Right::Administer, "its type is not understood"),
    }
}

/// Where it leads.
pub(in crate::xml) fn link(interface: &Element) -> Link {
    let kind = interface.attribute("type").unwrap_or_default();
    let source = |name: &str| interface.child("source").and_then(|source| source.attribute(name));
    if let ("network", Some(network)) = (kind, source("network")) {
        return Link::Network(network.to_owned());
    }
    let onto = ["network", "bridge", "dev", "path", "address"].iter().find_map(|name| source(name));
    let function = || interface.at(&["source", "address"]).and_then(pci);
    Link::Past { kind: kind.to_owned(), onto: onto.map(str::to_owned).or_else(function) }
}
