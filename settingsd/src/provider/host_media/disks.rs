// SPDX-License-Identifier: Apache-2.0
//! Block devices of the host that can be taken out, by the kernel's word, and what it uses them for.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use virtwarden_core::media::Kind;

use super::{properties, rules};
use crate::host::Host;

/// Where desktops mount what somebody plugs in.
const FOR_PEOPLE: [&str; 2] = ["/media/", "/run/media/"];

/// A disk that can be taken out, in use by the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    /// Its name: `sda1`.
    name: String,
    /// Its kind.
    pub(super) kind: Kind,
    /// Where it is mounted, or `swap`.
    place: String,
}

impl Used {
    /// Whether it is part of the host, rather than a stick that somebody looks at.
    pub(super) fn is_lived_on(&self) -> bool {
        !FOR_PEOPLE.iter().any(|place| self.place.starts_with(place))
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}, at `{}`)", self.name, self.kind, self.place)
    }
}

/// Every mounted file system and swap area that stands on a disk of these kinds.
///
/// # Errors
/// It cannot be told what is mounted.
pub(super) fn of_the_host(host: &Host, kinds: &[Kind]) -> Result<Vec<Used>, String> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let mut used = Vec::new();
    for (number, place) in mounted(host)?.into_iter().chain(swaps(host)) {
        let disks = below(&sys(host, &format!("dev/block/{number}")), 0);
        let found = disks.into_iter().filter_map(|disk| Some((kinds_of(&disk), name(&disk)?)));
        for (of_disk, name) in found {
            let kind = of_disk.into_iter().find(|kind| kinds.contains(kind));
            used.extend(kind.map(|kind| Used { name, kind, place: place.clone() }));
        }
    }
    Ok(used)
}

/// Where people look at what is closed by now.
pub(super) fn looked_at(host: &Host) -> Vec<String> {
    let for_people =
        |(_, place): &(String, String)| FOR_PEOPLE.iter().any(|parent| place.starts_with(parent));
    let mounts = mounted(host).unwrap_or_default().into_iter().filter(for_people);
    let closed = |(number, place): (String, String)| {
        let disks = below(&sys(host, &format!("dev/block/{number}")), 0);
        disks.iter().filter_map(|disk| name(disk)).any(|name| is_closed(host, &name)).then_some(place)
    };
    mounts.filter_map(closed).collect()
}

fn is_closed(host: &Host, name: &str) -> bool {
    let known = properties(host, &format!("/sys/class/block/{name}"));
    known.is_ok_and(|known| known.lines().any(|line| line == rules::CLOSED))
}

/// Numbers and mount points, as PID 1 sees them: we have a view of our own.
fn mounted(host: &Host) -> Result<Vec<(String, String)>, String> {
    let path = host.root().join("proc/1/mountinfo");
    let text = fs::read_to_string(&path).map_err(|error| format!("`/proc/1/mountinfo`: {error}"))?;
    let line = |line: &str| {
        let mut words = line.split(' ');
        Some((words.nth(2)?.to_owned(), words.nth(1)?.replace("\\040", " ")))
    };
    let mut mounts: Vec<_> = text.lines().filter_map(line).collect();
    mounts.sort();
    mounts.dedup();
    Ok(mounts)
}

fn swaps(host: &Host) -> Vec<(String, String)> {
    let text = fs::read_to_string(host.root().join("proc/swaps")).unwrap_or_default();
    let names = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()?.strip_prefix("/dev/"));
    let number = |name: &str| fs::read_to_string(sys(host, &format!("class/block/{name}/dev"))).ok();
    names.filter_map(number).map(|number| (number.trim().to_owned(), "swap".to_owned())).collect()
}

/// The disks that a device stands on: itself, or what it is made of (LVM, LUKS, RAID).
fn below(device: &Path, depth: u8) -> Vec<PathBuf> {
    let Ok(device) = device.canonicalize() else { return Vec::new() };
    let slaves: Vec<_> = entries(&device.join("slaves"));
    if slaves.is_empty() || depth > 8 {
        return vec![device];
    }
    slaves.iter().flat_map(|slave| below(slave, depth + 1)).collect()
}

/// What a block device is, in the order in which it counts.
fn kinds_of(device: &Path) -> Vec<Kind> {
    let is_usb = |part: &std::ffi::OsStr| {
        let number = part.to_str().and_then(|part| part.strip_prefix("usb"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let optical = name(device).is_some_and(|name| {
        name.strip_prefix("sr").is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
    });
    let card = || device.ancestors().any(|parent| is_text(&parent.join("type"), "SD"));
    let mut kinds = Vec::new();
    kinds.extend(device.iter().any(is_usb).then_some(Kind::UsbStorage));
    kinds.extend(optical.then_some(Kind::Optical));
    kinds.extend(
        (device.iter().any(|part| part.to_string_lossy().starts_with("mmc")) && card())
            .then_some(Kind::SdCard),
    );
    kinds
}

/// A line for each device that udev has not closed.
pub(super) fn differences(host: &Host, closed: &[Kind]) -> Vec<String> {
    if closed.is_empty() {
        return Vec::new();
    }
    let devices = entries(&sys(host, "class/block"));
    let lines = devices.iter().filter_map(|entry| {
        let device = entry.canonicalize().ok()?;
        let kind = kinds_of(&device).into_iter().find(|kind| closed.contains(kind))?;
        let name = name(&device)?;
        // Pulled out meanwhile: nothing is left that could differ.
        let still_there = || entry.canonicalize().is_ok();
        (!is_closed(host, &name) && still_there()).then(|| {
            format!("`{name}` ({kind}) is open to the host; look for other rules with `udevadm test /sys/class/block/{name}`")
        })
    });
    lines.collect()
}

fn sys(host: &Host, path: &str) -> PathBuf {
    host.root().join("sys").join(path)
}

fn name(device: &Path) -> Option<String> {
    Some(device.file_name()?.to_str()?.to_owned())
}

/// What is in a directory of the kernel's, in order.
pub(super) fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

/// Whether a file of the kernel's says just this.
pub(super) fn is_text(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found.trim() == text)
}
