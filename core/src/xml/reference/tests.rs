// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::xml::strict::parse;
use Access::{ReadOnly, ReadWrite};
use Carrier::{Device, Disk, Drive};

fn found(device: &str) -> Vec<(Reference, Carrier, Access)> {
    let device = parse(device).unwrap();
    carried(&device).into_iter().map(|c| (c.reference, c.carrier, c.access)).collect()
}

fn image(path: &str) -> Reference {
    Reference::Image(path.to_owned())
}

fn block(path: &str) -> Reference {
    Reference::Block(path.to_owned())
}

fn stick(vendor: u16, product: u16) -> Usb {
    Usb { vendor: Some(vendor), product: Some(product), ..Usb::default() }
}

#[test]
fn every_way_in_which_a_disk_names_something_of_the_host() {
    let table = [
        ("<disk type='file' device='cdrom'><source file='/a.iso'/></disk>", vec![(image("/a.iso"), Drive, ReadOnly)]),
        ("<disk device='floppy'><source file='/a.img'/></disk>", vec![(image("/a.img"), Drive, ReadWrite)]),
        ("<disk device='floppy'><source file='/a.img'/><readonly/></disk>", vec![(image("/a.img"), Drive, ReadOnly)]),
        ("<disk type='block' device='cdrom'><source dev='/dev/sr0'/></disk>", vec![(block("/dev/sr0"), Drive, ReadOnly)]),
        ("<disk type='block' device='lun'><source dev='/dev/sg1'/></disk>", vec![(block("/dev/sg1"), Disk, ReadWrite)]),
        // A node is a node, also where the disk says that it is a file.
        ("<disk type='file'><source file='/dev/sdb1'/></disk>", vec![(block("/dev/sdb1"), Disk, ReadWrite)]),
        ("<disk type='block'><source dev='/tmp/link'/></disk>", vec![(block("/tmp/link"), Disk, ReadWrite)]),
        (
            "<disk><source file='/a' dev='/dev/sda'/><target dev='sdb' bus='usb'/></disk>",
            vec![(image("/a"), Disk, ReadWrite), (block("/dev/sda"), Disk, ReadWrite)],
        ),
        (
            "<disk><source file='/a'><dataStore type='block'><source dev='/dev/sdc'/></dataStore></source>
             <backingStore type='file'><source file='/b'/><backingStore><source dev='/dev/sdd'/></backingStore></backingStore>
             <mirror><source file='/c'/></mirror></disk>",
            vec![
                (image("/a"), Disk, ReadWrite),
                (block("/dev/sdc"), Disk, ReadWrite),
                (image("/b"), Disk, ReadOnly),
                (block("/dev/sdd"), Disk, ReadOnly),
                (image("/c"), Disk, ReadWrite),
            ],
        ),
        ("<disk device='cdrom'/>", vec![]),
        ("<disk device='cdrom'><source file=''/></disk>", vec![]),
        ("<disk type='volume'><source pool='p' volume='v'/></disk>", vec![]),
    ];
    for (device, expected) in table {
        assert_eq!(found(device), expected, "{device}");
    }
}

#[test]
fn every_way_in_which_a_device_of_the_host_is_handed_over() {
    let usb = |usb| vec![(Reference::Usb(usb), Device, ReadWrite)];
    let pci = |address: &str| vec![(Reference::Pci(address.to_owned()), Device, ReadWrite)];
    let table = [
        (
            "<hostdev type='usb'><source><vendor id='0x0951'/><product id='0x1666'/></source></hostdev>",
            usb(stick(0x0951, 0x1666)),
        ),
        // libvirt reads decimal and octal numbers, too.
        (
            "<hostdev type='usb'><source><vendor id='2385'/><product id='013146'/></source></hostdev>",
            usb(stick(0x0951, 0x1666)),
        ),
        (
            "<hostdev type='usb'><source><address bus='1' device='0x05'/></source></hostdev>",
            usb(Usb { address: Some((1, 5)), ..Usb::default() }),
        ),
        (
            "<hostdev type='usb'><source><address bus='1' port='2.3'/></source></hostdev>",
            usb(Usb { port: Some("1-2.3".into()), ..Usb::default() }),
        ),
        ("<hostdev type='usb'/>", usb(Usb::default())),
        (
            "<hostdev type='usb'><source><vendor id='0xfffff'/><product id='-1'/></source></hostdev>",
            usb(Usb::default()),
        ),
        (
            "<hostdev type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='1' unit='3'/></source></hostdev>",
            vec![(Reference::Scsi("2:0:1:3".into()), Device, ReadWrite)],
        ),
        (
            "<hostdev type='pci'><source><address domain='0x0000' bus='0x00' slot='0x14' function='0x0'/></source></hostdev>",
            pci("0000:00:14.0"),
        ),
        (
            "<interface type='hostdev'><source><address type='pci' bus='3' slot='0' function='1'/></source></interface>",
            pci("0000:03:00.1"),
        ),
        ("<interface type='network'><source network='red'/></interface>", vec![]),
        ("<redirdev bus='usb' type='spicevmc'/>", vec![]),
    ];
    for (device, expected) in table {
        assert_eq!(found(device), expected, "{device}");
    }
}

#[test]
fn a_usb_device_is_told_to_people_by_what_is_known_of_it() {
    let all = Usb { address: Some((1, 5)), port: Some("1-2".into()), ..stick(0x951, 0x1666) };
    assert_eq!(Reference::Usb(all).to_string(), "USB device 0951:1666, bus 1 device 5, port 1-2");
    assert_eq!(Reference::Usb(Usb::default()).to_string(), "USB device of no address");
}
