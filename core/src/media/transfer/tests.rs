// SPDX-License-Identifier: Apache-2.0
//! Every choice against every asker, holder and receiver.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::media::{Class, Id, Pattern, Source, UsbDevice, UsbInterface};
use crate::policy::place::Place;

fn usb(class: u8, serial: &str) -> Medium {
    let device = UsbDevice {
        vendor: 0x0951,
        product: 0x1666,
        serial: Some(serial.into()),
        port: "1-2".into(),
        bus: 1,
        device: 4,
        interfaces: vec![UsbInterface { class, subclass: 6, protocol: 80 }],
    };
    let kind = if class == 8 { Kind::UsbStorage } else { Kind::Usb };
    Medium {
        id: Id(format!("usb:0951:1666:{serial}")),
        kind,
        name: "stick".into(),
        source: Source::Usb(device),
    }
}

fn image() -> Medium {
    let path = "/srv/media/disc.iso".to_owned();
    Medium {
        id: Id(format!("image:{path}")),
        kind: Kind::Image,
        name: path.clone(),
        source: Source::Image { path },
    }
}

fn rule(choice: Choice, granted: &[&str]) -> Rule {
    let granted = Granted::Listed(granted.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    Rule { choice, access: Access::ReadWrite, granted, place: Place::built_in() }
}

fn rules(kind: Kind, rule: Rule) -> Rules {
    Rules { kinds: BTreeMap::from([(kind, rule)]), classes: BTreeMap::new() }
}

fn domain(name: &str) -> Party {
    Party::InformationDomain(name.into())
}

fn word(
    rules: &Rules,
    medium: &Medium,
    holder: Option<&Party>,
    receiver: &Party,
    asker: Asker,
) -> &'static str {
    match rules.transfer(&Transfer { medium, holder, receiver, asker }) {
        Verdict::Allow(_) => "allow",
        Verdict::Ask { .. } => "ask",
        Verdict::Deny { .. } => "deny",
    }
}

#[test]
fn each_choice_answers_each_asker() {
    let (stick, red, blue) = (usb(8, "A"), domain("red"), domain("blue"));
    use Asker::{Administrator, Confirmed, User};
    for (choice, granted, holder, expected) in [
        // granted, what the Administrator, the User and the confirmed User get
        (Choice::Grant, &["red"][..], None, ["allow", "allow", "allow"]),
        (Choice::Grant, &["blue"], None, ["allow", "deny", "deny"]),
        (Choice::Grant, &["red"], Some(&red), ["allow", "allow", "allow"]),
        (Choice::Grant, &["red", "blue"], Some(&blue), ["deny", "deny", "deny"]),
        (Choice::Grant, &["red"], Some(&Party::Host), ["deny", "deny", "deny"]),
        (Choice::EjectFirst, &[], None, ["allow", "allow", "allow"]),
        (Choice::EjectFirst, &[], Some(&blue), ["deny", "deny", "deny"]),
        (Choice::EjectFirst, &[], Some(&Party::Host), ["deny", "deny", "deny"]),
        (Choice::AskUser, &[], None, ["allow", "ask", "allow"]),
        (Choice::AskUser, &[], Some(&blue), ["deny", "deny", "deny"]),
        (Choice::Deny, &["red"], None, ["deny", "deny", "deny"]),
        (Choice::Deny, &["red"], Some(&red), ["deny", "deny", "deny"]),
    ] {
        let rules = rules(Kind::UsbStorage, rule(choice, granted));
        let got = [Administrator, User, Confirmed].map(|asker| word(&rules, &stick, holder, &red, asker));
        assert_eq!(got, expected, "{choice:?} granted {granted:?} held by {holder:?}");
    }
}

#[test]
fn what_no_rule_speaks_of_is_denied_to_everybody() {
    let rules = Rules::default();
    for asker in [Asker::Administrator, Asker::User, Asker::Confirmed] {
        assert_eq!(word(&rules, &usb(8, "A"), None, &domain("red"), asker), "deny");
    }
}

#[test]
fn keyboards_stay_and_hubs_go_nowhere() {
    let rules = rules(Kind::Usb, rule(Choice::EjectFirst, &[]));
    let red = domain("red");
    assert_eq!(word(&rules, &usb(3, "K"), None, &red, Asker::User), "deny");
    assert_eq!(word(&rules, &usb(3, "K"), None, &red, Asker::Confirmed), "deny");
    assert_eq!(word(&rules, &usb(3, "K"), None, &red, Asker::Administrator), "allow");
    assert_eq!(word(&rules, &usb(9, "H"), None, &red, Asker::Administrator), "deny");
}

#[test]
fn a_class_counts_before_the_kind_and_always_deny_before_all() {
    let pattern = Pattern { vendor: Some(0x0951), ..Pattern::default() };
    let class = |name: &str, patterns, rule| {
        (name.to_owned(), Class { name: name.into(), patterns, rule, place: Place::built_in() })
    };
    let mut rules = rules(Kind::UsbStorage, rule(Choice::Deny, &[]));
    rules.classes.extend([class("office", vec![pattern], Some(rule(Choice::Grant, &["red"])))]);
    let red = domain("red");
    assert_eq!(word(&rules, &usb(8, "A"), None, &red, Asker::User), "allow");
    let lost = Pattern { serial: Some("LOST".into()), ..Pattern::default() };
    rules.classes.extend([class("zz-lost", vec![lost], None)]);
    assert_eq!(word(&rules, &usb(8, "A"), None, &red, Asker::User), "allow");
    assert_eq!(word(&rules, &usb(8, "LOST"), None, &red, Asker::Administrator), "deny");
}

#[test]
fn an_image_may_be_read_in_many_places_unless_it_must_be_ejected_first() {
    let (red, blue) = (domain("red"), domain("blue"));
    let granted = rules(
        Kind::Image,
        Rule { granted: Granted::AllVms, access: Access::ReadOnly, ..rule(Choice::Grant, &[]) },
    );
    assert_eq!(word(&granted, &image(), Some(&blue), &red, Asker::User), "allow");
    let written = rules(Kind::Image, Rule { granted: Granted::AllVms, ..rule(Choice::Grant, &[]) });
    assert_eq!(word(&written, &image(), Some(&blue), &red, Asker::User), "deny");
    let apart = rules(Kind::Image, rule(Choice::EjectFirst, &[]));
    assert_eq!(word(&apart, &image(), Some(&blue), &red, Asker::User), "deny");
    assert_eq!(word(&apart, &image(), None, &red, Asker::User), "allow");
}

#[test]
fn the_host_is_a_party_of_its_own() {
    let stick = usb(8, "A");
    let granted = rules(Kind::UsbStorage, Rule { granted: Granted::AllVms, ..rule(Choice::Grant, &[]) });
    assert_eq!(word(&granted, &stick, None, &Party::Host, Asker::User), "deny");
    let host = rules(Kind::UsbStorage, rule(Choice::Grant, &["host"]));
    assert_eq!(word(&host, &stick, None, &Party::Host, Asker::User), "allow");
    assert_eq!(word(&host, &stick, None, &Party::Vm(Uuid([1; 16])), Asker::User), "deny");
}
