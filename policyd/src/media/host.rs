// SPDX-License-Identifier: Apache-2.0
//! What the host itself does with a medium: mounted, swapped to, part of another device, claimed by a program.

use std::io;
use std::path::Path;

use virtwarden_core::media::{Medium, Source};

use super::block::{Node, number};
use super::kernel::{Kernel, attribute};
use super::look::Look;

/// The driver of interfaces that a program has claimed for itself, as QEMU does.
const CLAIMED: &str = "usbfs";

/// One mount.
pub(super) struct Mount {
    /// Of the file system; of some kinds the kernel's own number.
    pub(super) number: (u32, u32),
    /// Where.
    pub(super) at: String,
    /// What, as far as it is a device.
    pub(super) source: String,
}

/// What the host does with a medium, in words; none if nothing that can be seen.
///
/// # Errors
/// It cannot be told.
pub(super) fn use_of(kernel: &Kernel, look: &Look, medium: &Medium) -> io::Result<Option<String>> {
    if let Source::Image { path } = &medium.source {
        return loop_device(kernel, path);
    }
    let mounts = mounts(kernel)?;
    let swaps = swaps(kernel)?;
    let nodes = look.disks_of(medium).flat_map(super::block::Disk::nodes);
    Ok(nodes.into_iter().find_map(|node| use_of_node(node, &mounts, &swaps)))
}

/// Whether a program has claimed a USB device for itself.
pub(super) fn is_claimed(look: &Look, medium: &Medium) -> bool {
    look.usb_of(medium).is_some_and(|usb| usb.drivers.iter().any(|driver| driver == CLAIMED))
}

pub(super) fn use_of_node(node: &Node, mounts: &[Mount], swaps: &[String]) -> Option<String> {
    let path = node.path();
    if let Some(mount) = mounts.iter().find(|mount| mount.number == node.number || mount.source == path) {
        return Some(format!("mounted at `{}`", mount.at));
    }
    if swaps.contains(&path) {
        return Some(format!("`{path}` is swap space"));
    }
    node.holders.first().map(|holder| format!("`{path}` is part of `{holder}`"))
}

/// All mounts that the host's first process sees.
pub(super) fn mounts(kernel: &Kernel) -> io::Result<Vec<Mount>> {
    let table = kernel.table("1/mountinfo")?;
    table
        .lines()
        .map(|line| mount(line).ok_or_else(|| io::Error::other("`mountinfo` is not understood")))
        .collect()
}

/// `36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw`.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ');
    let number = number(fields.nth(2)?)?;
    let at = fields.nth(1)?.to_owned();
    Some(Mount { number, at, source: after.split(' ').nth(1).unwrap_or_default().to_owned() })
}

/// The devices and files that are swap space.
pub(super) fn swaps(kernel: &Kernel) -> io::Result<Vec<String>> {
    let table = kernel.table("swaps")?;
    Ok(table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn loop_device(kernel: &Kernel, path: &str) -> io::Result<Option<String>> {
    let names = kernel.names("block")?;
    let backs = |name: &&String| {
        let file = attribute(&kernel.sys.join("block").join(name), "loop/backing_file");
        file.is_some_and(|file| Path::new(&file) == Path::new(path))
    };
    Ok(names.iter().find(backs).map(|name| format!("`/dev/{name}` of the host reads from it")))
}
