// SPDX-License-Identifier: Apache-2.0
//! Everything that an attempt could change: what libvirt has, by its own word and not by the monitor's, and the host's
//! files that functions of Table 3 are set in.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;
use virtwarden_core::trail::digest::Digest;

use super::names::Names;
use super::program::root;
use crate::evaluate::report::State;

const BEHIND: &str = "qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock";
/// Comes between what two commands print.
const MARK: &str = "======";
/// Where settings, roles, the policy and the registry are.
const PLACES: &[(&str, By)] =
    &[("/etc", By::Stamp), ("/usr/share/virtwarden", By::Stamp), ("/var/lib/virtwarden", By::Content)];
/// What changes by itself.
const RESTLESS: &[&str] = &[
    "/etc/adjtime",
    "/etc/cups",
    "/etc/resolv.conf",
    // What goes to an audit server: the queue there, and how far policyd has handed over.
    "/var/lib/virtwarden/audit-server",
    "/var/lib/virtwarden/forwarded",
    "/var/lib/virtwarden/lockout",
    "/var/lib/virtwarden/networks.json",
    REGISTRY,
    "/var/lib/virtwarden/trail.head",
    "/var/lib/virtwarden/trail.lock",
    "/var/lib/virtwarden/witness",
];
/// Who has which VM. A VM that is new enters it by itself some seconds later, as nobody's.
const REGISTRY: &str = "/var/lib/virtwarden/registry.json";
/// What is told of the state, in a few words.
const OF: &str =
    "VMs, networks, pools, filters and secrets of libvirt; files below /etc and /var/lib/virtwarden";

/// By what a file is told from what it was.
#[derive(Clone, Copy)]
enum By {
    /// By all that changes with it: the kernel's word, which nobody can set back.
    Stamp,
    /// By what is in it: the monitor writes its own files anew without another word in them.
    Content,
}

impl By {
    fn tell(self, path: &Path, of: &Metadata) -> String {
        let is = format!("{:o} {} {} {}", of.mode(), of.uid(), of.gid(), of.size());
        match self {
            By::Stamp => {
                let stamp = (of.ino(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
                format!("{is} {stamp:?}")
            }
            By::Content => format!("{is} {}", Digest::of(&fs::read(path).unwrap_or_default())),
        }
    }
}

/// How things were at a moment.
pub(super) struct Look(BTreeMap<String, String>);

impl Look {
    /// How they are now.
    pub(super) fn now(names: &Names) -> Self {
        let mut things = libvirt(names);
        PLACES.iter().for_each(|(place, by)| walk(Path::new(place), *by, &mut things));
        things.insert("who has which VM".to_owned(), assignments());
        Self(things)
    }

    /// What is different later.
    pub(super) fn compare(&self, later: &Self) -> State {
        let mut how = String::new();
        for name in self.0.keys().chain(later.0.keys().filter(|name| !self.0.contains_key(*name))) {
            match (self.0.get(name), later.0.get(name)) {
                (Some(before), Some(after)) if before == after => {}
                (Some(_), Some(_)) => drop(writeln!(how, "{name} is different")),
                (Some(_), None) => drop(writeln!(how, "{name} is gone")),
                (None, Some(_)) | (None, None) => drop(writeln!(how, "{name} is new")),
            }
        }
        let of = OF.to_owned();
        if how.is_empty() { State::Unchanged { of } } else { State::Changed { of, how } }
    }
}

/// The entries of the registry that say whose a VM is.
fn assignments() -> String {
    let text = fs::read_to_string(REGISTRY).unwrap_or_default();
    let registry: Value = serde_json::from_str(&text).unwrap_or_default();
    let nobodys = |assignment: &Value| {
        let is_empty = |key: &str| assignment.get(key).and_then(Value::as_array).is_none_or(Vec::is_empty);
        is_empty("users")
            && is_empty("groups")
            && assignment.get("information_domain").is_none_or(Value::is_null)
    };
    let vms = registry.get("vms").and_then(Value::as_array).cloned().unwrap_or_default();
    let somebodys = vms.iter().filter(|vm| !vm.get("assignment").is_none_or(nobodys));
    somebodys.map(|vm| format!("{vm}\n")).collect()
}

/// One run of virsh past the monitor, as root.
fn libvirt(called: &Names) -> BTreeMap<String, String> {
    let mut commands = Vec::new();
    let mut names = Vec::new();
    let mut ask = |name: String, command: String| {
        commands.push(format!("echo {MARK}; {command}"));
        names.push(name);
    };
    for command in ["list --all", "net-list --all", "pool-list --all", "nwfilter-list", "secret-list"] {
        ask(format!("libvirt's `{command}`"), command.to_owned());
    }
    for vm in [called.put_into("{own}"), called.put_into("{other}")] {
        for command in
            ["dumpxml --inactive --security-info", "dumpxml", "domstate --reason", "snapshot-list --name"]
        {
            ask(format!("{vm}: `{command}`"), format!("{command} {vm}"));
        }
    }
    let net = called.put_into("{net}");
    ask(format!("network {net}"), format!("net-dumpxml {net}"));
    let said = root(&["virsh", "-q", "-c", BEHIND, &commands.join("; ")]).output;
    let parts = said.split(MARK).skip(1).map(str::to_owned);
    names.into_iter().zip(parts).collect()
}

/// The monitor writes a file anew beside the one that it then replaces.
fn is_restless(path: &Path, by: By) -> bool {
    let is_half_done = matches!(by, By::Content) && path.extension().is_some_and(|end| end == "new");
    is_half_done || RESTLESS.iter().any(|restless| path == Path::new(restless))
}

fn walk(directory: &Path, by: By, things: &mut BTreeMap<String, String>) {
    if is_restless(directory, by) {
        return;
    }
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(of) = path.symlink_metadata() else { continue };
        if of.is_dir() {
            walk(&path, by, things);
        } else if !is_restless(&path, by) {
            things.insert(path.display().to_string(), by.tell(&path, &of));
        }
    }
}
