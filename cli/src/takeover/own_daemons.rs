// SPDX-License-Identifier: Apache-2.0
//! libvirt daemons and emulators that somebody runs under his own account.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::takeover::host::Host;

/// One line for each: program, process, account number.
pub(crate) fn running(host: &Host<'_>) -> Vec<String> {
    let processes = host.list("/proc").into_iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    processes.filter_map(|pid| describe(host, &pid)).collect()
}

fn describe(host: &Host<'_>, pid: &str) -> Option<String> {
    let directory = host.path(&format!("/proc/{pid}"));
    let uid = directory.metadata().ok()?.uid();
    let name = fs::read_to_string(directory.join("comm")).ok()?;
    let name = name.trim_end();
    let daemon = matches!(name, "libvirtd" | "virtqemud") || name.starts_with("qemu-system-");
    // The system's VMs run under one account below those of people.
    let system =
        uid == 0 || host.run("id", &["-u", "libvirt-qemu"]).is_ok_and(|id| id.trim() == uid.to_string());
    (daemon && !system).then(|| format!("{name} (process {pid}, account {uid})"))
}
