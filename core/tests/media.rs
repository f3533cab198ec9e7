// SPDX-License-Identifier: Apache-2.0
//! Media that are plugged into a VM and out of it: which of them row 21 is for, what is sent to libvirt, and
//! what stays a change of the VM.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test is a panic")]

use virtwarden_core::media::{self, Access, BlockDevice, Id, Kind, UsbDevice};
use virtwarden_core::policy::request::Right::{self, Administer, Function as F};
use virtwarden_core::table3::Function::{
    ConfigureDevices as Devices, ConfigureVms as Vms, ConnectRemovable as Removable, MediaPolicy,
};
use virtwarden_core::xml::change::{Change, Form, Medium, Source, Way, changes_from_any};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::{Act, Lasting, alias_change, device_change};
use virtwarden_core::xml::reference::{Reference, Usb};
use virtwarden_core::xml::strict::parse;

const STICK: &str = "<hostdev mode='subsystem' type='usb' managed='yes'>
    <source><vendor id='0x0951'/><product id='0x1666'/></source></hostdev>";
const CARD: &str = "<disk type='block' device='disk'><driver name='qemu' type='raw'/>
    <source dev='/dev/mmcblk0'/><target dev='vdb' bus='virtio'/></disk>";
const FILE_STICK: &str = "<disk type='file' device='disk'><driver name='qemu' type='raw'/>
    <source file='/lib/a.img'/><target dev='sdb' bus='usb'/></disk>";

/// A running VM that has two sticks, a card and a disk.
fn vm() -> Definition {
    let disk =
        "<disk type='file'><source file='/var/lib/libvirt/images/a'/><target dev='vda' bus='virtio'/></disk>";
    let stick = |product: &str, device: &str| {
        format!(
            "<hostdev mode='subsystem' type='usb' managed='yes'>
             <source><vendor id='0x0951'/><product id='{product}'/><address bus='1' device='{device}'/></source>
             <alias name='hostdev{device}'/><address type='usb' bus='0' port='{device}'/></hostdev>"
        )
    };
    let card = CARD.replace("vdb", "vdc").replace("</disk>", "<alias name='virtio-disk2'/></disk>");
    let pci = "<hostdev mode='subsystem' type='pci'><source><address bus='3' slot='0'/></source><alias name='pci0'/></hostdev>";
    let devices = format!("{disk}{}{}{card}{pci}", stick("0x1666", "4"), stick("0x1667", "5"));
    Definition::parse(format!("<domain type='kvm'><name>vm</name><devices>{devices}</devices></domain>"))
        .unwrap()
}

fn element(text: &str) -> Element {
    parse(text).unwrap()
}

fn change(act: Act, reach: Lasting, text: &str) -> Vec<Change> {
    device_change(act, reach, &element(text), &vm())
}

fn rights(changes: &[Change]) -> Vec<Right> {
    changes.iter().map(|change| change.right).collect()
}

/// The medium that is all there is to a change.
fn medium(changes: &[Change]) -> &Medium {
    assert_eq!(rights(changes), [F(Removable)], "{changes:?}");
    changes[0].medium.as_ref().unwrap()
}

fn kingston(bus: u16, device: u16) -> media::Medium {
    let usb = UsbDevice {
        vendor: 0x951,
        product: 0x1666,
        serial: Some("E0D5".into()),
        port: "1-2".into(),
        bus,
        device,
        interfaces: Vec::new(),
    };
    media::Medium {
        id: Id("usb:0951:1666:E0D5".into()),
        kind: Kind::UsbStorage,
        name: "Kingston".into(),
        source: media::Source::Usb(usb),
    }
}

fn card() -> media::Medium {
    let block = BlockDevice { node: "/dev/mmcblk1".into(), number: (179, 8), serial: None, content: None };
    media::Medium {
        id: Id("sd:1".into()),
        kind: Kind::SdCard,
        name: "Card".into(),
        source: media::Source::Block(block),
    }
}

#[test]
fn what_is_nothing_but_a_medium_is_plugged_on_row_21() {
    let table = [
        (STICK, Source::Usb(Usb { vendor: Some(0x951), product: Some(0x1666), ..Usb::default() })),
        (CARD, Source::Block { path: "/dev/mmcblk0".into(), format: "raw".into() }),
        (FILE_STICK, Source::File { path: "/lib/a.img".into(), format: "raw".into() }),
    ];
    for (text, source) in table {
        let found = change(Act::Attach, Lasting::Running, text);
        let medium = medium(&found);
        assert_eq!((medium.way, &medium.source), (Way::Connect, &source), "{text}");
        assert!(medium.otherwise.contains(&F(Devices)) || medium.otherwise.contains(&F(Vms)), "{text}");
    }
}

#[test]
fn what_comes_back_with_each_start_is_configuration() {
    for text in [STICK, CARD, FILE_STICK] {
        let found = change(Act::Attach, Lasting::Stored, text);
        assert!(found.iter().all(|change| change.medium.is_none()), "{text}");
        assert!(rights(&found).contains(&F(Devices)) || rights(&found).contains(&F(Vms)), "{text}");
    }
    let detached = change(Act::Detach, Lasting::Stored, STICK);
    assert_eq!(rights(&detached), [F(Devices), F(Removable)]);
}

#[test]
fn what_is_more_than_a_medium_is_configuration() {
    let more = [
        STICK.replace("</hostdev>", "<boot order='1'/></hostdev>"),
        STICK.replace("<source>", "<source startupPolicy='optional'>"),
        STICK.replace("<source>", "<source guestReset='off'>"),
        STICK.replace("</hostdev>", "<rom file='/etc/shadow'/></hostdev>"),
        STICK.replace("'subsystem'", "'capabilities'"),
        STICK.replace("type='usb'", "type='pci'"),
        STICK.replace("type='usb'", "type='scsi'"),
        CARD.replace("device='disk'", "device='lun'"),
        CARD.replace("device='disk'", "device='disk' rawio='yes'"),
        CARD.replace("device='disk'", "device='disk' sgio='unfiltered'"),
        CARD.replace("</disk>", "<shareable/></disk>"),
        CARD.replace("</disk>", "<encryption format='luks'/></disk>"),
        CARD.replace("</disk>", "<boot order='1'/></disk>"),
        CARD.replace("</disk>", "<backingStore type='file'><source file='/a'/></backingStore></disk>"),
        CARD.replace("/>\n", " cache='none'/>\n"),
        CARD.replace("bus='virtio'", "bus='virtio' removable='on'"),
        CARD.replace("<source dev='/dev/mmcblk0'/>", "<source dev='/dev/mmcblk0'><slices/></source>"),
        CARD.replace("dev='/dev/mmcblk0'", "dev='/dev/mmcblk0' file='/etc/shadow'"),
        FILE_STICK.replace("bus='usb'", "bus='virtio'"),
        FILE_STICK.replace("device='disk'", "device='cdrom'"),
        FILE_STICK.replace("device='disk'", "device='floppy'"),
        "<disk type='network'><source protocol='nbd' name='x'/><target dev='sdb' bus='usb'/></disk>"
            .to_owned(),
        "<disk type='volume'><source pool='p' volume='v'/><target dev='sdb' bus='usb'/></disk>".to_owned(),
        "<disk type='dir'><source dir='/etc'/><target dev='sdb' bus='usb'/></disk>".to_owned(),
        "<redirdev bus='usb' type='spicevmc'/>".to_owned(),
        "<smartcard mode='host'/>".to_owned(),
    ];
    for text in more {
        let found = change(Act::Attach, Lasting::Running, &text);
        assert!(found.iter().all(|change| change.medium.is_none()), "{text}");
        assert!(rights(&found).iter().any(|right| *right != F(Removable)), "{text}");
    }
}

#[test]
fn a_device_that_the_vm_has_already_is_not_plugged_in_again() {
    let again = CARD.replace("vdb", "vda");
    let found = change(Act::Attach, Lasting::Running, &again);
    assert!(found.iter().all(|change| change.medium.is_none()) && rights(&found).contains(&F(Devices)));
}

#[test]
fn what_leaves_is_what_libvirt_would_take_it_for() {
    let left = |text: &str| {
        let found = change(Act::Detach, Lasting::Running, text);
        let medium = medium(&found).clone();
        assert_eq!((medium.way, medium.source), (Way::Disconnect, Source::Empty));
        medium.leaves
    };
    let stick = |product, device| {
        let usb = Usb { vendor: Some(0x951), product: Some(product), address: Some((1, device)), port: None };
        Some(Reference::Usb(usb))
    };
    assert_eq!(left(STICK), stick(0x1666, 4));
    assert_eq!(left(&STICK.replace("1666", "1667")), stick(0x1667, 5));
    let address = "<hostdev type='usb'><source><address bus='1' device='5'/></source></hostdev>";
    assert_eq!(left(address), stick(0x1667, 5));
    assert_eq!(left(&CARD.replace("vdb", "vdc")), Some(Reference::Block("/dev/mmcblk0".into())));
    let found = alias_change("hostdev5", Lasting::Running, &vm());
    assert_eq!(medium(&found).leaves, stick(0x1667, 5));
}

#[test]
fn what_was_plugged_in_comes_back_with_a_saved_vm_on_row_21() {
    let with = |devices: &str| {
        let text = format!("<domain type='kvm'><name>vm</name><devices>{devices}</devices></domain>");
        Definition::parse(text).unwrap()
    };
    let (stored, saved) = (with(""), with(&STICK.replace("<source>", "<alias name='hostdev0'/><source>")));
    let brought = changes_from_any(&[&stored], &saved, Form::Running);
    assert_eq!(medium(&brought).way, Way::Connect);
    // Written by a client, it is what the VM shall be from now on.
    assert_eq!(rights(&changes_from_any(&[&stored], &saved, Form::Stored)), [F(Devices)]);
    let more = with(&STICK.replace("<source>", "<boot order='1'/><source>"));
    assert_eq!(rights(&changes_from_any(&[&stored], &more, Form::Running)), [F(Devices)]);
    let pci =
        with("<hostdev mode='subsystem' type='pci'><source><address bus='3' slot='0'/></source></hostdev>");
    assert_eq!(rights(&changes_from_any(&[&stored], &pci, Form::Running)), [F(Devices)]);
}

#[test]
fn a_disk_of_the_vm_is_not_taken_out_as_a_medium() {
    for text in [
        CARD.replace("vdb", "vda"),
        // No such target: libvirt could take it for any disk.
        CARD.to_owned(),
        "<hostdev mode='subsystem' type='pci'><source><address bus='3' slot='0'/></source></hostdev>"
            .to_owned(),
        "<hostdev/>".to_owned(),
    ] {
        let found = change(Act::Detach, Lasting::Running, &text);
        assert!(found.iter().all(|change| change.medium.is_none()), "{text}");
    }
    assert_eq!(rights(&alias_change("pci0", Lasting::Running, &vm())), [F(Devices)]);
    assert_eq!(rights(&alias_change("nothing", Lasting::Running, &vm())), [Administer]);
}

#[test]
fn the_device_that_was_judged_is_the_one_that_is_sent() {
    let found = change(Act::Attach, Lasting::Running, STICK);
    let sent = medium(&found).to_send(&kingston(1, 7), Access::ReadWrite).unwrap();
    assert_eq!(
        sent.to_string().replace("\n    ", ""),
        "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x0951'/><product id='0x1666'/>\
         <address bus='1' device='7'/></source></hostdev>"
    );
    let found = change(Act::Attach, Lasting::Running, CARD);
    let sent = medium(&found).to_send(&card(), Access::ReadWrite).unwrap();
    assert_eq!(sent.child("source").and_then(|source| source.attribute("dev")), Some("/dev/mmcblk1"));
    assert!(sent.child("readonly").is_none());
}

#[test]
fn what_may_only_be_read_cannot_be_written_to() {
    let found = change(Act::Attach, Lasting::Running, CARD);
    let sent = medium(&found).to_send(&card(), Access::ReadOnly).unwrap();
    assert!(sent.child("readonly").is_some(), "a new disk is made one");
    let found = change(Act::Attach, Lasting::Running, STICK);
    let why = medium(&found).to_send(&kingston(1, 7), Access::ReadOnly).unwrap_err();
    assert!(why.contains("block device"), "{why}");
}

#[test]
fn a_drive_that_can_be_written_to_takes_no_medium_that_may_only_be_read() {
    let drive = |rest: &str, source: &str| {
        format!("<disk type='file' device='floppy'>{source}<target dev='fda' bus='fdc'/>{rest}</disk>")
    };
    for (rest, fits) in [("<readonly/>", true), ("", false)] {
        let devices = drive(rest, "");
        let vm = Definition::parse(format!("<domain><name>vm</name><devices>{devices}</devices></domain>"))
            .unwrap();
        let sent = element(&drive(rest, "<source file='/lib/a.img'/>"));
        let found = device_change(Act::Update, Lasting::Running, &sent, &vm);
        let medium = medium(&found);
        assert_eq!(medium.way, Way::Insert);
        assert_eq!(medium.to_send(&card(), Access::ReadOnly).is_ok(), fits);
        assert!(medium.to_send(&card(), Access::ReadWrite).is_ok());
    }
}

#[test]
fn an_ejected_medium_is_the_one_that_was_there() {
    let drive = |source: &str| {
        format!("<disk type='file' device='cdrom'>{source}<target dev='sda' bus='sata'/><readonly/></disk>")
    };
    let devices = drive("<source file='/lib/a.iso'/>");
    let vm =
        Definition::parse(format!("<domain><name>vm</name><devices>{devices}</devices></domain>")).unwrap();
    let leaves = Some(Reference::Image("/lib/a.iso".into()));
    for (source, way) in [("", Way::Eject), ("<source file='/lib/b.iso'/>", Way::Insert)] {
        let found = device_change(Act::Update, Lasting::Stored, &element(&drive(source)), &vm);
        let medium = medium(&found);
        assert_eq!((medium.way, &medium.leaves), (way, &leaves));
    }
}

#[test]
fn a_new_drive_with_a_medium_in_it_is_configuration_and_its_medium_is_named() {
    let drive =
        "<disk type='file' device='cdrom'><source file='/lib/a.iso'/><target dev='sdx' bus='usb'/></disk>";
    let found = change(Act::Attach, Lasting::Running, drive);
    assert!(rights(&found).contains(&F(Vms)) && rights(&found).contains(&F(MediaPolicy)));
    let root = element(&format!("<domain><name>x</name><devices>{drive}</devices></domain>"));
    let facts = Definition::new(root).unwrap().facts();
    assert_eq!(facts.media.len(), 1);
    assert_eq!(facts.media[0].reference, Reference::Image("/lib/a.iso".into()));
}

#[test]
fn a_class_that_names_the_host_would_open_nothing_and_is_refused() {
    let class = |granted: &str| {
        let text = format!(
            "[information-domain.red]\n[device-class.sticks]\nmatch = [{{ vendor = \"0951\" }}]\nrule = \"grant\"\ngranted = {granted}\n"
        );
        virtwarden_core::policy::Policy::load(&[virtwarden_core::policy::Source {
            name: "10.toml",
            text: &text,
        }])
        .map_err(|errors| format!("{errors:?}"))
    };
    assert!(class("[\"red\"]").is_ok() && class("\"all-vms\"").is_ok());
    let refused = class("[\"red\", \"host\"]").unwrap_err();
    assert!(refused.contains("granted by their kind"), "{refused}");
}
