// SPDX-License-Identifier: Apache-2.0
//! What is there, and which one is meant.

use std::path::PathBuf;
use std::sync::Arc;

use virtwarden_core::media::{Kind, Medium};

use super::tree::{AUDIO, HUB, KEYBOARD, Plug, STICK, STORAGE, Tree};
use crate::media::{Having, Media, Unclear, Wanted};
use crate::registry::Registry;

fn media(tree: &Tree) -> Media {
    let registry = Arc::new(Registry::open(&tree.path("registry.json")).unwrap());
    Media::open(&tree.path("media.json"), tree.kernel(), registry).unwrap()
}

fn find(tree: &Tree, wanted: &Wanted<'_>) -> Result<Medium, Unclear> {
    media(tree).find(&[], wanted)
}

fn id(tree: &Tree, wanted: &Wanted<'_>) -> String {
    find(tree, wanted).map_or_else(|unclear| unclear.to_string(), |medium| medium.id.0)
}

fn usb(ids: Option<(u16, u16)>, address: Option<(u16, u16)>) -> Wanted<'static> {
    let (vendor, product) = (ids.map(|ids| ids.0), ids.map(|ids| ids.1));
    Wanted::Usb { vendor, product, address, port: None }
}

const KINGSTON: Option<(u16, u16)> = Some((0x0951, 0x1666));
const NAME: &str = "usb:0951:1666:E0D55EA5741E";

#[test]
fn a_stick_is_found_by_everything_that_a_person_would_say() {
    let tree = Tree::new();
    tree.plug(STICK);
    tree.disk_of("1-2", "sdb", 16);
    tree.write("udev/b8:17", "S:disk/by-label/OFFICE\n");
    let typed =
        [NAME, "E0D55EA5741E", "1-2", "0951:1666", "kingston datatraveler 3.0", "/dev/sdb", "/dev/sdb1"];
    for text in typed.into_iter().chain(["/dev/disk/by-label/OFFICE"]) {
        assert_eq!(id(&tree, &Wanted::Typed(text)), NAME, "{text}");
    }
    assert_eq!(id(&tree, &usb(KINGSTON, None)), NAME);
    assert_eq!(id(&tree, &usb(None, Some((1, 4)))), NAME);
    assert_eq!(id(&tree, &Wanted::Block("/dev/sdb1")), NAME, "one medium by whichever door");
    assert_eq!(find(&tree, &usb(KINGSTON, None)).unwrap().kind, Kind::UsbStorage);
}

#[test]
fn what_is_not_there_or_says_nothing_is_nothing() {
    let tree = Tree::new();
    tree.plug(STICK);
    for wanted in [usb(Some((0x0951, 0x1667)), None), usb(KINGSTON, Some((1, 5))), usb(None, None)] {
        assert!(matches!(find(&tree, &wanted), Err(Unclear::Nothing(_))), "{wanted}");
    }
    assert!(matches!(find(&tree, &Wanted::Typed("")), Err(Unclear::Nothing(_))));
    assert!(matches!(find(&tree, &Wanted::Block("/dev/vda")), Err(Unclear::NotRemovable(_))));
    tree.plug(Plug { port: "1-3", number: 5, interfaces: &[], ..STICK });
    assert!(matches!(find(&tree, &usb(None, Some((1, 5)))), Err(Unclear::Unreadable(_))), "not configured");
}

#[test]
fn twins_are_told_apart_by_serial_number_or_port_and_refused_otherwise() {
    let tree = Tree::new();
    tree.plug(STICK);
    tree.plug(Plug { port: "1-3", serial: Some("E0D55EA5741F"), number: 5, ..STICK });
    let Err(Unclear::Several { candidates, .. }) = find(&tree, &usb(KINGSTON, None)) else { panic!() };
    assert_eq!(candidates.len(), 2);
    let message = id(&tree, &Wanted::Typed("0951:1666"));
    assert!(message.contains("at port 1-2") && message.contains("at port 1-3"), "{message}");
    assert_eq!(id(&tree, &Wanted::Typed("E0D55EA5741F")), "usb:0951:1666:E0D55EA5741F");
    assert_eq!(id(&tree, &Wanted::Typed("1-2")), NAME);
    assert_eq!(id(&tree, &usb(KINGSTON, Some((1, 5)))), "usb:0951:1666:E0D55EA5741F");
}

#[test]
fn twins_that_lie_about_their_serial_number_or_have_none_go_by_their_port() {
    let tree = Tree::new();
    tree.plug(STICK);
    tree.plug(Plug { port: "1-3", number: 5, ..STICK });
    assert!(matches!(find(&tree, &Wanted::Typed("E0D55EA5741E")), Err(Unclear::Several { .. })));
    assert!(matches!(find(&tree, &Wanted::Typed(NAME)), Err(Unclear::Nothing(_))), "it means neither");
    assert_eq!(id(&tree, &Wanted::Typed("1-3")), format!("{NAME}@1-3"));
    tree.unplug("1-3");
    assert_eq!(id(&tree, &Wanted::Typed("1-2")), NAME);
    tree.plug(Plug { port: "1-4.1", serial: None, number: 6, ..STICK });
    assert_eq!(id(&tree, &Wanted::Typed("1-4.1")), "usb:0951:1666@1-4.1");
    tree.plug(Plug { port: "1-5", serial: Some("@1-4.1"), number: 7, ..STICK });
    assert_eq!(id(&tree, &Wanted::Typed("usb:0951:1666@1-4.1")), "usb:0951:1666@1-4.1", "nobody forges it");
}

#[test]
fn what_a_device_says_of_itself_is_escaped_and_bounded() {
    let tree = Tree::new();
    let serial = "\u{1b}[2J\u{202e}:@/ ";
    tree.plug(Plug { serial: Some(serial), ..STICK });
    let directory = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2";
    tree.write(&format!("{directory}/product"), &"\u{1b}]0;x\u{7}".repeat(400));
    let medium = find(&tree, &usb(KINGSTON, None)).unwrap();
    assert!(medium.name.is_ascii() && medium.name.len() < 80, "{}", medium.name);
    assert!(
        medium.id.0.is_ascii() && !medium.id.0.contains('\u{1b}') && !medium.id.0.contains('@'),
        "{}",
        medium.id
    );
    std::fs::write(tree.path(&format!("{directory}/serial")), [0xff, 0xfe, b'\n', b'x', 0, b'\n']).unwrap();
    assert!(find(&tree, &usb(KINGSTON, None)).is_ok(), "not even text");
}

#[test]
fn drives_and_cards_are_media_and_disks_are_none() {
    let tree = Tree::new();
    tree.drive_for_discs();
    tree.card();
    tree.block("sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda", "vda", (254, 0));
    for path in ["/dev/sr0", "/dev/cdrom", "/dev/disk/by-id/ata-QEMU_DVD-ROM_QM00001"] {
        assert_eq!(id(&tree, &Wanted::Block(path)), "optical:@sr0", "{path}");
    }
    assert_eq!(id(&tree, &Wanted::Block("/dev/mmcblk0")), "sd-card:035344534c313647801234567800f4b3");
    for path in ["/dev/vda", "/dev/../dev/sr0", "/tmp/sr0", "sr0", "/dev/sr", "/proc/self/root/dev/sr0"] {
        assert!(matches!(find(&tree, &Wanted::Block(path)), Err(Unclear::NotRemovable(_))), "{path}");
    }
}

#[test]
fn all_are_listed_but_hubs() {
    let tree = Tree::new();
    tree.plug(Plug { port: "1-1", ids: ("2109", "3431"), serial: None, number: 2, interfaces: &[HUB] });
    tree.plug(Plug {
        port: "1-1.4",
        ids: ("046d", "c31c"),
        serial: None,
        number: 3,
        interfaces: &[KEYBOARD],
    });
    tree.plug(Plug { port: "1-1.3", number: 9, ..STICK });
    tree.plug(Plug {
        port: "1-3",
        ids: ("0d8c", "0014"),
        serial: None,
        number: 5,
        interfaces: &[AUDIO, STORAGE],
    });
    tree.disk_of("1-1.3", "sdb", 16);
    tree.drive_for_discs();
    let seen = media(&tree).present(&[], &Vec::<Having>::new()).unwrap();
    let listed: Vec<_> = seen.iter().map(|seen| (seen.medium.id.0.as_str(), seen.medium.kind)).collect();
    let expected = [
        (NAME, Kind::UsbStorage),
        ("usb:046d:c31c@1-1.4", Kind::Usb),
        ("usb:0d8c:0014@1-3", Kind::UsbStorage),
        ("optical:@sr0", Kind::Optical),
    ];
    assert_eq!(listed, expected, "a disk of a stick is the stick, and one interface makes it storage");
}

#[test]
fn a_host_without_usb_has_none_and_one_that_hides_it_is_not_believed() {
    let tree = Tree::new();
    std::fs::remove_dir_all(tree.path("sys/bus")).unwrap();
    assert_eq!(media(&tree).present(&[], &Vec::<Having>::new()).unwrap(), []);
    tree.write("sys/bus/usb/devices", "no directory");
    assert!(matches!(find(&tree, &usb(KINGSTON, None)), Err(Unclear::Unreadable(_))));
    assert!(media(&tree).present(&[PathBuf::from("/nowhere")], &Vec::<Having>::new()).is_err());
}
