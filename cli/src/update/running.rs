// SPDX-License-Identifier: Apache-2.0
//! Programs that still run as they were before an update: the kernel says that their file is gone. For root's eyes.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// How the name of an executable ends whose file was replaced.
const GONE: &str = " (deleted)";
/// Programs of the virtualization system.
const PROGRAMS: &[&str] = &["qemu-system-", "libvirtd", "virtlogd", "virtlockd", "virtqemud", "virtwarden-"];

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Running {
    /// Its number.
    pub(super) pid: u32,
    /// Its program.
    pub(super) program: String,
    /// The VM that it is, if it is one.
    pub(super) vm: Option<String>,
    /// Whether the program on disk is another one by now.
    pub(super) outdated: bool,
}

/// What runs, as far as the asker may see it.
pub(super) fn processes(proc: &Path) -> Vec<Running> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut found: Vec<_> = pids.filter_map(|pid| process(proc, pid)).collect();
    found.sort_by_key(|running| running.pid);
    found
}

fn process(proc: &Path, pid: u32) -> Option<Running> {
    let directory = proc.join(pid.to_string());
    let link = fs::read_link(directory.join("exe")).ok()?;
    let path = link.to_str()?;
    let (path, outdated) = path.strip_suffix(GONE).map_or((path, false), |path| (path, true));
    let program = path.rsplit('/').next()?.to_owned();
    PROGRAMS.iter().any(|begins| program.starts_with(begins)).then_some(())?;
    let command = fs::read(directory.join("cmdline")).unwrap_or_default();
    Some(Running { pid, program, vm: vm(&String::from_utf8_lossy(&command)), outdated })
}

/// libvirt names its VMs to the emulator: `-name guest=bobvm,debug-threads=on`.
fn vm(command: &str) -> Option<String> {
    let mut words = command.split('\0');
    words.find(|word| *word == "-name")?;
    let name = words.next()?.split(',').next()?;
    Some(name.strip_prefix("guest=").unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_program_whose_file_was_replaced_is_outdated() {
        let place = tempfile::tempdir().unwrap();
        let process = |pid: u32, exe: &str, command: &str| {
            let directory = place.path().join(pid.to_string());
            fs::create_dir(&directory).unwrap();
            symlink(exe, directory.join("exe")).unwrap();
            fs::write(directory.join("cmdline"), command).unwrap();
        };
        process(7, "/usr/bin/qemu-system-x86_64 (deleted)", "qemu\0-name\0guest=bobvm,debug-threads=on\0");
        process(8, "/usr/sbin/libvirtd", "libvirtd\0--timeout");
        process(9, "/usr/bin/bash (deleted)", "bash");
        fs::create_dir(place.path().join("self")).unwrap();
        let found = processes(place.path());
        let seen: Vec<_> = found.iter().map(|it| (it.pid, it.vm.as_deref(), it.outdated)).collect();
        assert_eq!(seen, [(7, Some("bobvm"), true), (8, None, false)]);
    }
}
