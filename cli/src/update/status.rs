// SPDX-License-Identifier: Apache-2.0
//! `virtwarden update status`: what is installed, and what runs.

use std::path::Path;

use serde::Serialize;
use virtwarden_core::control::{Mode, Reply, Request, UpdateAct};

use super::part::{self, Part};
use super::running::{self, Running};
use crate::client::{Client, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output};

const HEADERS: [&str; 3] = ["PART", "PACKAGE", "INSTALLED"];

/// What is installed and what runs.
#[derive(Debug, Serialize)]
struct Versions {
    installed: Vec<Part>,
    kernel: String,
    policyd: String,
    libvirt: String,
    processes: Vec<Running>,
}

/// Prints the versions. Who may update may know.
pub(super) fn show(socket: &Path, output: &Output) -> Result<(), Failed> {
    let versions = look(socket)?;
    if output.format() == Format::Json {
        return output.json(&versions);
    }
    let row = |part: &Part| [part.part.to_owned(), part.package.clone(), part.installed.clone()];
    output.table(HEADERS, versions.installed.iter().map(row))?;
    output.line(&format!("running kernel: {}", versions.kernel))?;
    output.line(&format!("running policyd: {}", versions.policyd))?;
    output.line(&format!("running libvirt and emulator: {}", versions.libvirt))?;
    for old in versions.processes.iter().filter(|running| running.outdated) {
        let what =
            old.vm.as_ref().map_or_else(|| old.program.clone(), |vm| format!("VM {vm} ({})", old.program));
        let until =
            if old.vm.is_some() { "until it is stopped and started" } else { "until it is restarted" };
        output.line(&format!(
            "OUTDATED: {what}, process {}, runs what was installed before, {until}",
            old.pid
        ))?;
    }
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    output.remark(
        "which VMs and daemons run older programs is for root's eyes: `sudo virtwarden update status`",
    )
}

fn look(socket: &Path) -> Result<Versions, Failed> {
    let mut client = Client::connect(socket)?;
    let what = String::new();
    let Reply::Proceed = client.ask(&Request::Update { act: UpdateAct::Status, what, mode: Mode::DryRun })?
    else {
        return Err(unexpected());
    };
    let outcome = virtwarden_core::record::Outcome::Success;
    client.ask(&Request::UpdateDone { outcome, detail: String::new() })?;
    let Reply::Status(status) = client.ask(&Request::Status)? else { return Err(unexpected()) };
    let kernel = nix::sys::utsname::uname();
    Ok(Versions {
        installed: part::installed()?,
        kernel: kernel.map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default(),
        policyd: status.version,
        libvirt: status.details.map_or_else(|| "-".to_owned(), |details| details.libvirt),
        processes: running::processes(Path::new("/proc")),
    })
}
