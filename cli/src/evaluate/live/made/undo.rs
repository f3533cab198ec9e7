// SPDX-License-Identifier: Apache-2.0
//! Taking back one thing, whether it was ever made or not.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::Duration;

use virtwarden_core::control::{Mode, Request, SettingRow};

use super::{HOME, PREFIX, Thing};
use crate::client::ask;
use crate::evaluate::live::program::{Ran, root};

/// libvirt as root reaches it where the monitor does not answer.
const BEHIND: &str = "qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock";
const FRONT: &str = "qemu:///system";
const REASON: &str = "evaluation: as it was before";

/// What it is, for who reads that it is still there.
pub(super) fn name(thing: &Thing) -> String {
    match thing {
        Thing::Account(name) => format!("account {name}"),
        Thing::Role { role, account } => format!("role {role} of {account}"),
        Thing::Unit(name) => format!("unit {name}"),
        Thing::Vm(name) => format!("VM {name}"),
        Thing::Network(name) => format!("network {name}"),
        Thing::File(path) | Thing::PolicyFile(path) => format!("file {}", path.display()),
        Thing::Directory(path) => format!("directory {}", path.display()),
        Thing::Package(name) => format!("package {name}"),
        Thing::Setting(row) => format!("setting {}", row.setting.name()),
    }
}

/// Takes it back.
pub(super) fn undo(thing: &Thing, socket: &Path) -> Result<(), String> {
    let done = match thing {
        Thing::Account(name) => ours(name).and_then(|()| account(name)),
        Thing::Role { role, account } => ours(account).and_then(|()| lower(role, account)),
        Thing::Unit(name) => ours(name).and_then(|()| unit(name)),
        Thing::Vm(name) => ours(name).and_then(|()| vm(name)),
        Thing::Network(name) => ours(name).and_then(|()| network(name)),
        Thing::File(path) => file(path),
        Thing::Directory(path) => directory(path),
        Thing::PolicyFile(path) => file(path).and_then(|()| reload(socket)),
        Thing::Package(name) => ours(name).and_then(|()| package(name)),
        Thing::Setting(row) => setting(row, socket),
    };
    done.map_err(|why| format!("{}: {why}", name(thing)))
}

/// Notes are root's, but a name that is not one of ours is never removed by them.
fn ours(name: &str) -> Result<(), String> {
    if name.starts_with(PREFIX) { Ok(()) } else { Err("this is not a name of an evaluation".to_owned()) }
}

fn account(name: &str) -> Result<(), String> {
    if !exists(name) {
        return Ok(());
    }
    let _ = root(&["virtwarden", "lockout", "unlock", name]);
    let _ = root(&["loginctl", "terminate-user", name]);
    let mut ran = Ran::default();
    for _ in 0..20 {
        let _ = root(&["pkill", "-KILL", "-u", name]);
        ran = root(&["userdel", "--remove", name]);
        if !exists(name) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(250));
    }
    Err(format!("userdel said: {}", ran.output))
}

fn exists(account: &str) -> bool {
    root(&["getent", "passwd", account]).succeeded()
}

/// The account goes as well: this is for the record.
fn lower(role: &str, account: &str) -> Result<(), String> {
    if !exists(account) {
        return Ok(());
    }
    let ran = root(&["virtwarden", "role", "remove", role, account]);
    if ran.succeeded() || root(&["gpasswd", "--delete", account, "virtwarden-admin"]).succeeded() {
        return Ok(());
    }
    Err(ran.output)
}

fn unit(name: &str) -> Result<(), String> {
    let _ = root(&["systemctl", "stop", name]);
    let _ = root(&["systemctl", "reset-failed", name]);
    if root(&["systemctl", "is-active", "--quiet", name]).succeeded() {
        return Err("it does not stop".to_owned());
    }
    Ok(())
}

/// Through the monitor, so that the registry forgets it; past it where the monitor does not answer.
fn vm(name: &str) -> Result<(), String> {
    let mut ran = Ran::default();
    for uri in [FRONT, BEHIND] {
        let virsh = |words: &[&str]| root(&[&["virsh", "-q", "-c", uri], words].concat());
        if !virsh(&["dominfo", name]).succeeded() {
            continue;
        }
        let _ = virsh(&["destroy", name]);
        for flags in [&["--managed-save", "--snapshots-metadata", "--nvram"][..], &[]] {
            ran = virsh(&[&["undefine", name], flags].concat());
            if !virsh(&["dominfo", name]).succeeded() {
                return Ok(());
            }
        }
    }
    if root(&["virsh", "-q", "-c", BEHIND, "dominfo", name]).succeeded() { Err(ran.output) } else { Ok(()) }
}

fn network(name: &str) -> Result<(), String> {
    for uri in [FRONT, BEHIND] {
        let _ = root(&["virsh", "-q", "-c", uri, "net-destroy", name]);
        let _ = root(&["virsh", "-q", "-c", uri, "net-undefine", name]);
    }
    let ran = root(&["virsh", "-q", "-c", BEHIND, "net-info", name]);
    if ran.succeeded() { Err("libvirt keeps it".to_owned()) } else { Ok(()) }
}

fn package(name: &str) -> Result<(), String> {
    let is_known = || root(&["dpkg-query", "--show", name]).succeeded();
    if !is_known() {
        return Ok(());
    }
    let ran = root(&["dpkg", "--purge", name]);
    if is_known() { Err(ran.output) } else { Ok(()) }
}

fn file(path: &Path) -> Result<(), String> {
    let named = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !named.contains(PREFIX) {
        return Err("this is not a file of an evaluation".to_owned());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.to_string()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Only what is directly below our own places, by a name of ours.
fn directory(path: &Path) -> Result<(), String> {
    let named = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if path.parent() != Some(Path::new(HOME)) && !named.starts_with(PREFIX) {
        return Err("this is not a directory of an evaluation".to_owned());
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.to_string()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn reload(socket: &Path) -> Result<(), String> {
    ask(socket, &Request::PolicyReload { mode: Mode::Apply }).map(drop).map_err(|failed| failed.message)
}

fn setting(row: &SettingRow, socket: &Path) -> Result<(), String> {
    let reason = REASON.to_owned();
    let request = if row.source.is_set() {
        Request::SettingSet { setting: row.setting.clone(), reason, mode: Mode::Apply }
    } else {
        Request::SettingUnset { name: row.setting.name(), reason, mode: Mode::Apply }
    };
    ask(socket, &request).map(drop).map_err(|failed| failed.message)
}
