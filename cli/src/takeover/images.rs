// SPDX-License-Identifier: Apache-2.0
//! Disks and memory of VMs that everybody on the host may read: `qemu-img create` by root makes them so, libvirt does not.

use std::os::unix::fs::MetadataExt;

use crate::takeover::finding::Finding;
use crate::takeover::host::Host;

/// Where libvirt keeps them.
const PLACES: &[&str] = &[
    "/var/lib/libvirt/images",
    "/var/lib/libvirt/qemu/save",
    "/var/lib/libvirt/qemu/dump",
    "/var/lib/libvirt/qemu/snapshot",
];
/// So many are named.
const NAMED: usize = 5;
const READ_BY_OTHERS: u32 = 0o004;
const ENTERED_BY_OTHERS: u32 = 0o001;

/// A warning for each. Discs that are installed from hold nobody's data.
pub(crate) fn look(host: &Host<'_>) -> Vec<Finding> {
    let places = PLACES.iter().filter(|place| mode(host, place) & ENTERED_BY_OTHERS != 0);
    let mut open: Vec<String> = places.flat_map(|place| open_in(host, place)).collect();
    open.sort_unstable();
    let more = open.len().saturating_sub(NAMED);
    let mut found: Vec<Finding> = open.iter().take(NAMED).map(|path| finding(path)).collect();
    if more > 0 {
        found.push(Finding::warning(format!("and {more} more such files"), ""));
    }
    found
}

fn open_in(host: &Host<'_>, place: &str) -> Vec<String> {
    let names = host.list(place).into_iter().filter(|name| !name.ends_with(".iso"));
    let paths = names.map(|name| format!("{place}/{name}"));
    paths.filter(|path| is_file(host, path) && mode(host, path) & READ_BY_OTHERS != 0).collect()
}

fn finding(path: &str) -> Finding {
    Finding::warning(
        format!("{path} can be read by everybody who logs in to this host"),
        format!("`chmod 0600 {path}`"),
    )
}

fn is_file(host: &Host<'_>, path: &str) -> bool {
    host.path(path).symlink_metadata().is_ok_and(|found| found.is_file())
}

/// None of the bits where there is nothing.
fn mode(host: &Host<'_>, path: &str) -> u32 {
    host.path(path).metadata().map_or(0, |found| found.mode())
}
