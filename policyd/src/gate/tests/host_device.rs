// SPDX-License-Identifier: Apache-2.0
//! What the host cannot do without is not taken from it by libvirt's calls on devices either, whoever asks.

use std::sync::Arc;

use virtwarden_core::record::Kind;
use virtwarden_core::rpc::frame::Status;
use virtwarden_core::rpc::value::Value;

use super::libvirtd::{Script, good, text};
use super::{ADMINISTRATOR, Scene, USER, words};
use crate::media::tests::tree::{KEYBOARD, Plug};

const FREE: &str = "pci_0000_00_1e_0";
const DISKS: &str = "pci_0000_00_1f_2";
const CARD: &str = "pci_0000_00_19_0";
const KEYS: &str = "pci_0000_00_14_0";
const ADAPTER: &str = "scsi_host3";
const ADAPTERS_DIRECTORY: &str = "devices/pci0000:00/0000:00:1f.2/ata1/host3";

/// A libvirtd that describes devices as libvirt does, and says yes to whatever is done to them.
fn devices() -> Script {
    Arc::new(|heard| {
        let payload = String::from_utf8_lossy(&heard.payload);
        let name = [FREE, DISKS, CARD, KEYS, ADAPTER].into_iter().find(|name| payload.contains(name));
        match (heard.name, name) {
            ("NODE_DEVICE_GET_XML_DESC", Some(name)) => Some(vec![good(heard, &[text(&described(name))])]),
            (call, Some(_)) if call.starts_with("NODE_DEVICE_") => Some(vec![good(heard, &[])]),
            _ => None,
        }
    })
}

fn described(name: &str) -> String {
    if name == ADAPTER {
        return format!(
            "<device><name>{name}</name><path>/sys/{ADAPTERS_DIRECTORY}</path><capability type='scsi_host'/></device>"
        );
    }
    let slot = u8::from_str_radix(&name[12..14], 16).unwrap();
    let function = &name[15..];
    format!(
        "<device><name>{name}</name><capability type='pci'><domain>0</domain><bus>0</bus>\
         <slot>{slot}</slot><function>{function}</function></capability></device>"
    )
}

/// A host whose root is on a disk at SATA, whose way out is a network card, and with a keyboard.
fn scene(policy: &str) -> Scene {
    let scene = Scene::scripted(policy, devices());
    let host = &scene.host;
    for slot in ["14.0", "19.0", "1e.0", "1f.2"] {
        let directory = format!("sys/devices/pci0000:00/0000:00:{slot}");
        host.write(&format!("{directory}/class"), if slot == "19.0" { "0x020000\n" } else { "0x010601\n" });
        host.link(&format!("sys/bus/pci/devices/0000:00:{slot}"), &directory);
    }
    let disk = format!("sys/{ADAPTERS_DIRECTORY}/target3:0:0/3:0:0:0/block/sda");
    host.block(&disk, "sda", (8, 0));
    host.partition(&disk, "sda1", (8, 1));
    host.write("proc/1/mountinfo", "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n");
    let card = "sys/devices/pci0000:00/0000:00:19.0/net/eth0";
    host.write(&format!("{card}/address"), "52:54:00:00:00:01\n");
    host.link("sys/class/net/eth0", card);
    host.write("proc/1/net/route", "Iface\neth0\t00000000\t01AAA8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n");
    let keyboard = ("046d", "c31c");
    host.plug(Plug { port: "1-1", ids: keyboard, serial: None, number: 3, interfaces: &[KEYBOARD] });
    scene
}

/// Every call by which something is done to a device.
fn calls(name: &str) -> Vec<(&'static str, Vec<Value<'static>>)> {
    let device = || Value::Record(vec![text(name)]);
    vec![
        ("NODE_DEVICE_DETTACH", vec![device()]),
        ("NODE_DEVICE_DETACH_FLAGS", vec![device(), Value::Absent, Value::Unsigned(0)]),
        ("NODE_DEVICE_RE_ATTACH", vec![device()]),
        ("NODE_DEVICE_RESET", vec![device()]),
        ("NODE_DEVICE_DESTROY", vec![device()]),
    ]
}

#[test]
fn what_the_host_lives_on_is_not_taken_from_it_by_an_administrator() {
    for (name, why) in [
        (DISKS, "mounted at `/`"),
        (ADAPTER, "mounted at `/`"),
        (CARD, "way out is `eth0`"),
        (KEYS, "hangs on it"),
    ] {
        for (call, arguments) in calls(name) {
            let scene = scene(ADMINISTRATOR);
            let (status, answer) = scene.open_client().call(call, &arguments);
            let told = words(&answer);
            assert_eq!(status, Status::Error, "{call} {name}");
            assert!(told.contains("access denied") && told.contains(why), "{call} {name}: {told}");
            assert!(!scene.libvirtd.heard().contains(&call), "{call} {name} reached libvirtd");
            let kinds: Vec<_> = scene.records(call).into_iter().map(|(kind, _)| kind).collect();
            assert_eq!(kinds, [Kind::Denial], "{call} {name}");
        }
    }
}

#[test]
fn what_the_host_can_do_without_an_administrator_takes_from_it() {
    for (call, arguments) in calls(FREE) {
        let scene = scene(ADMINISTRATOR);
        let (status, answer) = scene.open_client().call(call, &arguments);
        assert_eq!(status, Status::Ok, "{call}: {}", words(&answer));
        assert!(scene.libvirtd.heard().contains(&call), "{call}");
        let kinds: Vec<_> = scene.records(call).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [Kind::Attempt, Kind::Outcome], "{call}");
    }
}

#[test]
fn a_user_is_refused_alike_whatever_the_device_is() {
    for (call, arguments) in calls(DISKS) {
        let scene = scene(USER);
        let told = words(&scene.open_client().call(call, &arguments).1);
        let other = calls(FREE).into_iter().find(|(name, _)| *name == call).unwrap().1;
        let of_another = words(&scene.open_client().call(call, &other).1);
        assert!(!told.contains("mounted") && !told.is_empty(), "{call}: {told}");
        assert_eq!(told.replace(DISKS, FREE), of_another, "{call}");
        assert!(!scene.libvirtd.heard().iter().any(|heard| heard.starts_with("NODE_DEVICE")), "{call}");
    }
}

#[test]
fn what_libvirt_does_not_describe_is_not_passed_on() {
    for (call, arguments) in calls("pci_0000_09_09_9") {
        let scene = scene(ADMINISTRATOR);
        let (status, answer) = scene.open_client().call(call, &arguments);
        assert_eq!(status, Status::Error, "{call}");
        assert!(words(&answer).contains("libvirtd's own words"), "{call}: {}", words(&answer));
        assert!(!scene.libvirtd.heard().contains(&call), "{call}");
        assert_eq!(scene.records(call).len(), 1, "{call}");
    }
}
