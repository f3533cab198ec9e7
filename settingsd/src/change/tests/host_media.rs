// SPDX-License-Identifier: Apache-2.0
//! Removable media and a host that has udev, a stick, a keyboard and a disk of its own.

use std::os::unix::fs::symlink;

use virtwarden_core::control::UsbWish;
use virtwarden_core::media::Kind;
use virtwarden_core::setting::HostLevel;

use super::*;

const MARK: &str = "etc/udev/rules.d/61-virtwarden-host-media.rules";
const DRIVER: &str = "etc/udev/rules.d/72-virtwarden-usb-drivers.rules";
const USB: &str = "sys/devices/pci0/usb2";
const STICK: &str = "sys/devices/pci0/usb2/2-1/2-1:1.0";
const KEYBOARD: &str = "sys/devices/pci0/usb2/2-2/2-2:1.0";

fn value(level: HostLevel) -> Setting {
    Setting::HostMedia(HostMedia { level, ..HostMedia::default() })
}

impl Scene {
    /// A stick `sda` at port 2-1 and a keyboard at 2-2, both with their drivers.
    fn with_usb() -> Self {
        let scene = Self::new();
        for program in ["usr/bin/udevadm", "run/udev/control"] {
            scene.write(program, "");
        }
        scene.write(&format!("{USB}/interface_authorized_default"), "1");
        for (interface, class) in [(STICK, "08"), (KEYBOARD, "03")] {
            scene.write(&format!("{interface}/bInterfaceClass"), class);
            scene.write(&format!("{interface}/authorized"), "1");
        }
        let disk = format!("{STICK}/host0/block/sda");
        scene.write(&format!("{disk}/dev"), "8:0\n");
        scene.link("sys/class/block/sda", &disk);
        scene.link("sys/dev/block/8:0", &disk);
        scene.link("sys/bus/usb/devices/usb2", USB);
        scene.link("sys/bus/usb/devices/2-1:1.0", STICK);
        scene.link("sys/bus/usb/devices/2-2:1.0", KEYBOARD);
        scene.write("sys/bus/usb/drivers_probe", "");
        scene
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(self.root.path().join(target), path).unwrap();
    }

    fn usb(&self, port: &str, wish: UsbWish) -> Report {
        carry_out(&self.host, &Order::UsbStorage { port: port.to_owned(), wish })
    }

    fn mount(&self, place: &str) {
        self.write(
            "proc/1/mountinfo",
            &format!("25 1 254:0 / / rw - ext4 /dev/vda rw\n30 25 8:0 / {place} rw - ext2 /dev/sda rw\n"),
        );
    }

    /// udev has done what the rules say.
    fn udev_has_closed(&self, device: &'static str) {
        self.write(&format!("run/closed/{device}"), "");
    }
}

#[test]
fn a_stick_that_udev_leaves_open_undoes_it_all() {
    let scene = Scene::with_usb();
    let before = scene.etc();
    let Report::Failed(why) = scene.apply(&value(HostLevel::NoAutomount)) else { panic!("not noticed") };
    assert!(why.contains("`sda` (usb-storage) is open to the host"), "{why}");
    assert_eq!(scene.etc(), before);

    scene.udev_has_closed("sda");
    assert!(matches!(scene.apply(&value(HostLevel::NoAutomount)), Report::Done(_)));
    assert_eq!(scene.drift(&value(HostLevel::NoAutomount)), Vec::<String>::new());
    let heard = scene.components.heard.lock().unwrap().join("\n");
    assert!(heard.contains("udevadm control --reload") && heard.contains("--subsystem-match=usb"), "{heard}");
}

#[test]
fn what_the_host_lives_on_is_not_taken_from_it() {
    for (place, level, refused) in [
        ("/srv", HostLevel::NoAutomount, true),
        ("/boot/efi", HostLevel::NoDriver, true),
        ("/media/bob/STICK", HostLevel::NoAutomount, false),
        ("/run/media/bob/STICK", HostLevel::NoDriver, true),
        ("/srv", HostLevel::Open, false),
    ] {
        let scene = Scene::with_usb();
        scene.udev_has_closed("sda");
        scene.write(&format!("{USB}/interface_authorized_default"), "0");
        scene.mount(place);
        let report = scene.apply(&value(level));
        assert_eq!(matches!(report, Report::Failed(_)), refused, "{place} {level:?}: {report:?}");
        if let Report::Failed(why) = report {
            assert!(why.contains("`sda` (usb-storage") && why.contains(place), "{why}");
            assert!(!scene.root.path().join(MARK).exists());
        }
    }
}

#[test]
fn what_the_desktop_mounted_is_unmounted_and_what_is_in_use_is_a_remark() {
    let scene = Scene::with_usb();
    scene.udev_has_closed("sda");
    scene.mount("/media/bob/A\\040STICK");
    assert!(matches!(scene.apply(&value(HostLevel::NoAutomount)), Report::Done(_)));
    let heard = scene.components.heard.lock().unwrap().join("\n");
    assert!(heard.contains("systemctl stop /media/bob/A STICK"), "{heard}");
    let drift = scene.drift(&value(HostLevel::NoAutomount));
    assert_eq!(
        drift,
        ["`/media/bob/A STICK` is still mounted, somebody uses it; unmount it, or pull it out"]
    );
}

#[test]
fn what_is_granted_to_the_host_may_be_lived_on() {
    let scene = Scene::with_usb();
    scene.mount("/srv");
    let granted = HostMedia { level: HostLevel::NoDriver, granted: [Kind::UsbStorage].into() };
    assert!(matches!(scene.apply(&Setting::HostMedia(granted)), Report::Done(_)));
    assert!(!scene.root.path().join(DRIVER).exists());
}

#[test]
fn drivers_come_back_when_the_level_goes_down_and_only_if_it_was_us() {
    let scene = Scene::with_usb();
    scene.udev_has_closed("sda");
    scene.write(&format!("{USB}/interface_authorized_default"), "0");
    scene.write(&format!("{STICK}/authorized"), "0");
    // Closed by somebody else: it stays so.
    assert!(matches!(scene.apply(&value(HostLevel::NoAutomount)), Report::Done(_)));
    assert_eq!(scene.read(&format!("{STICK}/authorized")), "0");

    assert!(matches!(scene.apply(&value(HostLevel::NoDriver)), Report::Done(_)));
    assert!(matches!(scene.apply(&value(HostLevel::NoAutomount)), Report::Done(_)));
    assert_eq!(scene.read(&format!("{STICK}/authorized")), "1");
    assert_eq!(scene.read(&format!("{USB}/interface_authorized_default")), "1");
    assert_eq!(scene.read("sys/bus/usb/drivers_probe"), "2-1:1.0");
}

/// Otherwise the next keyboard that is plugged in would have no driver, and no rule of udev to give it one.
#[test]
fn drivers_come_back_after_a_boot_too() {
    let scene = Scene::with_usb();
    scene.udev_has_closed("sda");
    scene.write(&format!("{USB}/interface_authorized_default"), "0");
    scene.write(&format!("{STICK}/authorized"), "0");
    assert!(matches!(scene.apply(&value(HostLevel::NoDriver)), Report::Done(_)));
    let _nothing_there = std::fs::remove_dir_all(scene.root.path().join("run/virtwarden"));

    assert!(matches!(scene.apply(&value(HostLevel::NoAutomount)), Report::Done(_)));
    assert_eq!(scene.read(&format!("{USB}/interface_authorized_default")), "1");
    assert_eq!(scene.read(&format!("{STICK}/authorized")), "1");
}

#[test]
fn a_driver_that_has_storage_all_the_same_is_named() {
    let scene = Scene::with_usb();
    scene.udev_has_closed("sda");
    scene.link(&format!("{STICK}/driver"), "sys/bus/usb/drivers/usb-storage");
    let Report::Failed(why) = scene.apply(&value(HostLevel::NoDriver)) else { panic!("not noticed") };
    assert!(why.contains("`2-1:1.0` has the driver `usb-storage`"), "{why}");
    assert!(why.contains("new devices of USB bus `usb2`"), "{why}");
}

#[test]
fn a_device_is_released_to_a_vm_without_a_driver() {
    let scene = Scene::with_usb();
    assert_eq!(scene.usb("2-1", UsbWish::Release), Report::Done(Vec::new()), "drivers are not kept off");
    scene.udev_has_closed("sda");
    scene.write(&format!("{USB}/interface_authorized_default"), "0");
    scene.apply(&value(HostLevel::NoDriver));
    scene.write(&format!("{STICK}/authorized"), "0");

    assert_eq!(scene.usb("2-1", UsbWish::Release), Report::Done(vec!["2-1:1.0: released".into()]));
    assert_eq!(scene.read(&format!("{STICK}/authorized")), "1");
    assert_eq!(scene.read("sys/bus/usb/drivers_probe"), "", "no driver is asked");

    for port in ["", "2", "2-", "2-1/../2-2", "../2-1", "2-1:1", "2-1.", "usb2", "2-9"] {
        assert!(matches!(scene.usb(port, UsbWish::Release), Report::Failed(_)), "{port}");
    }
}

#[test]
fn rules_that_are_left_over_are_seen() {
    let scene = Scene::with_usb();
    scene.write(DRIVER, "# left over\n");
    let drift = scene.drift(&value(HostLevel::Open)).join("\n");
    assert!(drift.contains("72-virtwarden-usb-drivers.rules` closes what is open"), "{drift}");
}
