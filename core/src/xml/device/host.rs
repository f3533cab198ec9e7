// SPDX-License-Identifier: Apache-2.0
//! Devices that are made of something of the host.

use crate::policy::request::Right;
use crate::xml::device::character;
use crate::xml::element::Element;
use crate::xml::needs::{CONFIGURE, CRYPTOGRAPHY, DEVICE, Needs, SHARING};
use crate::xml::paths::is_stock_emulator;

pub(super) fn hostdev(device: &Element) -> Needs {
    let remote = device.child("source").is_some_and(|s| s.attribute("protocol").is_some());
    let known = matches!(device.attribute("type"), Some("usb" | "pci" | "scsi" | "scsi_host" | "mdev"))
        && matches!(device.attribute("mode"), None | Some("subsystem"));
    Needs::of(DEVICE).when(remote, Right::Administer, "libvirt would reach it over the network").when(
        !known,
        Right::Administer,
        "its type is not understood",
    )
}

pub(super) fn describe(device: &Element) -> String {
    let kind = device.attribute("type").unwrap_or_default();
    let source = device.child("source");
    let part = |name, attribute| source.and_then(|s| s.child(name)).and_then(|e| e.attribute(attribute));
    match (part("vendor", "id"), part("product", "id"), part("address", "bus"), part("address", "device")) {
        (Some(vendor), Some(product), _, _) => format!("hostdev: {kind} {vendor}:{product}"),
        (_, _, Some(bus), Some(device)) => format!("hostdev: {kind} bus {bus} device {device}"),
        _ => pci(source)
            .map_or_else(|| format!("hostdev: {kind}"), |address| format!("hostdev: {kind} {address}")),
    }
}

fn pci(source: Option<&Element>) -> Option<String> {
    let address = source?.child("address")?;
    let (bus, slot) = (address.attribute("bus")?, address.attribute("slot")?);
    Some(format!("bus {bus} slot {slot}"))
}

/// A directory, or worse a program that serves it.
pub(super) fn filesystem(device: &Element) -> Needs {
    let harmless = matches!(device.attribute("type"), Some("volume" | "ram"));
    Needs::of(SHARING)
        .when(!harmless, Right::Administer, "it is a directory or file of the host")
        .when(
            device.child("binary").is_some_and(|b| b.attribute("path").is_some()),
            Right::Raw,
            "it chooses a program",
        )
        .when(device.attribute("type") == Some("block"), DEVICE, "it is a device of the host")
}

pub(super) fn memory(device: &Element) -> Needs {
    let file = device.at(&["source", "path"]).is_some();
    Needs::of(CONFIGURE).when(file, SHARING, "its content is a file").when(
        file,
        Right::Administer,
        "its content is a file of the host",
    )
}

pub(super) fn tpm(device: &Element) -> Needs {
    let backend = device.child("backend");
    let has = |name| backend.is_some_and(|b| b.child(name).is_some());
    let needs = Needs::of(CONFIGURE).when(has("encryption"), CRYPTOGRAPHY, "it uses a secret");
    match backend.and_then(|b| b.attribute("type")) {
        Some("emulator") => needs.when(has("source"), Right::Administer, "it names a file of the host"),
        Some("passthrough") => needs.and(DEVICE, "it is a device of the host"),
        Some("external") => needs.and(SHARING, "").and(Right::Administer, "it names a socket of the host"),
        _ => needs.and(Right::Administer, "its type is not understood"),
    }
}

pub(super) fn rng(device: &Element) -> Needs {
    let Some(backend) = device.child("backend") else { return Needs::of(Right::Administer) };
    let needs = Needs::of(CONFIGURE);
    match backend.attribute("model") {
        Some("builtin") => needs,
        Some("random") => {
            let common = matches!(backend.text().trim(), "" | "/dev/urandom" | "/dev/random");
            needs.when(!common, DEVICE, "it is a device of the host")
        }
        Some("egd") => needs.with(character::needs(backend.attribute("type").unwrap_or_default(), backend)),
        _ => needs.and(Right::Administer, "its type is not understood"),
    }
}

pub(super) fn smartcard(device: &Element) -> Needs {
    let needs = Needs::of(DEVICE);
    match device.attribute("mode") {
        Some("host") => needs,
        Some("passthrough") => {
            needs.with(character::needs(device.attribute("type").unwrap_or_default(), device))
        }
        _ => needs.and(Right::Administer, "it uses certificates of the host"),
    }
}

pub(super) fn input(device: &Element) -> Needs {
    let emulated = matches!(device.attribute("type"), Some("tablet" | "mouse" | "keyboard"));
    Needs::of(CONFIGURE).when(!emulated, DEVICE, "it is a device of the host")
}

pub(super) fn audio(device: &Element) -> Needs {
    let needs = Needs::of(CONFIGURE);
    match device.attribute("type") {
        Some("none" | "spice") => needs,
        Some("file") => needs.and(Right::Administer, "it writes a file on the host"),
        _ => needs.and(DEVICE, "it uses the host's sound"),
    }
}

pub(super) fn video(device: &Element) -> Needs {
    let vhost = device.child("driver").is_some_and(|d| d.attribute("name") == Some("vhostuser"));
    let accelerated =
        device.at(&["model", "acceleration"]).is_some_and(|a| a.attribute("rendernode").is_some());
    Needs::of(CONFIGURE).when(accelerated, DEVICE, "it uses a device of the host").when(
        vhost,
        Right::Administer,
        "it runs another program",
    )
}

/// The program that runs the VM.
pub(super) fn emulator(device: &Element) -> Needs {
    Needs::of(CONFIGURE).when(!is_stock_emulator(&device.text()), Right::Raw, "it chooses a program")
}
