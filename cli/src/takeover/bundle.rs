// SPDX-License-Identifier: Apache-2.0
//! `virtwarden doctor --bundle`: what somebody who is asked for help would ask for, in one file that can be handed over.
//!
//! Only what is listed here goes in: no keys, no passwords, nothing of the trail, of memory or of disks. Names of people,
//! VMs and the host, and addresses, are replaced, each by the same word everywhere.

mod redaction;

use std::fs;
use std::io::Cursor;
use std::path::Path;

use crate::file;
use crate::takeover::finding::Finding;
use crate::takeover::host::Host;
use crate::takeover::show;
use crate::takeover::trouble::Trouble;
use crate::tar::Writer;

use redaction::Redaction;

/// What programs say, and the file that it goes into.
const ASKED: &[(&str, &[&str])] = &[
    ("kernel.txt", &["uname", "-srvm"]),
    (
        "packages.txt",
        &["dpkg-query", "--show", "*virtwarden*", "libvirt*", "qemu-*", "ovmf*", "seabios*", "libpam*"],
    ),
    (
        "units.txt",
        &[
            "systemctl",
            "show",
            "--property=Id,LoadState,ActiveState,SubState,Result,ExecMainStatus,FragmentPath,DropInPaths",
            "virtwarden-*",
            "libvirt*",
            "virtlogd*",
            "virtlockd*",
        ],
    ),
    (
        "journal.txt",
        &[
            "journalctl",
            "--no-pager",
            "--no-hostname",
            "--output=short-iso-precise",
            "--lines=3000",
            "--unit=virtwarden-*",
            "--unit=libvirtd*",
        ],
    ),
    ("overrides.txt", &["dpkg-statoverride", "--list"]),
    ("space.txt", &["df", "-h", "/var/lib/virtwarden", "/var/log/virtwarden", "/run"]),
    (
        "access.txt",
        &[
            "stat",
            "--format=%A %U:%G %n",
            "/run/libvirt",
            "/run/virtwarden",
            "/run/virtwarden/upstream",
            "/dev/kvm",
        ],
    ),
];

/// Files that go in as they are, but for names.
const FILES: &[&str] = &[
    "/etc/os-release",
    "/etc/pam.d/common-auth",
    "/etc/pam.d/common-account",
    "/etc/pam.d/common-password",
    "/etc/pam.d/common-session",
];
/// Directories whose files go in, but for names.
const DIRECTORIES: &[&str] = &["/etc/virtwarden/policy.d"];

const README: &str = "\
A diagnostic bundle of Virtwarden, made by `virtwarden doctor --bundle` on the host that it is about.

findings.txt  what doctor found, and what to do
others        what the host's own programs said, and configuration files, each by its name

Names of people (person-1, ...), VMs (vm-1, ...) and the host, and addresses (address-1, ...), are replaced, each by the
same word everywhere. No key, no password, no record of the audit trail, nothing of VMs' memory or disks is in it.
Read it before you hand it over: a name that is a common word, or is written in another way, cannot be found.
";

/// Writes it; what is in it, by name.
///
/// # Errors
/// It cannot be written. What a program does not say goes in as the reason.
pub(crate) fn write(host: &Host<'_>, findings: &[Finding], path: &Path) -> Result<Vec<String>, Trouble> {
    let members = collect(host, findings)?;
    let names = members.iter().map(|(name, _)| name.clone()).collect();
    let archive = archive(&members).map_err(Trouble::io("make the bundle"))?;
    file::write(path, &archive).map_err(|failed| Trouble::Refused(failed.message))?;
    Ok(names)
}

fn collect(host: &Host<'_>, findings: &[Finding]) -> Result<Vec<(String, String)>, Trouble> {
    let mut redaction = Redaction::of(host)?;
    let said = ASKED.iter().map(|(name, words)| ((*name).to_owned(), ask(host, words)));
    let listed = DIRECTORIES.iter().flat_map(|directory| {
        host.list(directory).into_iter().map(move |name| format!("{directory}/{name}"))
    });
    let read = FILES.iter().map(|path| (*path).to_owned()).chain(listed);
    let files =
        read.filter_map(|path| fs::read_to_string(host.path(&path)).ok().map(|text| (member(&path), text)));
    let told = [("findings.txt".to_owned(), show::findings(findings))];
    let all: Vec<_> = told.into_iter().chain(said).chain(files).collect();
    let redacted = all.into_iter().map(|(name, text)| (redaction.apply(&name), redaction.apply(&text)));
    Ok([("README".to_owned(), README.to_owned())].into_iter().chain(redacted).collect())
}

fn ask(host: &Host<'_>, words: &[&str]) -> String {
    let Some((program, arguments)) = words.split_first() else { return String::new() };
    match host.run(program, arguments) {
        Ok(said) => said,
        // What a program says of those that are there counts, although others are not.
        Err(Trouble::Command { said, .. }) => said,
        Err(trouble) => trouble.to_string(),
    }
}

/// `/etc/pam.d/common-auth` is `etc.pam.d.common-auth`.
fn member(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}

fn archive(members: &[(String, String)]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        writer.add(name, text.as_bytes())?;
    }
    writer.finish().map(Cursor::into_inner)
}
