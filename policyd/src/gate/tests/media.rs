// SPDX-License-Identifier: Apache-2.0
//! A medium goes where its rule lets it go, and nowhere else, whichever call would bring it there.

use std::sync::{Arc, Mutex};

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::rpc::frame::Status;
use virtwarden_core::rpc::value::Value;

use super::libvirtd::{BOBS, FINANCE, Script, definition, good, text, vm};
use super::{ADMINISTRATOR, Scene, USER, words};
use crate::media::tests::tree::{Plug, STICK};

const GRANTED: &str =
    "[media]\nusb-storage = { rule = \"grant\", access = \"read-write\", granted = \"all-vms\" }\n";
const ASKED: &str = "[media]\nusb-storage = { rule = \"ask-user\", access = \"read-write\" }\n";
const DENIED: &str = "[media]\nusb-storage = { rule = \"deny\" }\n";
const NOT_GRANTED: &str = "[media]\nusb-storage = { rule = \"grant\", access = \"read-write\" }\n";
const HOSTDEV: &str = "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0951'/><product id='0x1666'/></source></hostdev>";
const ACTS: [&str; 6] = [
    "DOMAIN_ATTACH_DEVICE_FLAGS",
    "DOMAIN_ATTACH_DEVICE",
    "DOMAIN_DETACH_DEVICE_FLAGS",
    "DOMAIN_CREATE",
    "DOMAIN_DEFINE_XML",
    "DOMAIN_RESUME",
];

/// A libvirtd that says yes to everything, whose VMs run and have these devices.
fn with(bobs: &'static str, finances: &'static str) -> Script {
    let words = move |payload: &[u8]| {
        if payload.windows(16).any(|w| w == BOBS.0) { (BOBS, bobs) } else { (FINANCE, finances) }
    };
    Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" => {
            let (uuid, devices) = words(&heard.payload);
            Some(vec![good(heard, &[text(&definition(uuid, &format!("<devices>{devices}</devices>")))])])
        }
        "DOMAIN_IS_ACTIVE" => Some(vec![good(heard, &[Value::Int(1)])]),
        "DOMAIN_DEFINE_XML" => None,
        name if ACTS.contains(&name) => Some(vec![good(heard, &[])]),
        _ => None,
    })
}

fn scene(policy: &str, script: Script) -> Scene {
    let scene = Scene::scripted(policy, script);
    scene.host.plug(STICK);
    scene
}

fn attach(scene: &Scene, device: &str, flags: u32) -> (Status, String) {
    let arguments = [vm(BOBS), text(device), Value::Unsigned(flags)];
    let (status, answer) = scene.open_client().call("DOMAIN_ATTACH_DEVICE_FLAGS", &arguments);
    (status, words(&answer))
}

/// What libvirtd got to attach.
fn attached(scene: &Scene) -> Vec<String> {
    let calls = scene.libvirtd.calls();
    let attach = calls.iter().filter(|heard| heard.name == "DOMAIN_ATTACH_DEVICE_FLAGS");
    attach.map(|heard| String::from_utf8_lossy(&heard.payload).into_owned()).collect()
}

#[test]
fn a_user_connects_a_granted_stick_and_libvirt_gets_exactly_that_one() {
    let scene = scene(&format!("{USER}{GRANTED}"), with("", ""));
    let (status, told) = attach(&scene, HOSTDEV, 1);
    assert_eq!(status, Status::Ok, "{told}");
    let sent = attached(&scene);
    assert!(
        sent[0].contains("<address bus=\"1\" device=\"4\"/>")
            || sent[0].contains("<address bus='1' device='4'/>"),
        "{sent:?}"
    );
    let events = scene.notebook.events.lock().unwrap();
    let connected: Vec<_> =
        events.iter().map(|(event, _)| event).filter(|event| event.operation == "media connect").collect();
    assert_eq!(connected.len(), 1);
    assert_eq!((connected[0].kind, connected[0].outcome), (Kind::Change, Outcome::Success));
    let names: Vec<_> = connected[0].targets.iter().filter_map(|target| target.name.clone()).collect();
    assert_eq!(names, ["bobvm", "usb:0951:1666:E0D55EA5741E"]);
    assert!(connected[0].actor.is_some() && connected[0].detail.contains("usb-storage"));
    let entries = scene.gate.monitor.media().history();
    assert_eq!((entries.len(), entries[0].vm), (1, BOBS));
}

#[test]
fn a_stick_that_may_not_go_there_does_not_by_any_call() {
    let calls = |device: &str| -> Vec<(&'static str, Vec<Value<'static>>)> {
        let defined = definition(BOBS, &format!("<devices>{device}</devices>"));
        vec![
            ("DOMAIN_ATTACH_DEVICE", vec![vm(BOBS), text(device)]),
            ("DOMAIN_ATTACH_DEVICE_FLAGS", vec![vm(BOBS), text(device), Value::Unsigned(1)]),
            ("DOMAIN_ATTACH_DEVICE_FLAGS", vec![vm(BOBS), text(device), Value::Unsigned(2)]),
            ("DOMAIN_ATTACH_DEVICE_FLAGS", vec![vm(BOBS), text(device), Value::Unsigned(3)]),
            ("DOMAIN_UPDATE_DEVICE_FLAGS", vec![vm(BOBS), text(device), Value::Unsigned(1)]),
            ("DOMAIN_DEFINE_XML", vec![text(&defined)]),
            ("DOMAIN_CREATE_XML", vec![text(&defined), Value::Unsigned(0)]),
        ]
    };
    for (role, rule) in [(USER, NOT_GRANTED), (USER, ASKED), (USER, DENIED), (ADMINISTRATOR, DENIED)] {
        for (call, arguments) in calls(HOSTDEV) {
            let scene = scene(&format!("{role}{rule}"), with("", ""));
            let (status, answer) = scene.open_client().call(call, &arguments);
            assert_eq!(status, Status::Error, "{call}: {rule}");
            assert!(words(&answer).contains("access denied"), "{call}: {}", words(&answer));
            assert!(!scene.libvirtd.heard().contains(&call), "{call} reached libvirtd");
            let events = scene.notebook.events.lock().unwrap();
            assert!(events.iter().any(|(event, _)| event.kind == Kind::Denial), "{call} is not on record");
        }
    }
}

#[test]
fn an_administrators_own_hand_is_a_grant() {
    let scene = scene(&format!("{ADMINISTRATOR}{NOT_GRANTED}"), with("", ""));
    let (status, told) = attach(&scene, HOSTDEV, 1);
    assert_eq!(status, Status::Ok, "{told}");
}

#[test]
fn what_another_vm_has_it_keeps() {
    const HAS: &str =
        "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='4'/></source></hostdev>";
    for role in [USER, ADMINISTRATOR] {
        let scene = scene(&format!("{role}{GRANTED}"), with("", HAS));
        let (status, told) = attach(&scene, HOSTDEV, 1);
        assert_eq!(status, Status::Error);
        assert!(told.contains("eject it there first"), "{told}");
        assert!(attached(&scene).is_empty());
    }
}

#[test]
fn one_of_two_twins_must_be_named() {
    let scene = scene(&format!("{USER}{GRANTED}"), with("", ""));
    scene.host.plug(Plug { port: "1-3", number: 7, ..STICK });
    let (status, told) = attach(&scene, HOSTDEV, 1);
    assert_eq!(status, Status::Error);
    assert!(told.contains("1-2") && told.contains("1-3"), "{told}");
    let named = HOSTDEV.replace("</source>", "<address bus='1' device='7'/></source>");
    let (status, told) = attach(&scene, &named, 1);
    assert_eq!(status, Status::Ok, "{told}");
}

#[test]
fn what_may_only_be_read_is_not_handed_over_whole() {
    let read = GRANTED.replace("read-write", "read-only");
    let scene = scene(&format!("{USER}{read}"), with("", ""));
    let (status, told) = attach(&scene, HOSTDEV, 1);
    assert_eq!(status, Status::Error);
    assert!(told.contains("may only be read"), "{told}");
}

#[test]
fn a_user_takes_out_what_is_a_medium_and_nothing_else() {
    const HAS: &str = "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0951'/><product id='0x1666'/><address bus='1' device='4'/></source></hostdev>
        <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vg/data'/><target dev='vdb' bus='virtio'/></disk>";
    let scene = scene(&format!("{USER}{GRANTED}"), with(HAS, ""));
    let detach = |device: &str| {
        let arguments = [vm(BOBS), text(device), Value::Unsigned(1)];
        let (status, answer) = scene.open_client().call("DOMAIN_DETACH_DEVICE_FLAGS", &arguments);
        (status, words(&answer))
    };
    let (status, told) = detach(HOSTDEV);
    assert_eq!(status, Status::Ok, "{told}");
    let events = scene.notebook.events.lock().unwrap();
    assert!(events.iter().any(|(event, _)| event.operation == "media disconnect"));
    drop(events);
    let (status, told) = detach("<disk type='block'><source dev='/dev/vg/data'/><target dev='vdb'/></disk>");
    assert_eq!(status, Status::Error);
    assert!(told.contains("(Table 3, 3") || told.contains("(Table 3, 7"), "{told}");
}

#[test]
fn a_start_brings_no_medium_that_the_policy_denies_by_now() {
    for (role, rule, expected) in [
        (USER, GRANTED, Status::Ok),
        // It is in the definition by an Administrator's hand.
        (USER, NOT_GRANTED, Status::Ok),
        (USER, DENIED, Status::Error),
        (ADMINISTRATOR, DENIED, Status::Error),
    ] {
        let scene = scene(&format!("{role}{rule}"), with(HOSTDEV, ""));
        let (status, answer) = scene.open_client().call("DOMAIN_CREATE", &[vm(BOBS)]);
        assert_eq!(status, expected, "{rule}: {}", words(&answer));
    }
}

#[test]
fn two_calls_do_not_both_get_one_stick() {
    let waiting: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let held = waiting.clone();
    let base = with("", "");
    // libvirtd takes its time with bobvm.
    let script: Script = Arc::new(move |heard| {
        let is_bobs = heard.payload.windows(16).any(|w| w == BOBS.0);
        if heard.name == "DOMAIN_ATTACH_DEVICE_FLAGS" && is_bobs {
            *held.lock().unwrap() = Some(good(heard, &[]));
            return Some(Vec::new());
        }
        base(heard)
    });
    let scene = scene(&format!("{ADMINISTRATOR}{GRANTED}"), script);
    let mut first = scene.open_client();
    first.send("DOMAIN_ATTACH_DEVICE_FLAGS", &[vm(BOBS), text(HOSTDEV), Value::Unsigned(1)]);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while waiting.lock().unwrap().is_none() {
        assert!(std::time::Instant::now() < until, "the first call did not arrive");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let arguments = [vm(FINANCE), text(HOSTDEV), Value::Unsigned(1)];
    let (status, answer) = scene.open_client().call("DOMAIN_ATTACH_DEVICE_FLAGS", &arguments);
    assert_eq!(status, Status::Error);
    assert!(words(&answer).contains("at this moment"), "{}", words(&answer));
}

#[test]
fn a_vm_that_usb_devices_can_be_redirected_into_gets_the_filter_of_the_policy() {
    const REDIRDEV: &str = "<redirdev bus='usb' type='spicevmc'/>";
    const LOOSE: &str =
        "<redirdev bus='usb' type='spicevmc'/><redirfilter><usbdev allow='yes'/></redirfilter>";
    for devices in [REDIRDEV, LOOSE] {
        let scene = scene(&format!("{ADMINISTRATOR}{GRANTED}"), with("", ""));
        let defined = definition(BOBS, &format!("<devices>{devices}</devices>"));
        let (status, answer) = scene.open_client().call("DOMAIN_DEFINE_XML", &[text(&defined)]);
        assert_eq!(status, Status::Ok, "{}", words(&answer));
        let calls = scene.libvirtd.calls();
        let define = calls.iter().find(|heard| heard.name == "DOMAIN_DEFINE_XML").unwrap();
        let sent = String::from_utf8_lossy(&define.payload).replace('"', "'");
        assert_eq!(sent.matches("<redirfilter>").count(), 1, "{sent}");
        assert!(sent.contains("<usbdev class='0x08' allow='yes'/><usbdev allow='no'/>"), "{sent}");
        assert!(!sent.contains("<usbdev allow='yes'/>"), "{sent}");
    }
    let scene = scene(&format!("{ADMINISTRATOR}{GRANTED}"), with(LOOSE, ""));
    let (status, answer) = scene.open_client().call("DOMAIN_ATTACH_DEVICE", &[vm(BOBS), text(REDIRDEV)]);
    assert_eq!(status, Status::Error);
    assert!(words(&answer).contains("redirection"), "{}", words(&answer));
}

#[test]
fn a_controller_is_judged_by_what_is_plugged_into_it() {
    const PCI: &str = "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='0x14' function='0'/></source></hostdev>";
    const SCSI: &str = "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host6'/><address bus='0' target='0' unit='0'/></source></hostdev>";
    for device in [PCI, SCSI] {
        for (rule, expected) in [(GRANTED, Status::Ok), (DENIED, Status::Error)] {
            let scene = scene(&format!("{ADMINISTRATOR}{rule}"), with("", ""));
            scene.host.disk_of("1-2", "sdb", 16);
            let (status, told) = attach(&scene, device, 1);
            assert_eq!(status, expected, "{rule}: {told}");
        }
        let scene = scene(&format!("{ADMINISTRATOR}{GRANTED}"), with("", ""));
        scene.host.disk_of("1-2", "sdb", 16);
        scene.host.write("proc/1/mountinfo", "21 1 8:17 / / rw,relatime - ext4 /dev/sdb1 rw\n");
        let (status, told) = attach(&scene, device, 1);
        assert_eq!(status, Status::Error);
        assert!(told.contains("stays with the host"), "{told}");
    }
}
