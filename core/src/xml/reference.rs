// SPDX-License-Identifier: Apache-2.0
//! What of the host a definition names that could be a removable medium, wherever it names it (rows 10, 21).
//!
//! Whether it is one, and which, only a look at the host can tell.

use std::fmt;

use crate::media::Access;

use super::device::{describe, is_drive};
use super::element::Element;

/// Something of the host, as a definition spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// A USB device.
    Usb(Usb),
    /// A block device, by the path of a node.
    Block(String),
    /// A file.
    Image(String),
    /// A SCSI device: host, bus, target and unit, such as `2:0:0:0`.
    Scsi(String),
    /// A PCI device, such as `0000:00:14.0`: with a controller goes whatever is plugged into it.
    Pci(String),
    /// A medium that goes along with another device, by its identity.
    Known(String),
}

/// A USB device, as far as a `<hostdev>` says which one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usb {
    /// Vendor.
    pub vendor: Option<u16>,
    /// Product.
    pub product: Option<u16>,
    /// Bus, and number on the bus.
    pub address: Option<(u16, u16)>,
    /// Where it is plugged in: `1-2.3`.
    pub port: Option<String>,
}

impl Usb {
    /// Whether all that it says of the device is said there, too.
    pub fn is_said_by(&self, other: &Usb) -> bool {
        let address = self.address.is_none() || self.address == other.address;
        let ids = |own: Option<u16>, other: Option<u16>| own.is_none() || own == other;
        let port = self.port.is_none() || self.port == other.port;
        address && port && ids(self.vendor, other.vendor) && ids(self.product, other.product)
    }
}

impl fmt::Display for Usb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids =
            self.vendor.zip(self.product).map(|(vendor, product)| format!("{vendor:04x}:{product:04x}"));
        let address = self.address.map(|(bus, device)| format!("bus {bus} device {device}"));
        let port = self.port.as_ref().map(|port| format!("port {port}"));
        let parts: Vec<_> = [ids, address, port].into_iter().flatten().collect();
        if parts.is_empty() { f.write_str("of no address") } else { f.write_str(&parts.join(", ")) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Usb(usb) => write!(f, "USB device {usb}"),
            Reference::Block(path) => write!(f, "block device `{path}`"),
            Reference::Image(path) => write!(f, "`{path}`"),
            Reference::Scsi(address) => write!(f, "SCSI device {address}"),
            Reference::Pci(address) => write!(f, "PCI device {address}"),
            Reference::Known(id) => write!(f, "`{id}`"),
        }
    }
}

/// By which kind of device a VM has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A drive whose medium can be changed.
    Drive,
    /// A disk.
    Disk,
    /// A device of the host that is handed over whole.
    Device,
}

/// Something of the host that a VM has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What.
    pub reference: Reference,
    /// By which kind of device.
    pub carrier: Carrier,
    /// What the guest can do with it.
    pub access: Access,
    /// The drive or disk, by its name in the guest: `sda`; empty for other devices.
    pub target: String,
    /// The device, for people: "cdrom `sda`: `/a.iso`".
    pub device: String,
}

/// All that a `<domain>` carries.
pub fn carried_by(domain: &Element) -> Vec<Carried> {
    domain.all("devices").flat_map(Element::elements).flat_map(carried).collect()
}

/// What one device carries.
pub fn carried(device: &Element) -> Vec<Carried> {
    match device.name.as_str() {
        "disk" => {
            let mut found = Vec::new();
            content(device, device, access(device), &mut found);
            found
        }
        "hostdev" | "interface" => {
            named(device).map(|reference| whole(device, reference)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn whole(device: &Element, reference: Reference) -> Carried {
    let (carrier, access, target) = (Carrier::Device, Access::ReadWrite, String::new());
    Carried { reference, carrier, access, target, device: describe(device) }
}

/// The device of the host that is handed over.
fn named(device: &Element) -> Option<Reference> {
    let empty = Element::new("source");
    let source = device.child("source").unwrap_or(&empty);
    match (device.name.as_str(), device.attribute("type")) {
        ("hostdev", Some("usb")) => Some(Reference::Usb(usb(source))),
        ("hostdev", Some("scsi")) => scsi(source).map(Reference::Scsi),
        ("hostdev", Some("pci")) | ("interface", Some("hostdev")) => pci(source).map(Reference::Pci),
        _ => None,
    }
}

/// What is in a disk: its own source, the files that it builds upon, those that it is copied to.
fn content(holder: &Element, disk: &Element, access: Access, found: &mut Vec<Carried>) {
    let carrier = if is_drive(disk) { Carrier::Drive } else { Carrier::Disk };
    for part in holder.elements() {
        match part.name.as_str() {
            "source" => {
                for reference in sources(part) {
                    let target = disk.child("target").and_then(|target| target.attribute("dev"));
                    let (target, device) = (target.unwrap_or_default().to_owned(), describe(disk));
                    found.push(Carried { reference, carrier, access, target, device });
                }
                content(part, disk, access, found);
            }
            "backingStore" => content(part, disk, Access::ReadOnly, found),
            "mirror" => content(part, disk, Access::ReadWrite, found),
            _ => content(part, disk, access, found),
        }
    }
}

/// A path is what it names, whatever the disk's type says that it should be.
fn sources(source: &Element) -> Vec<Reference> {
    let named = |name| source.attribute(name).filter(|path| !path.is_empty()).map(str::to_owned);
    let file = named("file").map(|path| match path.starts_with("/dev/") {
        true => Reference::Block(path),
        false => Reference::Image(path),
    });
    file.into_iter().chain(named("dev").map(Reference::Block)).collect()
}

/// What the guest can do with what is in a disk, a drive or a device of the host.
pub(super) fn access(disk: &Element) -> Access {
    let read_only = disk.child("readonly").is_some() || disk.attribute("device") == Some("cdrom");
    if read_only { Access::ReadOnly } else { Access::ReadWrite }
}

/// The USB device that a `<source>` names. What cannot be read is left out: then it names none, or too many.
pub(super) fn usb(source: &Element) -> Usb {
    let id = |name| source.child(name).and_then(|e| e.attribute("id")).and_then(number);
    let address = source.child("address");
    let part = |name| address.and_then(|address| address.attribute(name));
    let bus = part("bus").and_then(number);
    Usb {
        vendor: id("vendor"),
        product: id("product"),
        address: bus.zip(part("device").and_then(number)),
        port: bus.zip(part("port")).map(|(bus, port)| format!("{bus}-{port}")),
    }
}

fn scsi(source: &Element) -> Option<String> {
    let host = source.child("adapter")?.attribute("name")?.strip_prefix("scsi_host")?;
    let address = source.child("address")?;
    let part = |name| address.attribute(name).unwrap_or("0");
    Some(format!("{host}:{}:{}:{}", part("bus"), part("target"), part("unit")))
}

fn pci(source: &Element) -> Option<String> {
    let address = source.child("address")?;
    let part = |name| address.attribute(name).map_or(Some(0), number);
    let (domain, bus, slot, function) = (part("domain")?, part("bus")?, part("slot")?, part("function")?);
    Some(format!("{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"))
}

/// A number as libvirt reads one: `0x0951`, `17`, and `017` for fifteen.
pub(super) fn number(text: &str) -> Option<u16> {
    let text = text.trim();
    let plain = |digits: &str, radix| {
        let digit = |c: char| c.is_digit(radix);
        (!digits.is_empty() && digits.chars().all(digit))
            .then(|| u16::from_str_radix(digits, radix).ok())
            .flatten()
    };
    match (text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")), text.strip_prefix('0')) {
        (Some(digits), _) => plain(digits, 16),
        (None, Some(digits)) if !digits.is_empty() => plain(digits, 8),
        (None, _) => plain(text, 10),
    }
}

#[cfg(test)]
mod tests;
