// SPDX-License-Identifier: Apache-2.0
//! What the host cannot do without is found out, however it is put together.

use std::sync::Arc;

use super::tree::{HUB, KEYBOARD, Plug, STICK, Tree};
use crate::media::{HostDevice, Media};
use crate::registry::Registry;

fn reason(tree: &Tree, device: &HostDevice<'_>) -> Option<String> {
    let registry = Arc::new(Registry::open(&tree.path("registry.json")).unwrap());
    let media = Media::open(&tree.path("media.json"), tree.kernel(), registry).unwrap();
    media.is_hosts_own(device).unwrap_or_else(|unclear| Some(unclear.to_string()))
}

fn pci(bus: u8, slot: u8, function: u8) -> HostDevice<'static> {
    HostDevice::Pci { domain: 0, bus, slot, function }
}

const USB: HostDevice<'static> = HostDevice::Pci { domain: 0, bus: 0, slot: 0x14, function: 0 };
const SATA: &str = "sys/devices/pci0000:00/0000:00:1f.2";
const NVME: &str = "sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1";
const OTHER_NVME: &str = "sys/devices/pci0000:00/0000:00:1e.0/0000:04:00.0/nvme/nvme1/nvme1n1";
const LAN: &str = "sys/devices/pci0000:00/0000:00:19.0";
const WIFI: &str = "sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0";

/// A host on two NVMe drives, the second of which is free, with two network cards.
fn host() -> Tree {
    let tree = Tree::new();
    for (device, below) in [
        ("0000:00:14.0", "sys/devices/pci0000:00/0000:00:14.0"),
        ("0000:03:00.0", "sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0"),
        ("0000:04:00.0", "sys/devices/pci0000:00/0000:00:1e.0/0000:04:00.0"),
        ("0000:00:1d.0", "sys/devices/pci0000:00/0000:00:1d.0"),
        ("0000:00:1f.2", SATA),
        ("0000:00:19.0", LAN),
        ("0000:02:00.0", WIFI),
    ] {
        tree.write(&format!("{below}/class"), "0x010601\n");
        tree.link(&format!("sys/bus/pci/devices/{device}"), below);
    }
    tree.block(NVME, "nvme0n1", (259, 0));
    tree.partition(NVME, "nvme0n1p1", (259, 1));
    tree.partition(NVME, "nvme0n1p2", (259, 2));
    tree.block(OTHER_NVME, "nvme1n1", (259, 5));
    tree.partition(OTHER_NVME, "nvme1n1p1", (259, 6));
    for (card, name) in [(LAN, "eth0"), (WIFI, "wlan0")] {
        tree.write(&format!("{card}/class"), "0x020000\n");
        tree.write(&format!("{card}/net/{name}/address"), "52:54:00:00:00:01\n");
        tree.link(&format!("sys/class/net/{name}"), &format!("{card}/net/{name}"));
        tree.write("sys/bus/pci/drivers/e1000e/bind", "");
        tree.link(&format!("{card}/driver"), "sys/bus/pci/drivers/e1000e");
    }
    tree.write(
        "proc/1/net/route",
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n",
    );
    tree.write("proc/1/mountinfo", "21 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw\n");
    tree
}

fn default_route(tree: &Tree, interface: &str) {
    let header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
    let local = "wlan0\t00AAA8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n";
    let out = format!("{interface}\t00000000\t01AAA8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n");
    tree.write("proc/1/net/route", &format!("{header}{local}{out}"));
}

#[test]
fn the_disk_below_the_root_is_the_hosts_with_the_controller_that_it_hangs_on_and_no_other() {
    let tree = host();
    let own = [
        HostDevice::Block("/dev/nvme0n1p2"),
        HostDevice::Block("/dev/nvme0n1"),
        pci(3, 0, 0),
        pci(0, 0x1d, 0),
    ];
    for device in own {
        let reason = reason(&tree, &device).unwrap_or_default();
        assert!(reason.contains("mounted at `/`"), "{device}: {reason}");
    }
    let free = [
        HostDevice::Block("/dev/nvme0n1p1"),
        HostDevice::Block("/dev/nvme1n1"),
        HostDevice::Block("/dev/nvme1n1p1"),
        pci(4, 0, 0),
        pci(0, 0x1f, 2),
        pci(9, 9, 9),
    ];
    for device in free {
        assert_eq!(reason(&tree, &device), None, "{device}");
    }
}

#[test]
fn swap_space_and_boot_partitions_are_the_hosts() {
    let tree = host();
    tree.write("proc/swaps", "Filename\tType\n/dev/nvme1n1p1 partition 1 0 -2\n");
    assert!(reason(&tree, &HostDevice::Block("/dev/nvme1n1")).is_some_and(|why| why.contains("swap")));
    tree.mount((259, 1), "/dev/nvme0n1p1", "boot/efi");
    assert!(reason(&tree, &HostDevice::Block("/dev/nvme0n1p1")).is_some_and(|why| why.contains("boot/efi")));
}

/// The root on a mapped device that is made of another, as with LVM in LUKS, or of several, as with RAID.
#[test]
fn what_the_root_is_made_of_is_the_hosts_however_deep() {
    let tree = host();
    let (lvm, luks) = ("sys/devices/virtual/block/dm-1", "sys/devices/virtual/block/dm-0");
    tree.block(lvm, "dm-1", (253, 1));
    tree.block(luks, "dm-0", (253, 0));
    tree.write(&format!("{lvm}/slaves/dm-0"), "");
    tree.write(&format!("{luks}/slaves/nvme0n1p1"), "");
    tree.write(&format!("{luks}/slaves/nvme1n1p1"), "");
    tree.write("udev/b253:1", "S:mapper/vg-root\nS:vg/root\n");
    tree.write("proc/1/mountinfo", "21 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n");
    for path in ["/dev/vg/root", "/dev/dm-0", "/dev/nvme0n1p1", "/dev/nvme1n1p1", "/dev/nvme1n1"] {
        assert!(reason(&tree, &HostDevice::Block(path)).is_some(), "{path}");
    }
    assert!(reason(&tree, &pci(4, 0, 0)).is_some());
    assert_eq!(reason(&tree, &HostDevice::Block("/dev/nvme0n1p2")), None);
    tree.write(&format!("{luks}/slaves/dm-1"), "");
    assert!(reason(&tree, &HostDevice::Block("/dev/nvme0n1p2")).is_some_and(|why| why.contains("too deep")));
}

#[test]
fn all_disks_of_a_file_system_of_several_are_the_hosts() {
    let tree = host();
    tree.write("proc/1/mountinfo", "21 1 0:30 /@ / rw - btrfs /dev/nvme0n1p2 rw\n");
    tree.write("sys/fs/btrfs/features/raid1", "");
    tree.write("sys/fs/btrfs/1f3a/devices/nvme0n1p2", "");
    tree.write("sys/fs/btrfs/1f3a/devices/nvme1n1p1", "");
    for path in ["/dev/nvme0n1p2", "/dev/nvme1n1p1"] {
        assert!(reason(&tree, &HostDevice::Block(path)).is_some(), "{path}");
    }
}

#[test]
fn a_host_that_runs_from_a_stick_keeps_the_stick() {
    let tree = host();
    tree.plug(STICK);
    tree.disk_of("1-2", "sdb", 16);
    tree.write("proc/1/mountinfo", "21 1 8:17 / / rw - ext4 /dev/sdb1 rw\n");
    for device in [HostDevice::Usb(1, 4), HostDevice::Block("/dev/sdb1"), USB] {
        assert!(reason(&tree, &device).is_some(), "{device}");
    }
    assert_eq!(reason(&tree, &HostDevice::Usb(1, 5)), None);
    assert_eq!(reason(&tree, &pci(3, 0, 0)), None);
}

#[test]
fn a_controller_with_a_keyboard_is_the_hosts_and_one_with_a_stick_is_not() {
    let tree = host();
    tree.plug(STICK);
    assert_eq!(reason(&tree, &USB), None);
    tree.plug(Plug { port: "1-1", ids: ("2109", "3431"), serial: None, number: 2, interfaces: &[HUB] });
    tree.plug(Plug {
        port: "1-1.4",
        ids: ("046d", "c31c"),
        serial: None,
        number: 3,
        interfaces: &[KEYBOARD],
    });
    assert!(reason(&tree, &USB).is_some_and(|why| why.contains("hangs on it")));
    assert!(reason(&tree, &HostDevice::Usb(1, 2)).is_some(), "the hub between them");
    assert_eq!(reason(&tree, &HostDevice::Usb(1, 3)), None, "itself is for the rules of media");
}

#[test]
fn the_card_that_leads_out_is_the_hosts() {
    let tree = host();
    let (lan, wifi) = (pci(0, 0x19, 0), pci(2, 0, 0));
    assert_eq!((reason(&tree, &lan), reason(&tree, &wifi)), (None, None), "a host without a way out");
    default_route(&tree, "eth0");
    assert!(reason(&tree, &lan).is_some_and(|why| why.contains("way out is `eth0`")));
    assert_eq!(reason(&tree, &wifi), None);
    default_route(&tree, "lo");
    let zero = "0".repeat(32);
    let six = format!("{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00000003 wlan0\n");
    tree.write("proc/1/net/ipv6_route", &six);
    assert!(reason(&tree, &wifi).is_some(), "over IPv6 alone");
    assert_eq!(reason(&tree, &lan), None);
}

#[test]
fn what_the_card_that_leads_out_hangs_on_is_the_hosts() {
    let tree = host();
    let bridge = "sys/devices/pci0000:00/0000:00:1c.0";
    tree.write(&format!("{bridge}/class"), "0x060400\n");
    tree.link("sys/bus/pci/devices/0000:00:1c.0", bridge);
    let adapter = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/net/usb0";
    tree.write(&format!("{adapter}/address"), "52:54:00:00:00:02\n");
    tree.link("sys/class/net/usb0", adapter);
    let of = |path| reason(&tree, &HostDevice::Directory(path));
    assert_eq!((reason(&tree, &pci(0, 0x1c, 0)), reason(&tree, &USB)), (None, None));
    default_route(&tree, "wlan0");
    assert!(reason(&tree, &pci(0, 0x1c, 0)).is_some_and(|why| why.contains("way out is `wlan0`")));
    assert!(of("/sys/devices/pci0000:00/0000:00:1c.0").is_some());
    assert_eq!((reason(&tree, &USB), of("/sys/devices/pci0000:00/0000:00:14.0")), (None, None));
    default_route(&tree, "usb0");
    assert!(reason(&tree, &USB).is_some_and(|why| why.contains("way out is `usb0`")));
    assert_eq!(reason(&tree, &pci(0, 0x1c, 0)), None);
    assert!(of("/dev/../etc").is_some_and(|why| why.contains("not below /sys")), "what it is cannot be told");
}

#[test]
fn a_bridge_leads_out_through_what_is_in_it_and_what_cannot_be_seen_is_not_given_away() {
    let tree = host();
    tree.write("sys/devices/virtual/net/br0/address", "x");
    tree.link("sys/class/net/br0", "sys/devices/virtual/net/br0");
    tree.link("sys/devices/virtual/net/br0/lower_eth0", &format!("{LAN}/net/eth0"));
    default_route(&tree, "br0");
    assert!(reason(&tree, &pci(0, 0x19, 0)).is_some_and(|why| why.contains("`br0`")));
    assert_eq!(reason(&tree, &pci(2, 0, 0)), None);
    default_route(&tree, "elsewhere0");
    assert!(reason(&tree, &pci(2, 0, 0)).is_some_and(|why| why.contains("cannot see")));
    tree.write("sys/bus/pci/drivers/vfio-pci/bind", "");
    tree.link(&format!("{WIFI}/driver"), "sys/bus/pci/drivers/vfio-pci");
    assert_eq!(reason(&tree, &pci(2, 0, 0)), None, "the host has let go of it");
}

#[test]
fn what_cannot_be_told_is_refused() {
    let tree = host();
    assert!(reason(&tree, &HostDevice::Block("/tmp/disk")).is_some());
    std::fs::remove_file(tree.path("proc/1/mountinfo")).unwrap();
    assert!(reason(&tree, &HostDevice::Block("/dev/nvme1n1")).is_some());
    assert!(reason(&tree, &pci(4, 0, 0)).is_some());
}
