// SPDX-License-Identifier: Apache-2.0
//! USB devices as the kernel shows them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use virtwarden_core::media::{Kind, UsbDevice, UsbInterface};

use super::kernel::{self, Kernel, attribute};
use super::text;

const DEVICES: &str = "bus/usb/devices";
const MASS_STORAGE: u8 = 8;
/// The descriptor of an interface, in USB's own numbers.
const INTERFACE: u8 = 4;

/// A device that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usb {
    /// Where its directory really is: what belongs to it is below.
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) device: UsbDevice,
    /// Its name for people.
    pub(super) name: String,
    /// The host's drivers of its interfaces.
    pub(super) drivers: Vec<String>,
}

impl Usb {
    /// Whether it has a mass-storage interface, in whatever configuration.
    pub(super) fn kind(&self) -> Kind {
        let stores = self.device.interfaces.iter().any(|interface| interface.class == MASS_STORAGE);
        if stores { Kind::UsbStorage } else { Kind::Usb }
    }
}

/// All that are plugged in, hubs included.
pub(super) fn all(kernel: &Kernel) -> io::Result<Vec<Usb>> {
    let directory = kernel.sys.join(DEVICES);
    let names = kernel.names(DEVICES)?;
    let devices = names.iter().filter(|name| !name.contains(':'));
    Ok(devices.filter_map(|name| read(&directory.join(name), name)).collect())
}

/// One; none if it has just gone.
fn read(directory: &Path, port: &str) -> Option<Usb> {
    let path = directory.canonicalize().ok()?;
    let hexadecimal = |name| u16::from_str_radix(attribute(&path, name)?.trim(), 16).ok();
    let decimal = |name| attribute(&path, name)?.trim().parse::<u16>().ok();
    let (vendor, product) = (hexadecimal("idVendor")?, hexadecimal("idProduct")?);
    let parts = interface_directories(&path, port);
    let mut interfaces: BTreeSet<_> = parts.iter().filter_map(|part| interface(part)).collect();
    interfaces.extend(kernel::bytes(&path, "descriptors").map(|bytes| described(&bytes)).unwrap_or_default());
    let device = UsbDevice {
        vendor,
        product,
        serial: text::serial(attribute(&path, "serial")),
        port: port.to_owned(),
        bus: decimal("busnum")?,
        device: decimal("devnum")?,
        interfaces: interfaces.into_iter().collect(),
    };
    let said = [attribute(&path, "manufacturer"), attribute(&path, "product")];
    let name = text::name(&said, &format!("USB device {vendor:04x}:{product:04x}"));
    let drivers = parts.iter().filter_map(|part| driver(part)).collect();
    Some(Usb { path, device, name, drivers })
}

fn interface_directories(path: &Path, port: &str) -> Vec<PathBuf> {
    let names = kernel::names(path).unwrap_or_default();
    // Those of a root hub are named after its bus: `usb1` has `1-0:1.0`.
    let own = port.strip_prefix("usb").map_or_else(|| format!("{port}:"), |bus| format!("{bus}-0:"));
    names.iter().filter(|name| name.starts_with(&own)).map(|name| path.join(name)).collect()
}

fn interface(directory: &Path) -> Option<UsbInterface> {
    let number = |name| u8::from_str_radix(attribute(directory, name)?.trim(), 16).ok();
    Some(UsbInterface {
        class: number("bInterfaceClass")?,
        subclass: number("bInterfaceSubClass")?,
        protocol: number("bInterfaceProtocol")?,
    })
}

fn driver(interface: &Path) -> Option<String> {
    let driver = std::fs::read_link(interface.join("driver")).ok()?;
    driver.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// The interfaces of all configurations: what the host has not chosen, a guest can.
fn described(mut bytes: &[u8]) -> Vec<UsbInterface> {
    let mut interfaces = Vec::new();
    while let [length, kind, ..] = *bytes {
        let length = usize::from(length);
        let Some((descriptor, rest)) = bytes.split_at_checked(length).filter(|_| length >= 2) else { break };
        if let (INTERFACE, [_, _, _, _, _, class, subclass, protocol, ..]) = (kind, descriptor) {
            interfaces.push(UsbInterface { class: *class, subclass: *subclass, protocol: *protocol });
        }
        bytes = rest;
    }
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(class: u8) -> [u8; 9] {
        [9, INTERFACE, 0, 0, 2, class, 6, 80, 0]
    }

    #[test]
    fn interfaces_of_every_configuration_count() {
        let device = [18, 1, 0, 2, 0, 0, 0, 64, 0x51, 0x09, 0x66, 0x16, 0, 1, 1, 2, 3, 2];
        let configuration = [9, 2, 32, 0, 1, 1, 0, 128, 50];
        let bytes = [&device[..], &configuration, &descriptor(3), &configuration, &descriptor(8)].concat();
        let classes: Vec<_> = described(&bytes).iter().map(|interface| interface.class).collect();
        assert_eq!(classes, [3, 8]);
    }

    #[test]
    fn descriptors_that_lie_about_their_length_end_the_reading() {
        let good = descriptor(8);
        for tail in [&[0][..], &[0, 4], &[1, 4], &[200, 4, 0], &[9, 4, 0, 0]] {
            let bytes = [&good[..], tail].concat();
            assert_eq!(described(&bytes).len(), 1, "{tail:?}");
        }
        assert_eq!(described(&[7, INTERFACE, 0, 0, 0, 8, 6]), [], "too short for an interface");
    }
}
