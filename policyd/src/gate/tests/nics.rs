// SPDX-License-Identifier: Apache-2.0
//! Leases, ports and bindings: one's own are there, those of others are not, and counts agree.

use super::libvirtd::*;
use super::*;

const HIS: Uuid = Uuid([11; 16]);
const OTHERS: Uuid = Uuid([12; 16]);

fn network() -> Value<'static> {
    Value::Record(vec![text("red"), Value::Uuid(Uuid([3; 16]))])
}

fn port(uuid: Uuid) -> Value<'static> {
    Value::Record(vec![network(), Value::Uuid(uuid)])
}

fn binding(device: &str) -> Value<'static> {
    Value::Record(vec![text(device), text("clean-traffic")])
}

fn lease(mac: &str) -> Value<'static> {
    let absent = || Value::Absent;
    Value::Record(vec![
        text("vw-red"),
        Value::Hyper(9),
        Value::Int(0),
        text(mac),
        absent(),
        text("10.0.0.9"),
        Value::Unsigned(24),
        absent(),
        absent(),
    ])
}

/// A libvirtd whose `bobvm` runs with one interface on `red`, where another VM has one too.
fn script() -> Script {
    let nic = format!(
        "<devices><interface type='network'><mac address='52:54:00:00:00:01'/><source network='red' portid='{HIS}'/>\
         <target dev='vnet1'/></interface></devices>"
    );
    let running = definition(BOBS, &nic).replace("type='kvm'", "type='kvm' id='4'");
    Arc::new(move |heard| {
        let list = |elements: Vec<Value<'static>>| vec![Value::List(elements), Value::Unsigned(2)];
        let holds = |uuid: Uuid| heard.payload.windows(16).any(|window| window == uuid.0);
        let values = match heard.name {
            "DOMAIN_GET_XML_DESC" => vec![text(&running)],
            "NETWORK_GET_DHCP_LEASES" => list(vec![lease("52:54:00:00:00:01"), lease("52:54:00:00:00:02")]),
            "NETWORK_LIST_ALL_PORTS" => list(vec![port(HIS), port(OTHERS)]),
            "CONNECT_LIST_ALL_NWFILTER_BINDINGS" => list(vec![binding("vnet1"), binding("vnet2")]),
            "NETWORK_PORT_LOOKUP_BY_UUID" => vec![port(if holds(HIS) { HIS } else { OTHERS })],
            "NWFILTER_BINDING_LOOKUP_BY_PORT_DEV" => {
                vec![binding(if heard.payload.windows(5).any(|part| part == b"vnet1") {
                    "vnet1"
                } else {
                    "vnet2"
                })]
            }
            _ => return None,
        };
        Some(vec![good(heard, &values)])
    })
}

fn lists(results: bool) -> [(&'static str, Vec<Value<'static>>, Value<'static>); 3] {
    let (wanted, flags) = (Value::Boolean(results), Value::Unsigned(0));
    let leases = vec![network(), Value::Absent, wanted.clone(), flags.clone()];
    [
        ("NETWORK_GET_DHCP_LEASES", leases, lease("52:54:00:00:00:01")),
        ("NETWORK_LIST_ALL_PORTS", vec![network(), wanted.clone(), flags.clone()], port(HIS)),
        ("CONNECT_LIST_ALL_NWFILTER_BINDINGS", vec![wanted, flags], binding("vnet1")),
    ]
}

#[test]
fn a_user_sees_those_of_his_own_vms_and_counts_agree() {
    let scene = Scene::scripted(&USER.replace("vms =", "networks = [\"red\"]\nvms ="), script());
    let mut client = scene.open_client();
    for results in [true, false] {
        for (name, arguments, his) in lists(results) {
            let (status, answer) = client.call(name, &arguments);
            assert_eq!(status, Status::Ok, "{name}: {}", words(&answer));
            let listed = if results { vec![his] } else { vec![] };
            assert_eq!(answer, written(name, &[Value::List(listed), Value::Unsigned(1)]), "{name}");
        }
    }
}

#[test]
fn an_administrator_gets_libvirtds_own_answer() {
    let scene = Scene::scripted(ADMINISTRATOR, script());
    let mut client = scene.open_client();
    for (name, arguments, _) in lists(true) {
        let (status, answer) = client.call(name, &arguments);
        assert_eq!((status, answer.ends_with(&[0, 0, 0, 2])), (Status::Ok, true), "{name}");
    }
}

#[test]
fn a_port_or_binding_of_another_vm_looks_like_none() {
    let scene = Scene::scripted(&USER.replace("vms =", "networks = [\"red\"]\nvms ="), script());
    let mut client = scene.open_client();
    let rows = [
        ("NETWORK_PORT_LOOKUP_BY_UUID", vec![network(), Value::Uuid(HIS)], Status::Ok),
        ("NETWORK_PORT_LOOKUP_BY_UUID", vec![network(), Value::Uuid(OTHERS)], Status::Error),
        ("NWFILTER_BINDING_LOOKUP_BY_PORT_DEV", vec![text("vnet1")], Status::Ok),
        ("NWFILTER_BINDING_LOOKUP_BY_PORT_DEV", vec![text("vnet2")], Status::Error),
    ];
    for (name, arguments, expected) in rows {
        let (status, answer) = client.call(name, &arguments);
        assert_eq!(status, expected, "{name} {arguments:?}: {}", words(&answer));
    }
}
