// SPDX-License-Identifier: Apache-2.0
//! The storage pools in which the monitor shows the media library: they end with the takeover. The files stay.

use virtwarden_core::media::library::is_pool;

use crate::takeover::host::Host;

const BEHIND: &str = "qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock";

/// Ends them. Nothing of them is on the disk, so what cannot be ended now is gone with the next boot.
pub(crate) fn hide(host: &Host<'_>) {
    let pools = virsh(host, &["pool-list", "--name"]);
    for pool in pools.lines().map(str::trim).filter(|name| is_pool(name)) {
        virsh(host, &["pool-destroy", pool]);
    }
}

fn virsh(host: &Host<'_>, command: &[&str]) -> String {
    host.run("timeout", &[&["30", "virsh", "-q", "-c", BEHIND], command].concat()).unwrap_or_default()
}
