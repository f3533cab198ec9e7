// SPDX-License-Identifier: Apache-2.0
//! What the shipped templates promise.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use virtwarden_core::policy::request::Right;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Form, changes};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::facts::Link;
use virtwarden_core::xml::network::{self, Forward, NetworkDefinition};
use virtwarden_core::xml::reach::{Ports, Reach, Routing};

const VMS: [(&str, &str); 3] = [
    ("desktop", include_str!("../../xml-templates/desktop.xml")),
    ("server", include_str!("../../xml-templates/server.xml")),
    ("sensitive", include_str!("../../xml-templates/sensitive.xml")),
];
const ISOLATED: &str = include_str!("../../xml-templates/network-isolated.xml");
const NAT: &str = include_str!("../../xml-templates/network-nat.xml");

fn filled(template: &str) -> String {
    let values = [
        ("name", "bobvm"),
        ("memory", "512"),
        ("vcpus", "1"),
        ("disk", "bobvm.qcow2"),
        ("network", "red"),
        ("bridge", "vwn-red"),
        ("isolated", "yes"),
        ("subnet", "192.168.100"),
    ];
    let text = values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    assert!(!text.contains('{'), "a placeholder that README.md does not know");
    text
}

#[test]
fn a_vm_from_a_template_shares_nothing_and_touches_no_device_of_the_host() {
    for (name, template) in VMS {
        let vm = Definition::parse(filled(template)).unwrap();
        // Its own disk counts as a channel as long as nobody has looked into the image: that is left out here.
        let own_disk = |summary: &str| summary.starts_with("added: disk `vda`");
        let changes = changes(None, &vm, Form::Stored);
        let rights: Vec<Right> =
            changes.iter().filter(|change| !own_disk(&change.summary)).map(|change| change.right).collect();
        for never in [
            Right::Function(Function::ConfigureSharing),
            Right::Function(Function::ConfigureDevices),
            Right::Administer,
            Right::Raw,
        ] {
            assert!(!rights.contains(&never), "{name}: {changes:#?}");
        }
        assert_eq!(vm.facts().links, [Link::Network("red".into())]);
        assert!(vm.facts().raw.is_empty());
    }
}

#[test]
fn a_sensitive_vm_has_no_drive_and_no_usb() {
    let vm = Definition::parse(filled(VMS[2].1)).unwrap();
    assert!(vm.devices().all(|d| d.attribute("device") != Some("cdrom")));
    assert!(vm.devices().any(|d| d.is("controller") && d.attribute("model") == Some("none")));
}

#[test]
fn the_isolated_network_leads_nowhere() {
    let network = NetworkDefinition::parse(filled(ISOLATED)).unwrap();
    assert_eq!(network.forward(), Forward::Isolated);
    assert!(network.root().child("ip").is_none());
}

#[test]
fn networks_isolate_their_ports_and_need_row_5_alone() {
    for template in [ISOLATED, NAT] {
        let network = NetworkDefinition::parse(filled(template)).unwrap();
        assert_eq!(Reach::of(&network).ports, Ports::Isolated);
        assert_ne!(Reach::of(&network).routing, Routing::BothWays);
        assert!(
            network.bridge().unwrap().starts_with("vwn-"),
            "the host's own services are closed by that name"
        );
        assert!(network.bridge().unwrap().starts_with("vwn-"), "the host's services are closed by that name");
        let rights: Vec<Right> = network::changes(None, &network).iter().map(|change| change.right).collect();
        assert_eq!(rights, [Right::Function(Function::ConfigureNetworks)]);
    }
}
