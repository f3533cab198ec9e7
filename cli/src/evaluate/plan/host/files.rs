// SPDX-License-Identifier: Apache-2.0
//! Files and directories that nobody but their owner may write, or even reach.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};
use virtwarden_core::policy::Policy;
use virtwarden_core::table3::Function;

use crate::evaluate::plan::host::Look;
use crate::evaluate::plan::host::reach::Reach;
use crate::takeover::has_access_list;

/// Who writes the policy decides who may what.
const POLICY: &[&str] = &["/etc/virtwarden", "/etc/virtwarden/policy.d", "/usr/share/virtwarden/policy.d"];

/// What others may do with a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// See it, and change nothing.
    Read,
    /// Nothing.
    Nothing,
}

impl Others {
    /// Bits that nobody but the owner has; the group of a closed place may see it.
    fn forbidden(self) -> u32 {
        match self {
            Self::Read => 0o022,
            Self::Nothing => 0o027,
        }
    }
}

/// A look at each place.
pub(super) fn looks(policy: &Policy) -> Vec<Look> {
    let library = policy.media().iter().filter(|directory| directory.exists());
    let library = library.filter_map(|directory| wrong(directory, "root", Others::Read));
    vec![
        Look::new(
            Reach::WhateverIsRefused,
            "Root alone writes the policy.",
            "ls -lR /etc/virtwarden",
            policy_files(),
        ),
        Look::new(
            Reach::Users(&[Function::ManageAudit]),
            "Nobody but the monitor's account reaches the trail.",
            "ls -lR /var/log/virtwarden",
            trail_files(),
        ),
        Look::new(
            Reach::Both(&[Function::MediaPolicy, Function::ConnectRemovable]),
            "Root alone puts media into the library.",
            "ls -ld /var/lib/virtwarden/media",
            library.collect(),
        ),
        Look::new(
            Reach::Users(&[Function::DefaultVms]),
            "Root alone writes the templates of new VMs.",
            "ls -l /usr/share/virtwarden",
            ["/usr/share/virtwarden", "/usr/share/virtwarden/templates"]
                .iter()
                .filter_map(|path| wrong(Path::new(path), "root", Others::Read))
                .collect(),
        ),
    ]
}

fn policy_files() -> Vec<String> {
    let places = POLICY.iter().map(PathBuf::from).filter(|path| path.exists());
    places.flat_map(|place| within(&place)).filter_map(|path| wrong(&path, "root", Others::Read)).collect()
}

fn trail_files() -> Vec<String> {
    let mut places = within(Path::new("/var/log/virtwarden/audit"));
    places.push(PathBuf::from("/var/log/virtwarden"));
    places.extend(["trail.key", "trail.head"].map(|name| Path::new("/var/lib/virtwarden").join(name)));
    places.iter().filter_map(|path| wrong(path, "virtwarden", Others::Nothing)).collect()
}

/// A directory and what is directly in it.
fn within(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    [directory.to_owned()].into_iter().chain(entries.map(|entry| entry.path())).collect()
}

/// What is wrong with a place.
fn wrong(path: &Path, owner: &str, others: Others) -> Option<String> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) => return Some(format!("nobody can look at `{}`: {error}", path.display())),
    };
    let what = match found.permissions().mode() & 0o7777 {
        _ if !is_of(&found, owner) => format!("does not belong to {owner}"),
        mode if mode & others.forbidden() != 0 => format!("is open to others: mode {mode:04o}"),
        _ if has_access_list(path) => "has an access list that lets others in".to_owned(),
        _ => return None,
    };
    Some(format!("`{}` {what}", path.display()))
}

fn is_of(found: &Metadata, owner: &str) -> bool {
    matches!(User::from_uid(Uid::from_raw(found.uid())), Ok(Some(user)) if user.name == owner)
}
