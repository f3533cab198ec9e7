// SPDX-License-Identifier: Apache-2.0
//! Where an evaluation was made, and where the trail ended then.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use virtwarden_core::control::{AuditFilter, Marks, Reply, Request};
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::line::Line;

use crate::client::{Client, ask, unexpected};
use crate::evaluate::report::{HostFacts, Seal, TrailHead};
use crate::exit::Failed;

/// So many lines are looked through for the newest seal; a busy trail is sealed every second.
const LINES: u32 = 2000;

/// The host, the versions on it, and policyd's own.
pub(super) fn host(socket: &Path) -> Result<HostFacts, Failed> {
    let Reply::Status(status) = ask(socket, &Request::Status)? else { return Err(unexpected()) };
    let details = status.details.ok_or_else(|| {
        Failed::error("policyd does not take you for an Administrator; see `virtwarden whoami`")
    })?;
    let kernel = nix::sys::utsname::uname().ok();
    let word = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    Ok(HostFacts {
        name: word(kernel.as_ref().map(|names| names.nodename())),
        debian: distribution(),
        kernel: word(kernel.as_ref().map(|names| names.release())),
        libvirt: details.libvirt,
        qemu: qemu(),
        virtwarden: status.version,
    })
}

fn distribution() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.unwrap_or("unknown").trim_matches('"').to_owned();
    match fs::read_to_string("/etc/debian_version") {
        Ok(version) => format!("{name} ({})", version.trim()),
        Err(_) => name,
    }
}

fn qemu() -> String {
    let ran = Command::new("qemu-system-x86_64").arg("--version").stdin(Stdio::null()).output();
    let said = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned()).unwrap_or_default();
    said.lines().next().unwrap_or("unknown").to_owned()
}

/// The last line of the trail and the newest seal; none where the trail is empty.
pub(super) fn trail(socket: &Path) -> Result<Option<TrailHead>, Failed> {
    let filter = AuditFilter { limit: Some(LINES), marks: Marks::Shown, ..AuditFilter::default() };
    let (mut last, mut seal) = (None, None);
    Client::connect(socket)?.records(&Request::AuditList { filter }, |text| {
        let line = Line::parse(text.as_bytes()).map_err(|error| Failed::error(error.to_string()))?;
        last = Some((line.seq, line.hash.to_string()));
        if let Entry::Checkpoint(checkpoint) = line.entry {
            seal = Some(Seal {
                through: checkpoint.sealed,
                key: checkpoint.key.to_string(),
                signature: checkpoint.signature.into(),
            });
        }
        Ok(())
    })?;
    Ok(last.map(|(sequence, hash)| TrailHead { sequence, hash, sealed_by: seal }))
}
