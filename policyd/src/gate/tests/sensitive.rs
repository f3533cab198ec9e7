// SPDX-License-Identifier: Apache-2.0
//! A sensitive VM: what is refused on it to an Administrator who holds every right, and what is not.

use virtwarden_core::object::Sensitivity;
use virtwarden_core::rpc::procedure::by_name;

use super::libvirtd::*;
use super::table::arguments;
use super::*;
use crate::gate::sensitive::REFUSED;

fn sensitive(policy: &str) -> Scene {
    let scene = Scene::set(policy);
    let registry = scene.gate.monitor.registry();
    registry.apply(&registry.plan_sensitivity(BOBS, "bobvm", Sensitivity::Sensitive)).unwrap();
    scene
}

#[test]
fn nothing_that_carries_data_away_reaches_libvirtd_whoever_asks() {
    let scene = sensitive(ADMINISTRATOR);
    let mut client = scene.open_client();
    for name in REFUSED {
        let procedure = by_name(name).unwrap_or_else(|| panic!("no procedure {name}"));
        client.send_raw(name, &arguments(procedure, BOBS));
        let (header, payload) = client.receive().unwrap();
        assert_eq!(header.status, Status::Error, "{name}");
        assert!(!scene.libvirtd.heard().contains(&name), "{name}");
        assert!(words(&payload).contains("the VM is sensitive"), "{name}: {}", words(&payload));
        assert!(scene.records(name).iter().any(|(kind, _)| *kind == Kind::Denial), "{name} is on record");
    }
}

#[test]
fn it_is_started_stopped_and_looked_at_as_ever() {
    let scene = sensitive(ADMINISTRATOR);
    let mut client = scene.open_client();
    for name in ["DOMAIN_CREATE", "DOMAIN_SUSPEND", "DOMAIN_GET_XML_DESC"] {
        let procedure = by_name(name).unwrap();
        client.send_raw(name, &arguments(procedure, BOBS));
        assert_eq!(client.receive().unwrap().0.status, Status::Ok, "{name}");
    }
}

#[test]
fn its_definition_gets_no_port_and_no_way_out() {
    let port = "<devices><redirdev bus='usb' type='spicevmc'/></devices>";
    let stick =
        "<devices><disk type='file'><source file='/a'/><target dev='sda' bus='usb'/></disk></devices>";
    let host = "<devices><hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x2'/></source>\
                </hostdev></devices>";
    let socket = "<devices><vsock model='virtio'><cid auto='yes'/></vsock></devices>";
    for rest in [port, stick, host, socket] {
        let scene = sensitive(ADMINISTRATOR);
        let (status, error) = scene.open_client().call("DOMAIN_DEFINE_XML", &[text(&definition(BOBS, rest))]);
        assert_eq!(status, Status::Error, "{rest}");
        assert!(words(&error).contains("sensitive"), "{}", words(&error));
        assert!(!scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"));
    }
    let scene = sensitive(ADMINISTRATOR);
    let plain = definition(BOBS, "<vcpu>2</vcpu>");
    assert_eq!(scene.open_client().call("DOMAIN_DEFINE_XML", &[text(&plain)]).0, Status::Ok);
}

/// Whoever may only configure could take a disk from it and give it to another VM.
#[test]
fn to_configure_it_takes_the_right_to_administer() {
    let builder = USER.replace("\"connect-removable\"", "\"configure-vms\"").replace(
        "also = [\"operate\"]",
        "also = [\"operate\"]\nquota = { vms = 9, memory = \"1 GiB\", vcpus = 9 }",
    );
    let plain = definition(BOBS, "<vcpu>2</vcpu>");
    for (scene, passes) in [(Scene::set(&builder), true), (sensitive(&builder), false)] {
        let (status, error) = scene.open_client().call("DOMAIN_DEFINE_XML", &[text(&plain)]);
        assert_eq!(status == Status::Ok, passes, "{}", words(&error));
        assert_eq!(scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"), passes);
    }
}
