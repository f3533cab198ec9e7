// SPDX-License-Identifier: Apache-2.0
//! The rules that bind everybody.

use super::*;
use crate::object::Sensitivity;
use crate::policy::bounds::Breach;
use crate::policy::networks::Networks;
use crate::xml::definition::Definition;
use crate::xml::facts::{Facts, Link};

const COLOURS: &str = "[information-domain.red]\nnetworks = [\"red\"]\n\
                       [information-domain.blue]\nnetworks = [\"blue\", \"blue-2\"]\n\
                       [vm]\nraw = \"nobody\"";

fn linked(links: &[Link]) -> Facts {
    Facts { links: links.to_vec(), ..Facts::default() }
}

fn network(name: &str) -> Link {
    Link::Network(name.into())
}

fn bridge() -> Link {
    Link::Past { kind: "bridge".into(), onto: Some("br0".into()) }
}

/// What is violated and what people read.
fn breach(links: &[Link], assignment: Option<&Assignment>) -> Option<(Breach, String)> {
    let violation = site(COLOURS).check(&linked(links), assignment, &Networks::default()).err()?;
    let text = violation.to_string();
    Some((violation.breach, text))
}

#[test]
fn a_vm_of_an_information_domain_uses_the_networks_of_its_domain() {
    assert_eq!(breach(&[network("blue"), network("blue-2")], Some(&in_domain("blue"))), None);
    assert_eq!(breach(&[], Some(&in_domain("blue"))), None);
}

#[test]
fn it_uses_no_other_network_whether_that_belongs_to_somebody_or_not() {
    for foreign in ["red", "default"] {
        let (breach, text) = breach(&[network("blue"), network(foreign)], Some(&in_domain("blue"))).unwrap();
        let information_domain = "blue".to_owned();
        assert_eq!(breach, Breach::ForeignNetwork { network: foreign.into(), information_domain });
        assert_eq!(
            text,
            format!(
                "a VM of information domain `blue` may not use network `{foreign}`, which is not listed for it \
                 (policy rule at 10-site.toml:3:21)"
            )
        );
    }
}

#[test]
fn it_has_no_link_past_the_networks() {
    let (breach, text) = breach(&[bridge()], Some(&in_domain("red"))).unwrap();
    assert!(matches!(breach, Breach::Bypass { .. }));
    assert!(text.contains("not `bridge br0` (policy rule at 10-site.toml:1:21)"), "{text}");
}

#[test]
fn a_vm_of_no_information_domain_stays_out_of_all_of_them() {
    for outside in [None, Some(&Assignment::default())] {
        assert_eq!(breach(&[network("default"), bridge()], outside), None);
        let (breach, text) = breach(&[network("red")], outside).unwrap();
        assert!(matches!(breach, Breach::ClaimedNetwork { .. }));
        assert!(text.starts_with("network `red` belongs to information domain `red`, and the VM does not"));
    }
}

#[test]
fn a_vm_of_an_information_domain_that_is_not_defined_fits_nowhere() {
    let (breach, text) = breach(&[], Some(&in_domain("green"))).unwrap();
    assert_eq!(breach, Breach::UnknownInformationDomain("green".into()));
    assert_eq!(text, "the VM belongs to information domain `green`, which the policy does not define");
}

#[test]
fn a_definition_that_opens_a_raw_door_is_refused_while_those_are_shut() {
    let facts = Facts { raw: vec!["qemu:commandline".into()], ..Facts::default() };
    assert_eq!(
        site(COLOURS).check(&facts, None, &Networks::default()).unwrap_err().to_string(),
        "`qemu:commandline` is a raw door, and raw = \"nobody\" shuts those (policy rule at 10-site.toml:5:2)"
    );
    assert_eq!(shipped().check(&facts, None, &Networks::default()), Ok(()));
    assert!(Policy::load(&[]).unwrap().check(&facts, None, &Networks::default()).is_err());
}

#[test]
fn a_sensitive_vm_has_no_port_for_devices() {
    let sensitive = Assignment { sensitivity: Sensitivity::Sensitive, ..Assignment::default() };
    for (device, port) in [
        ("<redirdev bus='usb' type='spicevmc'/>", true),
        ("<hostdev mode='subsystem' type='pci'/>", true),
        ("<smartcard mode='host'/>", true),
        ("<disk type='file'><target dev='sda' bus='usb'/></disk>", true),
        ("<interface type='hostdev'/>", true),
        ("<disk type='file'><target dev='vda' bus='virtio'/></disk>", false),
        ("<input type='tablet' bus='usb'/>", false),
        ("<controller type='usb' model='qemu-xhci'/>", false),
    ] {
        let text = format!("<domain><name>a</name><devices>{device}</devices></domain>");
        let facts = Definition::parse(text).unwrap().facts();
        assert_eq!(!facts.ports.is_empty(), port, "{device}");
        let only = Facts { ports: facts.ports, ..Facts::default() };
        let judge =
            |assignment: Option<&Assignment>| site(COLOURS).check(&only, assignment, &Networks::default());
        assert_eq!(judge(Some(&sensitive)).is_err(), port, "{device}");
        assert!(judge(Some(&Assignment::default())).is_ok() && judge(None).is_ok(), "{device}");
    }
}
