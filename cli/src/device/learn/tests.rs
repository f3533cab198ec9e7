// SPDX-License-Identifier: Apache-2.0
//! What is proposed is policy, fits what it was made from, and nothing that a device says can change it.

use virtwarden_core::control::MediumHolder;
use virtwarden_core::media::{Id, Medium, UsbInterface};
use virtwarden_core::policy::{Policy, Source as File};

use super::*;

fn usb(serial: Option<&str>, port: &str, class: u8) -> MediumRow {
    let usb = UsbDevice {
        vendor: 0x0951,
        product: 0x1666,
        serial: serial.map(str::to_owned),
        port: port.to_owned(),
        bus: 1,
        device: 4,
        interfaces: vec![UsbInterface { class, subclass: 6, protocol: 80 }],
    };
    let kind = if class == 8 { Kind::UsbStorage } else { Kind::Usb };
    let medium =
        Medium { id: Id(format!("usb:{port}")), kind, name: "Kingston".to_owned(), source: Source::Usb(usb) };
    MediumRow { medium, holder: MediumHolder::Nobody, last: None, class: None, verdict: None }
}

fn learned(rows: &[MediumRow]) -> (String, Policy) {
    let domains = ["red".to_owned()];
    let text = proposal(rows, &Wish { class: "office-sticks", granted: &domains }).unwrap();
    let whole = format!("[information-domain.red]\nnetworks = [\"red\"]\n{text}");
    let policy = Policy::load(&[File { name: "50.toml", text: &whole }]);
    (text.clone(), policy.unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}")))
}

#[test]
fn a_proposal_is_policy_and_tells_twins_apart() {
    let rows = [usb(Some("A"), "1-1", 8), usb(None, "1-2", 8)];
    let (_, policy) = learned(&rows);
    let rules = policy.media_rules();
    let class = |row: &MediumRow| rules.class_of(&row.medium).map(|class| class.name.clone());
    assert!(rows.iter().all(|row| class(row).as_deref() == Some("office-sticks")));
    assert_eq!(class(&usb(Some("B"), "1-1", 8)), None, "another serial number");
    assert_eq!(class(&usb(None, "1-3", 8)), None, "another port");
}

#[test]
fn a_device_writes_no_rules_by_what_it_says() {
    let evil = "x\" }] rule = \"grant\" granted = \"all-vms\" [device-class.b] match = [{ serial = \"\\";
    for serial in [evil.to_owned(), evil.replace(' ', "\n")] {
        let row = usb(Some(&serial), "1-1", 8);
        let (text, policy) = learned(std::slice::from_ref(&row));
        assert_eq!(policy.media_rules().classes.len(), 1, "{text}");
        assert!(policy.media_rules().class_of(&row.medium).is_some(), "{text}");
    }
}

#[test]
fn keyboards_and_what_is_in_a_class_already_are_left_out() {
    let named = MediumRow { class: Some("mine".to_owned()), ..usb(Some("A"), "1-1", 8) };
    let wish = Wish { class: "c", granted: &[] };
    assert!(proposal(&[usb(None, "1-4", 3), named], &wish).is_none());
    assert!(proposal(&[], &wish).is_none());
}
