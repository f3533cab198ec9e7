// SPDX-License-Identifier: Apache-2.0
//! Devices that are not put into a drive: how a VM has them, and what libvirt is told to plug or unplug.

use std::collections::BTreeSet;

use virtwarden_core::media::{Access, BlockDevice, Kind, Medium, Source, UsbDevice};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;

/// Whether a medium goes into a drive, and not beside them.
pub(super) fn is_for_drives(medium: &Medium) -> bool {
    match medium.kind {
        Kind::Image | Kind::Optical => true,
        Kind::UsbStorage | Kind::Usb | Kind::SdCard => false,
    }
}

/// What libvirt is to attach: the very device that was judged, by its address on the bus or its node.
pub(super) fn to_attach(medium: &Medium, access: Access, definition: &Definition) -> Result<Element, String> {
    match &medium.source {
        Source::Usb(usb) if access == Access::ReadOnly && medium.kind == Kind::UsbStorage => Err(format!(
            "the rule gives it read-only, and a whole USB device ({:04x}:{:04x}) cannot be; set \
             access = \"read-write\" for it, or \"deny\"",
            usb.vendor, usb.product
        )),
        Source::Usb(usb) => Ok(hostdev(usb)),
        Source::Block(block) => Ok(disk(block, access, definition)),
        Source::Image { .. } => Err("an image goes into a drive: `virtwarden media insert`".to_owned()),
    }
}

fn hostdev(usb: &UsbDevice) -> Element {
    let address =
        Element::new("address").with("bus", &usb.bus.to_string()).with("device", &usb.device.to_string());
    Element::new("hostdev")
        .with("mode", "subsystem")
        .with("type", "usb")
        .with("managed", "yes")
        .holding(Element::new("source").holding(address))
}

fn disk(block: &BlockDevice, access: Access, definition: &Definition) -> Element {
    let target = Element::new("target").with("dev", &free_target(definition)).with("bus", "usb");
    let disk = Element::new("disk")
        .with("type", "block")
        .with("device", "disk")
        .holding(Element::new("driver").with("name", "qemu").with("type", "raw"))
        .holding(Element::new("source").with("dev", &block.node))
        .holding(target.with("removable", "on"));
    match access {
        Access::ReadOnly => disk.holding(Element::new("readonly")),
        Access::ReadWrite => disk,
    }
}

/// A name that no disk of the VM has: `sda` to `sdz`.
fn free_target(definition: &Definition) -> String {
    let taken: BTreeSet<_> =
        definition.devices().filter_map(|device| device.child("target")?.attribute("dev")).collect();
    let free = ('a'..='z').map(|letter| format!("sd{letter}")).find(|name| !taken.contains(name.as_str()));
    free.unwrap_or_else(|| "sdaa".to_owned())
}

/// How a VM that runs has the medium; none if it has not.
pub(super) fn attached<'d>(medium: &Medium, running: &'d Definition) -> Option<&'d Element> {
    running.devices().find(|device| is(device, medium))
}

fn is(device: &Element, medium: &Medium) -> bool {
    let source = device.child("source");
    match &medium.source {
        Source::Usb(usb) => {
            let address = source.and_then(|source| source.child("address"));
            let at = |name: &str, number: u16| {
                address.and_then(|address| number_of(address.attribute(name)?)) == Some(number)
            };
            device.is("hostdev")
                && device.attribute("type") == Some("usb")
                && at("bus", usb.bus)
                && at("device", usb.device)
        }
        Source::Block(block) => {
            device.is("disk")
                && source.and_then(|source| source.attribute("dev")) == Some(block.node.as_str())
        }
        Source::Image { path } => {
            device.is("disk") && source.and_then(|source| source.attribute("file")) == Some(path.as_str())
        }
    }
}

/// libvirt writes them in decimal, and reads them in hexadecimal, too.
fn number_of(text: &str) -> Option<u16> {
    match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
#[path = "device/tests.rs"]
mod tests;
