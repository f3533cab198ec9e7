// SPDX-License-Identifier: Apache-2.0
//! Which rights each device needs, and what attach, update and detach come to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test is a panic")]

use virtwarden_core::policy::request::Right::{self, Administer, Function as F, Raw};
use virtwarden_core::table3::Function::{
    ConfigureDevices as Devices, ConfigureNetworks as Networks, ConfigureSharing as Sharing,
    ConfigureVms as Vms, ConnectRemovable as Removable, Cryptography, MediaPolicy,
};
use virtwarden_core::xml::change::{Change, Source};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::device::needs;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::{Act, Lasting, alias_change, device_change};
use virtwarden_core::xml::strict::parse;

fn device(text: &str) -> Element {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn assert_needs(table: &[(&str, &[Right])]) {
    for (text, expected) in table {
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(needs(&device(text)).rights(), expected, "{text}");
    }
}

#[test]
fn disks() {
    let disk = |inner: &str| format!("<disk type='file' device='disk'>{inner}<target dev='vda'/></disk>");
    let images = "<source file='/var/lib/libvirt/images/a.qcow2'/>";
    assert_needs(&[
        (&disk(images), &[F(Vms)]),
        (&disk("<source file='/etc/shadow'/>"), &[F(Vms), Administer]),
        (&disk("<source file='etc/shadow'/>"), &[F(Vms), Administer]),
        (&disk("<source file='/var/lib/libvirt/images/../../../../etc/shadow'/>"), &[F(Vms), Administer]),
        (&disk(&format!("{images}<shareable/>")), &[F(Vms), F(Sharing)]),
        (&disk(&format!("<driver type='raw'/>{images}")), &[F(Vms)]),
        (&disk(&format!("<driver type='qcow2'/>{images}")), &[F(Vms), F(Sharing)]),
        (&disk("<source file='/var/lib/virtwarden/media/a.iso'/>"), &[F(Vms), F(MediaPolicy)]),
        (&disk(&format!("{images}<encryption format='luks'/>")), &[F(Vms), F(Cryptography)]),
        (&disk(&format!("{images}<turbo/>")), &[F(Vms), Administer]),
        (&disk(&format!("{images}<driver turbo='on'/>")), &[F(Vms), Administer]),
        (
            &disk(&format!(
                "{images}<mirror type='file'><source file='/var/lib/libvirt/images/b'/></mirror>"
            )),
            &[F(Vms), Administer],
        ),
        (
            &disk(&format!("{images}<backingStore type='file'><source file='/etc/shadow'/></backingStore>")),
            &[F(Vms), Administer],
        ),
        (
            &disk(&format!("{images}<backingStore type='block'><source dev='/dev/sda'/></backingStore>")),
            &[F(Vms), F(Devices)],
        ),
        (
            &disk("<source file='/var/lib/libvirt/images/a'><seclabel model='dac' relabel='no'/></source>"),
            &[F(Vms), Administer],
        ),
        (
            &disk("<source file='/var/lib/libvirt/images/a'><reservations managed='yes'/></source>"),
            &[F(Vms), Administer],
        ),
        (
            "<disk type='block' device='disk'><source dev='/dev/sda'/><target dev='vda'/></disk>",
            &[F(Vms), F(Devices)],
        ),
        (
            "<disk type='block' device='lun'><source dev='/dev/sda'/><target dev='sda'/></disk>",
            &[F(Vms), F(Devices)],
        ),
        ("<disk type='file' device='lun'><target dev='sda'/></disk>", &[F(Vms), F(Devices)]),
        (
            "<disk type='volume'><source pool='p' volume='v'/><target dev='vda'/></disk>",
            &[F(Vms), F(Devices)],
        ),
        (
            "<disk type='network'><source protocol='nbd' name='x'/><target dev='vda'/></disk>",
            &[F(Vms), Administer],
        ),
        (
            "<disk type='dir'><source dir='/etc'/><target dev='vda'/></disk>",
            &[F(Vms), F(Sharing), Administer],
        ),
        (
            "<disk type='vhostuser'><source type='unix' path='/s'/><target dev='vda'/></disk>",
            &[F(Vms), F(Sharing), Administer],
        ),
        ("<disk type='new'><source thing='x'/><target dev='vda'/></disk>", &[F(Vms), Administer]),
        ("<disk type='file' device='cdrom'><target dev='sda'/></disk>", &[F(Vms), F(MediaPolicy)]),
        ("<disk type='file' device='floppy'><target dev='fda'/></disk>", &[F(Vms), F(MediaPolicy)]),
        ("<disk type='file'><target dev='sda' bus='usb' removable='on'/></disk>", &[F(Vms), F(MediaPolicy)]),
    ]);
}

#[test]
fn interfaces() {
    let all = [
        ("network", &[F(Networks)][..]),
        ("user", &[F(Networks)]),
        ("bridge", &[F(Networks)]),
        ("direct", &[F(Networks), F(Devices)]),
        ("hostdev", &[F(Networks), F(Devices)]),
        ("vdpa", &[F(Networks), F(Devices)]),
        ("udp", &[F(Networks), F(Sharing)]),
        ("mcast", &[F(Networks), F(Sharing)]),
        ("server", &[F(Networks), F(Sharing)]),
        ("client", &[F(Networks), F(Sharing)]),
        ("vhostuser", &[F(Networks), F(Sharing), Administer]),
        ("ethernet", &[F(Networks), Administer]),
        ("new", &[F(Networks), Administer]),
    ];
    for (kind, expected) in all {
        assert_needs(&[(&format!("<interface type='{kind}'/>"), expected)]);
    }
    assert_needs(&[
        ("<interface type='network'><script path='/x'/></interface>", &[F(Networks), Administer, Raw]),
        ("<interface type='network'><script path='x'/></interface>", &[F(Networks), Raw]),
        ("<interface type='user'><backend type='passt'/></interface>", &[F(Networks), Administer]),
        ("<interface type='network'><rom file='/etc/shadow'/></interface>", &[F(Networks), Administer]),
    ]);
}

#[test]
fn what_is_made_of_the_host() {
    assert_needs(&[
        ("<hostdev mode='subsystem' type='usb'/>", &[F(Devices)]),
        ("<hostdev mode='subsystem' type='pci'/>", &[F(Devices)]),
        ("<hostdev mode='subsystem' type='mdev' model='vfio-pci'/>", &[F(Devices)]),
        ("<hostdev mode='capabilities' type='misc'/>", &[F(Devices), Administer]),
        (
            "<hostdev mode='subsystem' type='scsi'><source protocol='iscsi' name='x'/></hostdev>",
            &[F(Devices), Administer],
        ),
        ("<redirdev bus='usb' type='spicevmc'/>", &[F(Devices), F(Sharing)]),
        ("<redirdev bus='usb' type='tcp'/>", &[F(Devices), F(Sharing), Administer]),
        ("<redirfilter/>", &[F(MediaPolicy)]),
        ("<filesystem type='mount'><source dir='/srv'/></filesystem>", &[F(Sharing), Administer]),
        ("<filesystem type='mount'><source dir='srv'/></filesystem>", &[F(Sharing), Administer]),
        ("<filesystem type='mount'><binary path='/tmp/x'/></filesystem>", &[F(Sharing), Administer, Raw]),
        ("<shmem name='a'/>", &[F(Sharing)]),
        ("<shmem name='a'><server path='/s'/></shmem>", &[F(Sharing), Administer]),
        ("<vsock model='virtio'><cid auto='yes'/></vsock>", &[F(Sharing)]),
        ("<memory model='dimm'><target><size>1</size></target></memory>", &[F(Vms)]),
        (
            "<memory model='nvdimm'><source><path>/dev/x</path></source></memory>",
            &[F(Vms), F(Devices), F(Sharing), Administer],
        ),
        ("<tpm><backend type='emulator'/></tpm>", &[F(Vms)]),
        (
            "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
            &[F(Vms), F(Devices)],
        ),
        (
            "<tpm><backend type='emulator'><encryption secret='x'/></backend></tpm>",
            &[F(Vms), F(Cryptography)],
        ),
        ("<tpm><backend type='external'/></tpm>", &[F(Vms), F(Sharing), Administer]),
        ("<tpm/>", &[F(Vms), Administer]),
        ("<rng><backend model='random'>/dev/urandom</backend></rng>", &[F(Vms)]),
        ("<rng><backend model='random'>/dev/hwrng</backend></rng>", &[F(Vms), F(Devices)]),
        ("<rng><backend model='builtin'/></rng>", &[F(Vms)]),
        ("<rng><backend model='egd' type='tcp'/></rng>", &[F(Vms), F(Sharing), Administer]),
        ("<smartcard mode='host'/>", &[F(Devices)]),
        ("<smartcard mode='passthrough' type='spicevmc'/>", &[F(Devices), F(Sharing)]),
        ("<smartcard mode='host-certificates'/>", &[F(Devices), Administer]),
        ("<input type='tablet' bus='usb'/>", &[F(Vms)]),
        ("<input type='evdev'><source dev='/dev/input/event0'/></input>", &[F(Vms), F(Devices)]),
        ("<input type='passthrough'/>", &[F(Vms), F(Devices)]),
        ("<audio id='1' type='none'/>", &[F(Vms)]),
        ("<audio id='1' type='alsa'/>", &[F(Vms), F(Devices)]),
        ("<audio id='1' type='file'/>", &[F(Vms), Administer]),
        ("<video><model type='virtio'/></video>", &[F(Vms)]),
        ("<video><driver name='vhostuser'/></video>", &[F(Vms), Administer]),
        ("<emulator>/usr/bin/qemu-system-x86_64</emulator>", &[F(Vms)]),
        ("<emulator>/tmp/qemu-system-x86_64</emulator>", &[F(Vms), Administer, Raw]),
        ("<emulator>/usr/bin/qemu-system-x86_64/../../../tmp/x</emulator>", &[F(Vms), Administer, Raw]),
        ("<iommu model='intel'/>", &[F(Devices)]),
        ("<lease/>", &[F(Vms), Administer]),
        ("<controller type='usb'/>", &[F(Vms)]),
        ("<teleporter/>", &[Administer]),
    ]);
}

#[test]
fn character_devices() {
    let all = [
        ("pty", &[F(Vms)][..]),
        ("null", &[F(Vms)]),
        ("dev", &[F(Vms), F(Devices)]),
        ("unix", &[F(Vms), F(Sharing)]),
        ("tcp", &[F(Vms), F(Sharing), Administer]),
        ("udp", &[F(Vms), F(Sharing), Administer]),
        ("file", &[F(Vms), Administer]),
        ("pipe", &[F(Vms), Administer]),
        ("spicevmc", &[F(Vms), F(Sharing)]),
        ("qemu-vdagent", &[F(Vms), F(Sharing)]),
        ("new", &[F(Vms), Administer]),
    ];
    for kind in ["serial", "parallel", "console", "channel"] {
        for (host, expected) in all {
            assert_needs(&[(&format!("<{kind} type='{host}'/>"), expected)]);
        }
    }
    assert_needs(&[
        ("<serial type='pty'><log file='x'/></serial>", &[F(Vms), Administer]),
        (
            "<channel type='unix'><source mode='connect' path='x'/></channel>",
            &[F(Vms), F(Sharing), Administer],
        ),
        (
            "<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/1-a/x'/></channel>",
            &[F(Vms), F(Sharing)],
        ),
    ]);
}

#[test]
fn screens() {
    let spice = |inner: &str| format!("<graphics type='spice'>{inner}</graphics>");
    let quiet = "<clipboard copypaste='no'/><filetransfer enable='no'/>";
    assert_needs(&[
        ("<graphics type='vnc'/>", &[F(Vms)]),
        ("<graphics type='vnc' listen='127.0.0.1'/>", &[F(Vms)]),
        ("<graphics type='vnc' listen='0.0.0.0'/>", &[F(Vms), Administer]),
        ("<graphics type='vnc' listen='localhost'/>", &[F(Vms), Administer]),
        ("<graphics type='vnc'><listen type='address' address='::1'/></graphics>", &[F(Vms)]),
        (
            "<graphics type='vnc'><listen type='address' address='192.0.2.1'/></graphics>",
            &[F(Vms), Administer],
        ),
        ("<graphics type='vnc'><listen type='network' network='red'/></graphics>", &[F(Vms), Administer]),
        ("<graphics type='vnc'><listen type='none'/></graphics>", &[F(Vms)]),
        ("<graphics type='vnc'><listen type='socket' socket='s'/></graphics>", &[F(Vms), Administer]),
        ("<graphics type='vnc' socket='s'/>", &[F(Vms), Administer]),
        (&spice(quiet), &[F(Vms)]),
        (&spice("<clipboard copypaste='no'/>"), &[F(Vms), F(Sharing)]),
        (&spice("<filetransfer enable='no'/>"), &[F(Vms), F(Sharing)]),
        (&spice("<clipboard copypaste='yes'/><filetransfer enable='no'/>"), &[F(Vms), F(Sharing)]),
        ("<graphics type='egl-headless'/>", &[F(Vms), F(Devices)]),
        ("<graphics type='sdl'/>", &[F(Vms), Administer]),
        ("<graphics type='dbus'/>", &[F(Vms), F(Sharing), Administer]),
        ("<graphics type='new'/>", &[F(Vms), Administer]),
    ]);
}

const DRIVE: &str = "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
    <source file='/old.iso' index='2'/><backingStore/><target dev='sda' bus='sata' tray='open'/><readonly/>
    <alias name='sata0-0-0'/><address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>";

fn bobs_vm() -> Definition {
    let disk =
        "<disk type='file'><source file='/var/lib/libvirt/images/a'/><target dev='vda' bus='virtio'/></disk>";
    let nic =
        "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='red'/></interface>";
    let usb = "<hostdev mode='subsystem' type='usb'><alias name='ua-stick'/></hostdev>";
    let sound =
        "<sound model='ich9'><alias name='ua-a'/></sound><shmem name='s'><alias name='ua-a'/></shmem>";
    Definition::parse(format!(
        "<domain type='kvm'><name>bobvm</name><devices>{DRIVE}{disk}{nic}{usb}{sound}</devices></domain>"
    ))
    .unwrap()
}

fn change(act: Act, text: &str) -> Vec<Change> {
    device_change(act, Lasting::Running, &device(text), &bobs_vm())
}

fn rights(changes: &[Change]) -> Vec<Right> {
    changes.iter().map(|change| change.right).collect()
}

/// A drive as `virsh change-media` and virt-manager send it, with what differs filled in.
fn drive(attributes: &str, driver: &str, source: &str, rest: &str) -> String {
    format!("<disk {attributes}>{driver}{source}<target dev='sda' bus='sata'/><readonly/>{rest}</disk>")
}

#[test]
fn a_medium_is_changed_by_an_update_that_changes_nothing_else() {
    let cdrom = "type='file' device='cdrom'";
    let raw = "<driver name='qemu' type='raw'/>";
    let file = |path: &str, format: &str| Source::File { path: path.into(), format: format.into() };
    let block = |path: &str, format: &str| Source::Block { path: path.into(), format: format.into() };
    let table = [
        (drive(cdrom, raw, "<source file='/a.iso'/>", ""), file("/a.iso", "raw")),
        (drive(cdrom, "<driver name='qemu'/>", "<source file='/a.iso'/>", ""), file("/a.iso", "raw")),
        (
            drive("device='cdrom'", "", "<source file='/a.iso' index='2'/>", "<backingStore/>"),
            file("/a.iso", "raw"),
        ),
        (drive(cdrom, "<driver type='qcow2'/>", "<source file='/a.iso'/>", ""), file("/a.iso", "qcow2")),
        (drive(cdrom, raw, "<source file='/old.iso'/>", ""), file("/old.iso", "raw")),
        (drive("type='block' device='cdrom'", raw, "<source dev='/dev/sr0'/>", ""), block("/dev/sr0", "raw")),
        (drive("type='block' device='cdrom'", "", "<source dev='/dev/sr0'/>", ""), block("/dev/sr0", "raw")),
        (drive(cdrom, raw, "", ""), Source::Empty),
        (drive(cdrom, raw, "<source/>", ""), Source::Empty),
        (drive(cdrom, raw, "<source file=''/>", "<alias name='sata0-0-0'/>"), Source::Empty),
    ];
    for act in [Act::Update, Act::Attach] {
        for (sent, source) in &table {
            let found = change(act, sent);
            assert_eq!(rights(&found), [F(Removable)], "{sent}");
            assert_eq!(&found[0].medium.as_ref().unwrap().source, source, "{sent}");
            assert_eq!(found[0].medium.as_ref().unwrap().target, "sda");
        }
    }
}

#[test]
fn the_element_to_send_says_the_format_and_nothing_beside_the_path() {
    let sent = drive("device='cdrom'", "", "<source file='/a.iso' index='2'/>", "<backingStore/>");
    let medium = change(Act::Update, &sent)[0].medium.clone().unwrap();
    assert_eq!(
        medium.element.to_string(),
        "<disk device='cdrom' type='file'><target dev='sda' bus='sata'/><readonly/>\
         <driver name='qemu' type='raw'/><source file='/a.iso'/></disk>"
    );
    let sent = drive("type='block' device='cdrom'", "<driver name='qemu'/>", "<source/>", "");
    let medium = change(Act::Update, &sent)[0].medium.clone().unwrap();
    assert_eq!(medium.source, Source::Empty);
    assert!(medium.element.child("source").is_none());
}

#[test]
fn what_is_more_than_a_file_in_a_drive_needs_more() {
    let cdrom = "type='file' device='cdrom'";
    let raw = "<driver name='qemu' type='raw'/>";
    let table = [
        (drive("type='network' device='cdrom'", raw, "<source protocol='http' name='x'/>", ""), Administer),
        (drive("type='volume' device='cdrom'", raw, "<source pool='p' volume='v'/>", ""), F(Devices)),
        (
            drive(cdrom, raw, "<source file='/a'><seclabel model='dac' relabel='no'/></source>", ""),
            Administer,
        ),
        (drive(cdrom, raw, "<source file='/a'><encryption format='luks'/></source>", ""), F(Cryptography)),
        (drive(cdrom, raw, "<source file='/a'><slices/></source>", ""), F(Vms)),
        (drive(cdrom, raw, "<source file='/a' fdgroup='g'/>", ""), F(Vms)),
        (drive(cdrom, raw, "<source file='/a' dev='/dev/sda'/>", ""), F(Devices)),
        (
            drive(
                cdrom,
                raw,
                "<source file='/a'/>",
                "<backingStore type='file'><source file='/b'/></backingStore>",
            ),
            Administer,
        ),
    ];
    for (sent, expected) in table {
        let found = change(Act::Update, &sent);
        assert!(rights(&found).contains(&expected), "{sent}: {found:?}");
        assert!(found.len() > 1);
        let medium = found.iter().find_map(|c| c.medium.as_ref());
        assert!(medium.is_none_or(|m| matches!(m.source, Source::Other(_))), "{sent}");
    }
}

#[test]
fn an_update_that_changes_the_drive_is_not_a_medium() {
    let cdrom = "type='file' device='cdrom'";
    let raw = "<driver name='qemu' type='raw'/>";
    let source = "<source file='/a.iso'/>";
    for sent in [
        drive("type='file' device='disk'", raw, source, ""),
        drive("type='file' device='floppy'", raw, source, ""),
        drive(cdrom, "<driver name='qemu' type='raw' cache='none'/>", source, ""),
        drive(cdrom, "<driver name='other' type='raw'/>", source, ""),
        drive(cdrom, raw, source, "<shareable/>"),
        drive(cdrom, raw, source, "<iotune><total_bytes_sec>1</total_bytes_sec></iotune>"),
        drive(cdrom, raw, source, "<alias name='ua-x'/>"),
        drive(cdrom, raw, source, "<address type='drive' controller='0' bus='0' target='0' unit='1'/>"),
        drive(cdrom, raw, source, "<surprise/>"),
        drive(cdrom, raw, "<source file='/a.iso' startupPolicy='optional'/>", ""),
        drive(cdrom, raw, source, "").replace("<readonly/>", ""),
        drive(cdrom, raw, source, "").replace("bus='sata'", "bus='usb'"),
        drive(cdrom, raw, source, "").replace("bus='sata'", "bus='sata' tray='closed'"),
        drive(cdrom, raw, source, "").replace("dev='sda'", "dev='sdb'"),
        drive(cdrom, raw, source, "").replace("dev='sda'", "dev='vda'"),
    ] {
        let found = change(Act::Update, &sent);
        assert!(found.iter().all(|c| c.medium.is_none()), "{sent}");
        assert!(rights(&found).contains(&F(Vms)), "{sent}");
    }
}

#[test]
fn plugging_needs_the_row_of_the_device() {
    let nic =
        "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='blue'/></interface>";
    let new_drive = "<disk type='file' device='cdrom'><target dev='sdb'/></disk>";
    let table: &[(Act, &str, &[Right])] = &[
        (Act::Attach, nic, &[F(Networks)]),
        (Act::Update, nic, &[F(Networks)]),
        (Act::Detach, nic, &[F(Networks)]),
        (Act::Attach, new_drive, &[F(Vms), F(MediaPolicy), F(Removable)]),
        (Act::Detach, DRIVE, &[F(Vms), F(MediaPolicy), F(Removable), Administer]),
        (Act::Attach, "<hostdev type='usb'/>", &[F(Devices), F(Removable)]),
        (Act::Attach, "<hostdev type='pci'/>", &[F(Devices)]),
        (Act::Attach, "<redirdev type='spicevmc'/>", &[F(Devices), F(Sharing), F(Removable)]),
        (Act::Attach, "<teleporter/>", &[Administer]),
    ];
    for (act, text, expected) in table {
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(rights(&change(*act, text)), expected, "{act:?} {text}");
    }
}

#[test]
fn what_libvirt_could_take_a_device_for_counts_too() {
    // The element claims to be harmless; libvirt finds the VM's own device by target, MAC or kind.
    let disk = "<disk type='file'><source file='/var/lib/libvirt/images/x'/><target dev='sda'/></disk>";
    assert!(rights(&change(Act::Detach, disk)).contains(&F(MediaPolicy)));
    assert!(rights(&change(Act::Detach, "<hostdev/>")).contains(&F(Removable)));
    assert_eq!(rights(&change(Act::Detach, "<hostdev type='pci'/>")), [F(Devices)]);
    let update = "<interface type='network'><source network='red'/></interface>";
    assert_eq!(rights(&change(Act::Update, update)), [F(Networks)]);
}

#[test]
fn an_alias_stands_for_the_device_of_that_name() {
    let found = |alias| rights(&alias_change(alias, Lasting::Running, &bobs_vm()));
    assert_eq!(found("ua-stick"), [F(Devices), F(Removable)]);
    assert_eq!(found("ua-a"), [F(Vms), F(Sharing)]);
    assert_eq!(found("nothing"), [Administer]);
}
