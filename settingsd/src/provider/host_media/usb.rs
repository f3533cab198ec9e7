// SPDX-License-Identifier: Apache-2.0
//! Interfaces of USB devices: whether a driver may have them. The kernel calls that authorization.
//!
//! To authorize an interface asks no driver, and a VM gets a device through `usbfs`, which is none either:
//! so a device can be released to a VM without the host looking into it.

use std::fs;
use std::path::{Path, PathBuf};

use virtwarden_core::control::UsbWish;

use super::disks::{entries, is_text};
use super::rules;
use crate::file;
use crate::host::Host;

const DEVICES: &str = "sys/bus/usb/devices";
const PROBE: &str = "sys/bus/usb/drivers_probe";
/// There while interfaces are closed by us: without it, whoever closed some keeps them so. Not below `/run`: after a boot
/// udev closes them by our rules again, before anybody asks us.
const OURS: &str = "/var/lib/virtwarden/settings-journal/usb-drivers";
const STORAGE: &str = "08";
/// The driver of programs that use a device by themselves, emulators among them.
const PROGRAMS: &str = "usbfs";

/// Remembers that interfaces are closed by us.
///
/// # Errors
/// It could not be written.
pub(super) fn remember(host: &Host) -> Result<(), String> {
    file::replace(host, OURS, &host.content("", 0o600))
}

/// Gives every interface back to its driver, if it was us who kept it.
///
/// # Errors
/// The kernel refused.
pub(super) fn open(host: &Host) -> Result<(), String> {
    if !host.has(OURS) {
        return Ok(());
    }
    for hub in devices(host, |name| name.starts_with("usb")) {
        write(&hub.join("interface_authorized_default"), "1")?;
    }
    for interface in devices(host, |name| name.contains(':')) {
        if is_text(&interface.join("authorized"), "0") {
            write(&interface.join("authorized"), "1")?;
            probe(host, &interface)?;
        }
    }
    file::remove(host, OURS)
}

/// Lets a VM have a device. Nothing is to be done where drivers are not kept off.
///
/// # Errors
/// There is no such device, or the kernel refused.
pub(crate) fn carry_out(host: &Host, port: &str, wish: UsbWish) -> Result<Vec<String>, String> {
    if !is_port(port) {
        return Err(format!("`{port}` is no USB port; expected one like `1-2.3`"));
    }
    if !host.has(rules::DRIVER) {
        return Ok(Vec::new());
    }
    let interfaces = devices(host, |name| name.split_once(':').is_some_and(|(device, _)| device == port));
    if interfaces.is_empty() {
        return Err(format!("nothing is plugged in at USB port `{port}`"));
    }
    let mut lines = Vec::new();
    for interface in interfaces {
        let (wanted, done) = match wish {
            UsbWish::Release => ("1", "released"),
        };
        if !is_text(&interface.join("authorized"), wanted) {
            write(&interface.join("authorized"), wanted)?;
            lines.push(format!("{}: {done}", name(&interface)));
        }
    }
    Ok(lines)
}

/// A line for each way that a driver could still have USB storage.
pub(super) fn differences(host: &Host) -> Vec<String> {
    let hubs = devices(host, |name| name.starts_with("usb"));
    let open = hubs.into_iter().filter(|hub| !is_text(&hub.join("interface_authorized_default"), "0"));
    let hubs =
        open.map(|hub| format!("new devices of USB bus `{}` get a driver before udev is asked", name(&hub)));
    let interfaces = devices(host, |name| name.contains(':')).into_iter().filter(|i| is_storage(i));
    let driven = interfaces.filter_map(|interface| {
        let driver = fs::read_link(interface.join("driver")).ok()?;
        let driver = driver.file_name()?.to_str()?;
        (driver != PROGRAMS)
            .then(|| format!("USB interface `{}` has the driver `{driver}`", name(&interface)))
    });
    hubs.chain(driven).collect()
}

/// As the kernel names where a device is: bus, ports from hub to hub. Never a path.
fn is_port(port: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    port.split_once('-').is_some_and(|(bus, ports)| number(bus) && ports.split('.').all(number))
}

fn devices(host: &Host, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let all = entries(&host.root().join(DEVICES));
    all.into_iter().filter(|device| wanted(&name(device))).collect()
}

fn name(device: &Path) -> String {
    device.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_storage(interface: &Path) -> bool {
    is_text(&interface.join("bInterfaceClass"), STORAGE)
}

/// A driver that does not want it is no failure: nobody has it then.
fn probe(host: &Host, interface: &Path) -> Result<(), String> {
    match fs::write(host.root().join(PROBE), name(interface)) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(format!("cannot write `/{PROBE}`: {error}"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// One that was pulled out meanwhile is as good as done.
fn write(path: &Path, value: &str) -> Result<(), String> {
    match fs::write(path, value) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot write `{}`: {error}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
