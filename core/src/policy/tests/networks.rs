// SPDX-License-Identifier: Apache-2.0
//! Networks and information domains: every kind of link, inside, outside and assigned; networks that meet.

use super::*;
use crate::policy::networks::{Network, Networks};
use crate::xml::definition::Definition;
use crate::xml::network::NetworkDefinition;
use crate::xml::reach::Reach;

const COLOURS: &str = "[information-domain.red]\nnetworks = [\"red\"]\n\
                       [information-domain.blue]\nnetworks = [\"blue\"]\n";

const RED: &str = "<bridge name='vw-red'/><ip address='192.168.5.1'/>";
const BLUE: &str = "<forward mode='bridge'/><bridge name='br0'/>";
const POOL: &str =
    "<forward mode='hostdev'><address type='pci' domain='0' bus='3' slot='0' function='1'/></forward>";

fn network(name: &str, assigned: Option<&str>, inner: &str) -> Network {
    let text = format!("<network><name>{name}</name>{inner}</network>");
    let reach = Reach::of(&NetworkDefinition::parse(text).unwrap());
    Network { name: name.into(), uuid: None, assigned: assigned.map(Into::into), reaches: vec![reach] }
}

/// Two networks of the policy's, two that were assigned, one of nobody's.
fn networks() -> Networks {
    let blues = network("blues", Some("blue"), POOL);
    let stray = network("stray", Some("green"), "<bridge name='vw-stray'/>");
    let own = network("default", None, "<forward/><bridge name='virbr0'/><ip address='192.168.122.1'/>");
    [network("red", None, RED), network("blue", None, BLUE), blues, stray, own].into_iter().collect()
}

/// What people read of a VM with this link; empty if it may have it.
fn read(link: &str, domain: Option<&str>) -> String {
    let vm = format!("<domain><name>v</name><devices><interface {link}</interface></devices></domain>");
    let facts = Definition::parse(vm).unwrap().facts();
    let assignment = domain.map(in_domain);
    let checked = site(COLOURS).check(&facts, assignment.as_ref(), &networks());
    checked.err().map(|violation| violation.to_string()).unwrap_or_default()
}

#[test]
fn every_kind_of_link_inside_and_outside() {
    const FOREIGN: &str = "which is not listed for it";
    const BYPASS: &str = "may only use libvirt networks listed for it";
    const CLAIMED: &str = "belongs to information domain";
    const TAP: &str = "leads past libvirt's networks into network";
    let rows = [
        // link, red VM, blue VM, VM of no information domain
        ("type='network'><source network='red'/>", "", FOREIGN, CLAIMED),
        ("type='network'><source network='blue'/>", FOREIGN, "", CLAIMED),
        ("type='network'><source network='blue' portgroup='p'/>", FOREIGN, "", CLAIMED),
        ("type='network'><source network='blues'/>", FOREIGN, "", CLAIMED),
        ("type='network'><source network='stray'/>", FOREIGN, FOREIGN, CLAIMED),
        ("type='network'><source network='default'/>", FOREIGN, FOREIGN, ""),
        ("type='network'><source network='gone'/>", FOREIGN, FOREIGN, ""),
        ("type='bridge'><source bridge='vw-red'/>", BYPASS, BYPASS, TAP),
        ("type='bridge'><source bridge='br0'/>", BYPASS, BYPASS, TAP),
        ("type='bridge'><source bridge='virbr0'/>", BYPASS, BYPASS, ""),
        ("type='direct'><source dev='vw-red' mode='bridge'/>", BYPASS, BYPASS, TAP),
        ("type='direct'><source dev='eth0' mode='private'/>", BYPASS, BYPASS, ""),
        (
            "type='hostdev'><source><address type='pci' bus='0x03' slot='0x0' function='0x1'/></source>",
            BYPASS,
            BYPASS,
            TAP,
        ),
        (
            "type='hostdev'><source><address type='pci' bus='0x04' slot='0x0' function='0x1'/></source>",
            BYPASS,
            BYPASS,
            "",
        ),
        // As the host itself reaches what is on red.
        ("type='user'>", BYPASS, BYPASS, TAP),
        ("type='ethernet'>", BYPASS, BYPASS, ""),
        ("type='vhostuser'><source type='unix' path='/run/v' mode='client'/>", BYPASS, BYPASS, ""),
        ("type='vdpa'><source dev='/dev/vhost-vdpa-0'/>", BYPASS, BYPASS, ""),
        ("type='mcast'><source address='230.0.0.1' port='5558'/>", BYPASS, BYPASS, ""),
        ("type='udp'><source address='127.0.0.1' port='11'/>", BYPASS, BYPASS, ""),
        ("type='server'><source address='127.0.0.1' port='11'/>", BYPASS, BYPASS, ""),
        ("type='null'>", BYPASS, BYPASS, ""),
        ("type='of-the-future'>", BYPASS, BYPASS, ""),
    ];
    for (link, red, blue, outside) in rows {
        for (domain, expected) in [(Some("red"), red), (Some("blue"), blue), (None, outside)] {
            let text = read(link, domain);
            assert!(
                text.is_empty() == expected.is_empty() && text.contains(expected),
                "{link} {domain:?}: {text}"
            );
        }
    }
}

#[test]
fn who_gets_into_a_network_past_it_reads_which() {
    assert_eq!(
        read("type='bridge'><source bridge='vw-red'/>", None),
        "`bridge vw-red` leads past libvirt's networks into network `red`, which belongs to information domain \
         `red`, and the VM does not (policy rule at 10-site.toml:2:13)"
    );
}

/// What people read when such a network is made or started.
fn met(name: &str, assigned: Option<&str>, inner: &str) -> String {
    let checked = site(COLOURS).check_network(&network(name, assigned, inner), &networks());
    checked.err().map(|violation| violation.to_string()).unwrap_or_default()
}

#[test]
fn networks_of_different_information_domains_do_not_meet() {
    let onto_red = "<forward mode='bridge'/><bridge name='vw-red'/>";
    let route = "<forward mode='route'/><bridge name='v9'/><ip address='192.168.9.1'/>";
    let nat = route.replace("route", "nat");
    let rows = [
        // name, assigned, what it is made of, what it meets
        ("red", None, onto_red, ""),
        ("reds", Some("red"), onto_red, ""),
        ("reds", Some("blue"), onto_red, "red"),
        ("blue", None, onto_red, "red"),
        ("free", None, onto_red, "red"),
        ("free", None, BLUE, "blue"),
        ("red", None, BLUE, "blue"),
        ("red", None, "<forward mode='bridge' dev='br0'/>", "blue"),
        ("red", None, "<bridge name='virbr0'/>", "default"),
        ("red", None, POOL, "blues"),
        ("red", None, route, "default"),
        ("free", None, route, ""),
        ("red", None, &nat, ""),
        ("red", None, "", ""),
    ];
    for (name, assigned, inner, meets) in rows {
        let text = met(name, assigned, inner);
        let expected =
            if meets.is_empty() { String::new() } else { format!("would meet network `{meets}` of") };
        assert!(text.is_empty() == meets.is_empty() && text.contains(&expected), "{name} {inner}: {text}");
    }
    assert_eq!(
        met("free", None, onto_red),
        "network `free` of no information domain would meet network `red` of information domain `red` on `vw-red` \
         (policy rule at 10-site.toml:2:13)"
    );
}

#[test]
fn what_is_stored_and_what_is_up_both_count() {
    let mut changed = network("red", None, "<bridge name='vw-new'/>");
    changed.reaches.extend(network("red", None, "<bridge name='vw-old'/>").reaches);
    let networks: Networks = [changed].into_iter().collect();
    for bridge in ["vw-new", "vw-old"] {
        let free = network("free", None, &format!("<forward mode='bridge'/><bridge name='{bridge}'/>"));
        assert!(site(COLOURS).check_network(&free, &networks).is_err(), "{bridge}");
    }
}

#[test]
fn the_policy_comes_before_an_assignment() {
    let both: Networks = [network("red", Some("blue"), RED)].into_iter().collect();
    let claim = site(COLOURS).claim("red", &both).unwrap();
    assert_eq!(claim.information_domain, "red");
    assert!(claim.rule.is_some());
}
