// SPDX-License-Identifier: Apache-2.0
//! Whether the host is as it was: looked at before and after an evaluation, by what stands there and not by what was noted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use virtwarden_core::trail::digest::Digest;

use super::program::root;

/// What tells of the host beside its files, each by the command that shows it.
const SHOWN: &[(&str, &[&str])] = &[
    ("accounts", &["getent", "passwd"]),
    ("groups", &["getent", "group"]),
    ("VMs", &["virsh", "-q", "-c", "qemu:///system", "list", "--all", "--uuid"]),
    ("networks", &["virsh", "-q", "-c", "qemu:///system", "net-list", "--all"]),
    ("network filters", &["virsh", "-q", "-c", "qemu:///system", "nwfilter-list"]),
    ("who has which VM", &["virtwarden", "vm", "list"]),
    ("who holds which role", &["virtwarden", "role", "list"]),
    ("open channels", &["virtwarden", "sharing", "list"]),
    ("settings", &["virtwarden", "setting", "list"]),
];

/// How the host was at a moment.
pub(super) struct Remains(BTreeMap<String, String>);

impl Remains {
    /// How it is now.
    pub(super) fn now() -> Self {
        let mut things = BTreeMap::new();
        for (name, command) in SHOWN {
            things.insert((*name).to_owned(), root(command).output);
        }
        files(Path::new("/etc"), &mut things);
        Self(things)
    }

    /// What is different later, one line each.
    pub(super) fn compare(&self, later: &Self) -> Vec<String> {
        let names = self.0.keys().chain(later.0.keys().filter(|name| !self.0.contains_key(*name)));
        let differ = names.filter(|name| self.0.get(*name) != later.0.get(*name));
        differ.map(|name| format!("{name}: not as before the evaluation")).collect()
    }
}

/// Files by their content, for whoever edits the account database leaves another time on it.
fn files(directory: &Path, things: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(of) = path.symlink_metadata() else { continue };
        if of.is_dir() {
            files(&path, things);
        } else if of.is_file() && !is_restless(&path) {
            let digest = Digest::of(&fs::read(&path).unwrap_or_default());
            things.insert(path.display().to_string(), digest.to_string());
        }
    }
}

/// `passwd-` and its like are what the account tools keep of the state before.
fn is_restless(path: &Path) -> bool {
    let name = path.display().to_string();
    name.ends_with('-') || ["/etc/resolv.conf", "/etc/adjtime", "/etc/.pwd.lock"].contains(&name.as_str())
}
