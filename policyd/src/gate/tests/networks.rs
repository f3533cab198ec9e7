// SPDX-License-Identifier: Apache-2.0
//! Networks of different information domains stay apart, whatever an Administrator asks for.

use super::libvirtd::*;
use super::*;

const COLOURS: &str =
    "[information-domain.red]\nnetworks = [\"red\"]\n[information-domain.blue]\nnetworks = [\"blue\"]\n";
/// The networks that are there: `blue` is stored as it shall not start.
const THERE: [(&str, Uuid, &str); 2] = [
    ("red", Uuid([31; 16]), "<bridge name='vw-red'/><ip address='192.168.5.1'/>"),
    ("blue", Uuid([32; 16]), "<forward mode='bridge'/><bridge name='vw-red'/>"),
];
const ONTO_RED: &str = "<forward mode='bridge'/><bridge name='vw-red'/>";

fn handle(name: &str, uuid: Uuid) -> Value<'static> {
    Value::Record(vec![text(name), Value::Uuid(uuid)])
}

fn network(name: &str, inner: &str) -> Value<'static> {
    text(&format!("<network><name>{name}</name>{inner}</network>"))
}

fn script() -> Script {
    Arc::new(|heard| {
        let holds = |part: &[u8]| heard.payload.windows(part.len()).any(|window| window == part);
        let named = THERE.iter().find(|(name, uuid, _)| holds(&uuid.0) || holds(name.as_bytes()));
        let values = match (heard.name, named) {
            ("CONNECT_LIST_ALL_NETWORKS", _) => {
                let all = THERE.iter().map(|(name, uuid, _)| handle(name, *uuid)).collect();
                vec![Value::List(all), Value::Unsigned(2)]
            }
            ("NETWORK_GET_XML_DESC", Some((name, _, inner))) => vec![network(name, inner)],
            ("NETWORK_LOOKUP_BY_UUID" | "NETWORK_LOOKUP_BY_NAME", Some((name, uuid, _))) => {
                vec![handle(name, *uuid)]
            }
            ("NETWORK_DEFINE_XML" | "NETWORK_CREATE_XML", _) => vec![handle("new", Uuid([33; 16]))],
            ("NETWORK_CREATE" | "NETWORK_UPDATE", _) => vec![],
            _ => return None,
        };
        Some(vec![good(heard, &values)])
    })
}

fn scene() -> Scene {
    Scene::scripted(&format!("{ADMINISTRATOR}{COLOURS}"), script())
}

/// An Administrator's call is refused with these words, on record, and libvirtd does not hear of it.
fn refused(name: &str, arguments: &[Value<'static>], expected: &str) {
    let scene = scene();
    let (status, answer) = scene.open_client().call(name, arguments);
    assert_eq!(status, Status::Error, "{name}");
    assert!(words(&answer).contains(expected), "{name}: {}", words(&answer));
    assert!(!scene.libvirtd.heard().contains(&name), "{name} reached libvirtd");
    assert_eq!(scene.records(name).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Denial]);
}

fn passes(name: &str, arguments: &[Value<'static>]) {
    let scene = scene();
    let (status, answer) = scene.open_client().call(name, arguments);
    assert_eq!(status, Status::Ok, "{name}: {}", words(&answer));
    assert!(scene.libvirtd.heard().contains(&name), "{name}");
}

#[test]
fn a_network_that_would_meet_another_information_domains_is_not_made() {
    let expected =
        "network `free` of no information domain would meet network `red` of information domain `red`";
    for name in ["NETWORK_DEFINE_XML", "NETWORK_CREATE_XML"] {
        refused(name, &[network("free", ONTO_RED)], expected);
        passes(name, &[network("free", "<bridge name='vw-free'/>")]);
    }
    let routed = "<forward mode='route'/><ip address='192.168.7.1'/>";
    let nat = "<forward mode='nat'/><ip address='192.168.7.1'/>";
    passes("NETWORK_DEFINE_XML", &[network("free", routed)]);
    passes("NETWORK_DEFINE_XML", &[network("free", nat)]);
}

#[test]
fn a_network_that_is_there_is_not_turned_into_one() {
    let expected = "network `blue` of information domain `blue` would meet network `red`";
    refused("NETWORK_DEFINE_XML", &[network("blue", ONTO_RED)], expected);
    passes("NETWORK_DEFINE_XML", &[network("blue", "<bridge name='vw-blue'/>")]);
}

#[test]
fn what_came_to_be_past_the_gate_does_not_start() {
    let expected = "network `blue` of information domain `blue` would meet network `red`";
    refused("NETWORK_CREATE", &[handle("blue", THERE[1].1)], expected);
}

#[test]
fn an_update_does_not_lead_onto_another() {
    let update = |command, text: &str| {
        let fragment = Value::Text(text.to_owned().into());
        let (command, section) = (Value::Unsigned(command), Value::Unsigned(7));
        [handle("red", THERE[0].1), command, section, Value::Int(-1), fragment, Value::Unsigned(0)]
    };
    let interface = "<interface dev='eth0'/>";
    refused("NETWORK_UPDATE", &update(3, interface), "would meet network `blue`");
    passes("NETWORK_UPDATE", &update(2, interface));
}

#[test]
fn a_vm_of_no_information_domain_gets_onto_no_bridge_of_one() {
    let onto = |bridge: &str| {
        let nic =
            format!("<devices><interface type='bridge'><source bridge='{bridge}'/></interface></devices>");
        [text(&definition(FINANCE, &nic))]
    };
    let expected = "`bridge vw-red` leads past libvirt's networks into network `red`";
    refused("DOMAIN_DEFINE_XML", &onto("vw-red"), expected);
    passes("DOMAIN_DEFINE_XML", &onto("br9"));
}
