// SPDX-License-Identifier: Apache-2.0
//! Programs of the virtualization stack that run as root for whoever starts them: rows 5 and 21.

use std::os::unix::fs::MetadataExt;

use crate::takeover::finding::Finding;
use crate::takeover::host::Host;

/// SPICE clients start it to be given a USB device of the host. polkit lets whoever sits at the seat, and
/// it asks nobody else, so that the device would reach any VM by SPICE.
pub(crate) const USB_HELPER: &str = "/usr/libexec/spice-client-glib-usb-acl-helper";

/// QEMU starts them to plug an emulator of anybody's into a bridge. Debian ships them without setuid.
const BRIDGE_HELPERS: &[&str] = &["/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper"];

const SETUID: u32 = 0o4000;

/// The mode that a package gives a program which was closed before it was installed.
pub(crate) fn packaged_mode(path: &str) -> u32 {
    if path == USB_HELPER { 0o4755 } else { 0o755 }
}

/// A finding for each helper that leads past the policy.
pub(crate) fn look(host: &Host<'_>) -> Vec<Finding> {
    let open = BRIDGE_HELPERS.iter().filter(|path| is_open(host, path));
    open.map(|path| {
        Finding::problem(
            format!("{path} runs as root for everybody: any program could plug itself into a network"),
            format!("`dpkg-statoverride --update --force-all --add root root 0755 {path}`"),
        )
    })
    .collect()
}

/// Setuid, or with capabilities of its own, which are as good.
fn is_open(host: &Host<'_>, path: &str) -> bool {
    let place = host.path(path);
    let Ok(metadata) = place.symlink_metadata() else { return false };
    let mut none: [u8; 0] = [];
    metadata.mode() & SETUID != 0 || rustix::fs::getxattr(&place, "security.capability", &mut none).is_ok()
}
