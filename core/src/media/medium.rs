// SPDX-License-Identifier: Apache-2.0
//! What a medium is, and how it is known again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds that rules speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A USB device with a mass-storage interface: sticks, disks, card readers.
    UsbStorage,
    /// Any other USB device.
    Usb,
    /// An optical drive of the host with what is in it.
    Optical,
    /// A memory card in a reader of the host.
    SdCard,
    /// A file that stands for a disc or floppy.
    Image,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 5] = [Kind::UsbStorage, Kind::Usb, Kind::Optical, Kind::SdCard, Kind::Image];

    /// The word in policy, commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::UsbStorage => "usb-storage",
            Kind::Usb => "usb",
            Kind::Optical => "optical",
            Kind::SdCard => "sd-card",
            Kind::Image => "image",
        }
    }

    /// Whether it stays where it is when the VM that has it stops: a disc in a drive does, a USB device goes
    /// back to the host.
    pub const fn stays_in_a_stopped_vm(self) -> bool {
        match self {
            Kind::Optical | Kind::SdCard | Kind::Image => true,
            Kind::UsbStorage | Kind::Usb => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a medium is known again by, over unplugging, boots and renames of device nodes:
/// `usb:0951:1666:E0D55EA5741E`, `usb:046d:c31c@1-2` where there is no serial number, `image:/srv/media/disc.iso`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub String);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One interface of a USB device: class, subclass, protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsbInterface {
    /// `bInterfaceClass`: 8 is mass storage, 3 keyboards and mice, 9 hubs.
    pub class: u8,
    /// `bInterfaceSubClass`.
    pub subclass: u8,
    /// `bInterfaceProtocol`.
    pub protocol: u8,
}

/// A USB device as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsbDevice {
    /// Vendor.
    pub vendor: u16,
    /// Product.
    pub product: u16,
    /// Serial number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Where it is plugged in: `1-2.3`, the kernel's name for bus and ports.
    pub port: String,
    /// The bus, as libvirt counts.
    pub bus: u16,
    /// The device's number on the bus. A new one each time that it is plugged in.
    pub device: u16,
    /// Its interfaces.
    pub interfaces: Vec<UsbInterface>,
}

/// A drive or card reader of the host that is no USB device of its own for a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockDevice {
    /// Its node: `/dev/sr0`.
    pub node: String,
    /// The node's device number, major and minor.
    pub number: (u32, u32),
    /// Its serial number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What is in it, if anything: the disc's or card's own identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Where a medium is on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// A USB device.
    Usb(UsbDevice),
    /// A block device.
    Block(BlockDevice),
    /// A file.
    Image {
        /// Its path, resolved: no link on the way.
        path: String,
    },
}

/// A medium that is there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medium {
    /// What it is known again by.
    pub id: Id,
    /// Its kind.
    pub kind: Kind,
    /// For people: `Kingston DataTraveler 3.0`. From the device, so escaped and bounded before it gets here.
    pub name: String,
    /// Where it is on the host.
    pub source: Source,
}

const HUMAN_INTERFACE: u8 = 3;
const HUB: u8 = 9;

impl Medium {
    /// A hub is other devices' way to the host.
    pub fn is_hub(&self) -> bool {
        self.has_interface(HUB)
    }

    /// A keyboard or mouse, or what can act as one: without it nobody can work at the host.
    pub fn is_input(&self) -> bool {
        self.has_interface(HUMAN_INTERFACE)
    }

    /// Where a USB device is on its bus: a new place each time that it is plugged in.
    pub fn address(&self) -> Option<(u16, u16)> {
        match &self.source {
            Source::Usb(usb) => Some((usb.bus, usb.device)),
            Source::Block(_) | Source::Image { .. } => None,
        }
    }

    fn has_interface(&self, class: u8) -> bool {
        let has = |usb: &UsbDevice| usb.interfaces.iter().any(|interface| interface.class == class);
        matches!(&self.source, Source::Usb(usb) if has(usb))
    }
}
