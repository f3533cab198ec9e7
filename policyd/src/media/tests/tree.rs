// SPDX-License-Identifier: Apache-2.0
//! `/sys`, `/proc` and udev's records as the kernel lays them out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::media::Kernel;

const CONTROLLER: &str = "devices/pci0000:00/0000:00:14.0/usb1";

/// Class, subclass, protocol.
pub(crate) const STORAGE: (u8, u8, u8) = (8, 6, 0x50);
pub(crate) const KEYBOARD: (u8, u8, u8) = (3, 1, 1);
pub(crate) const HUB: (u8, u8, u8) = (9, 0, 0);
pub(crate) const AUDIO: (u8, u8, u8) = (1, 1, 0);

pub(crate) struct Tree {
    directory: TempDir,
}

/// A USB device to plug in.
#[derive(Clone, Copy)]
pub(crate) struct Plug<'a> {
    pub(crate) port: &'a str,
    pub(crate) ids: (&'a str, &'a str),
    pub(crate) serial: Option<&'a str>,
    pub(crate) number: u16,
    pub(crate) interfaces: &'a [(u8, u8, u8)],
}

/// A stick in port 1-2.
pub(crate) const STICK: Plug<'static> = Plug {
    port: "1-2",
    ids: ("0951", "1666"),
    serial: Some("E0D55EA5741E"),
    number: 4,
    interfaces: &[STORAGE],
};

impl Tree {
    pub(crate) fn new() -> Self {
        let tree = Self { directory: tempfile::tempdir().unwrap() };
        tree.write("proc/1/mountinfo", "21 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n");
        tree.write("proc/1/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n");
        tree.write("proc/swaps", "Filename\t\tType\t\tSize\tUsed\tPriority\n");
        fs::create_dir_all(tree.path("sys/bus/usb/devices")).unwrap();
        fs::create_dir_all(tree.path("sys/block")).unwrap();
        tree
    }

    pub(crate) fn kernel(&self) -> Kernel {
        Kernel { sys: self.path("sys"), proc: self.path("proc"), udev: self.path("udev") }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn link(&self, below: &str, to: &str) {
        let (link, target) = (self.path(below), self.path(to));
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let _gone = fs::remove_file(&link);
        symlink(target, link).unwrap();
    }

    /// Where the kernel keeps a USB device: below the hub that it hangs on.
    fn usb_directory(port: &str) -> String {
        match port.rsplit_once('.') {
            Some((hub, _)) => format!("{}/{port}", Self::usb_directory(hub)),
            None => format!("sys/{CONTROLLER}/{port}"),
        }
    }

    pub(crate) fn plug(&self, plug: Plug<'_>) {
        let directory = Self::usb_directory(plug.port);
        let attribute =
            |name: &str, value: &str| self.write(&format!("{directory}/{name}"), &format!("{value}\n"));
        attribute("idVendor", plug.ids.0);
        attribute("idProduct", plug.ids.1);
        attribute("busnum", "1");
        attribute("devnum", &plug.number.to_string());
        attribute("manufacturer", "Kingston");
        attribute("product", "DataTraveler 3.0");
        plug.serial.into_iter().for_each(|serial| attribute("serial", serial));
        for (index, (class, subclass, protocol)) in plug.interfaces.iter().enumerate() {
            let part = format!("{}:1.{index}", plug.port);
            attribute(&format!("{part}/bInterfaceClass"), &format!("{class:02x}"));
            attribute(&format!("{part}/bInterfaceSubClass"), &format!("{subclass:02x}"));
            attribute(&format!("{part}/bInterfaceProtocol"), &format!("{protocol:02x}"));
        }
        self.link(&format!("sys/bus/usb/devices/{}", plug.port), &directory);
    }

    pub(crate) fn unplug(&self, port: &str) {
        fs::remove_file(self.path("sys/bus/usb/devices").join(port)).unwrap();
        fs::remove_dir_all(self.path(&Self::usb_directory(port))).unwrap();
    }

    /// A driver of the host takes an interface.
    pub(crate) fn drive(&self, port: &str, driver: &str) {
        self.write(&format!("sys/bus/usb/drivers/{driver}/bind"), "");
        let interface = format!("{}/{port}:1.0/driver", Self::usb_directory(port));
        self.link(&interface, &format!("sys/bus/usb/drivers/{driver}"));
    }

    /// A disk, with a partition, that is the stick in a port.
    pub(crate) fn disk_of(&self, port: &str, name: &str, minor: u32) {
        let above = format!("{}/{port}:1.0/host6/target6:0:0/6:0:0:0", Self::usb_directory(port));
        self.block(&format!("{above}/block/{name}"), name, (8, minor));
        self.partition(&format!("{above}/block/{name}"), &format!("{name}1"), (8, minor + 1));
    }

    /// A block device of its own.
    pub(crate) fn block(&self, directory: &str, name: &str, number: (u32, u32)) {
        self.write(&format!("{directory}/dev"), &format!("{}:{}\n", number.0, number.1));
        fs::create_dir_all(self.path(&format!("{directory}/holders"))).unwrap();
        self.link(&format!("sys/block/{name}"), directory);
    }

    pub(crate) fn partition(&self, disk: &str, name: &str, number: (u32, u32)) {
        self.write(&format!("{disk}/{name}/dev"), &format!("{}:{}\n", number.0, number.1));
        self.write(&format!("{disk}/{name}/partition"), "1\n");
        fs::create_dir_all(self.path(&format!("{disk}/{name}/holders"))).unwrap();
    }

    /// A drive for discs on SATA.
    pub(crate) fn drive_for_discs(&self) {
        let directory = "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0";
        self.block(&format!("{directory}/block/sr0"), "sr0", (11, 0));
        self.write(&format!("{directory}/type"), "5\n");
        self.write(&format!("{directory}/vendor"), "QEMU    \n");
        self.write(&format!("{directory}/model"), "QEMU DVD-ROM    \n");
        self.link(&format!("{directory}/block/sr0/device"), directory);
        self.write(
            "udev/b11:0",
            "S:cdrom\nS:disk/by-id/ata-QEMU_DVD-ROM_QM00001\nE:ID_CDROM_MEDIA=1\nE:ID_FS_UUID=2026-11-21\n",
        );
    }

    /// A memory card in a reader.
    pub(crate) fn card(&self) {
        let directory = "sys/devices/pci0000:00/0000:00:1e.0/mmc_host/mmc0/mmc0:aaaa";
        self.block(&format!("{directory}/block/mmcblk0"), "mmcblk0", (179, 0));
        self.write(&format!("{directory}/type"), "SD\n");
        self.write(&format!("{directory}/name"), "SL16G\n");
        self.write(&format!("{directory}/cid"), "035344534c313647801234567800f4b3\n");
        self.link(&format!("{directory}/block/mmcblk0/device"), directory);
    }

    /// Something is mounted.
    pub(crate) fn mount(&self, number: (u32, u32), source: &str, at: &str) {
        let before = fs::read_to_string(self.path("proc/1/mountinfo")).unwrap();
        let line = format!("90 21 {}:{} / {at} rw,nosuid shared:5 - vfat {source} rw\n", number.0, number.1);
        self.write("proc/1/mountinfo", &format!("{before}{line}"));
    }
}
