// SPDX-License-Identifier: Apache-2.0
//! What one device of a VM is, and which rights its presence or change needs.

mod character;
mod disk;
mod graphics;
mod host;
mod interface;

use crate::policy::request::Right;

use super::element::Element;
use super::needs::{self, CONFIGURE, DEVICE, MEDIA_POLICY, Needs, REMOVABLE, SHARING};

pub(super) use disk::{is_drive, source as disk_source, source_name};
pub(super) use graphics::is_loopback;
pub(super) use interface::link;

/// What somebody must hold for a definition to have this device, to lose it, or to have it changed.
pub fn needs(device: &Element) -> Needs {
    kind(device).with(needs::contents(device))
}

/// What somebody must hold to plug it into a VM, out of it, or to change it there.
pub(super) fn plug_needs(device: &Element) -> Needs {
    needs(device).when(is_removable(device), REMOVABLE, "")
}

/// The table: one line for each kind of device that libvirt knows.
fn kind(device: &Element) -> Needs {
    let attribute = |name| device.attribute(name).unwrap_or_default();
    match device.name.as_str() {
        "disk" => disk::needs(device),
        "interface" => interface::needs(device),
        "graphics" => graphics::needs(device),
        "serial" | "parallel" | "console" | "channel" => {
            Needs::of(CONFIGURE).with(character::needs(attribute("type"), device))
        }
        "hostdev" => host::hostdev(device),
        "redirdev" => Needs::of(DEVICE).with(character::needs(attribute("type"), device)),
        "redirfilter" => Needs::of(MEDIA_POLICY),
        "filesystem" => host::filesystem(device),
        "shmem" | "vsock" => Needs::of(SHARING),
        "memory" => host::memory(device),
        "tpm" => host::tpm(device),
        "rng" => host::rng(device),
        "smartcard" => host::smartcard(device),
        "input" => host::input(device),
        "audio" => host::audio(device),
        "video" => host::video(device),
        "iommu" => Needs::of(DEVICE),
        "emulator" => host::emulator(device),
        "crypto" => Needs::of(CONFIGURE),
        "lease" | "pstore" => Needs::of(CONFIGURE).and(Right::Administer, "it names a file of the host"),
        "controller" | "hub" | "sound" | "watchdog" | "memballoon" | "panic" | "nvram" => {
            Needs::of(CONFIGURE)
        }
        _ => Needs::of(Right::Administer),
    }
}

/// Devices that people plug and unplug.
fn is_removable(device: &Element) -> bool {
    match device.name.as_str() {
        "disk" => is_drive(device) || disk::is_stick(device),
        "hostdev" => device.attribute("type") == Some("usb"),
        "redirdev" | "smartcard" => true,
        _ => false,
    }
}

/// A few words that tell it from its like: "cdrom `sda`: `/a.iso`". Never a secret.
pub fn describe(device: &Element) -> String {
    let kind = device.attribute("type").unwrap_or_default();
    match device.name.as_str() {
        "disk" => disk::describe(device),
        "interface" => format!("interface: {}", link(device)),
        "hostdev" => host::describe(device),
        "emulator" => format!("emulator: `{}`", device.text()),
        name if kind.is_empty() => name.to_owned(),
        name => format!("{name}: {kind}"),
    }
}

/// What libvirt finds the device of a VM by when a client sends one; none if it compares more.
pub(super) fn identity(device: &Element) -> Option<String> {
    let value = |path: &[&str], name| device.at(path).and_then(|e| e.attribute(name)).map(str::to_owned);
    match device.name.as_str() {
        "disk" => value(&["target"], "dev"),
        "interface" => value(&["mac"], "address").map(|mac| mac.to_ascii_lowercase()),
        "graphics" => value(&[], "type"),
        "filesystem" => value(&["target"], "dir"),
        _ => None,
    }
}
