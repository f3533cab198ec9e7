// SPDX-License-Identifier: Apache-2.0
//! One change to the host, whether it is in place, and how it is made.

use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde::{Deserialize, Serialize};

use crate::takeover::host::Host;
use crate::takeover::place::{self, Access};
use crate::takeover::stacks::{self, Stack};
use crate::takeover::standing::Standing;
use crate::takeover::trouble::Trouble;
use crate::takeover::{accounts, override_list};

/// One change to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Change {
    /// A file with this content, owned by root.
    File { path: String, content: String, mode: u32 },
    /// A symbolic link.
    Link { path: String, target: String },
    /// Owner and mode of a packaged file, kept by dpkg over upgrades.
    Override { path: String, owner: String, group: String, mode: u32 },
    /// Group and mode of a device node until the next boot; a udev rule says the same for later ones.
    Device { path: String, group: String, mode: u32 },
    /// An account in a group.
    Member { account: String, group: String },
    /// The login stacks ask our module.
    Logins { files: Vec<Stack> },
}

impl Change {
    /// How the host stands to it.
    pub(crate) fn standing(&self, host: &Host<'_>) -> Result<Standing, Trouble> {
        let standing = match self {
            Self::File { path, content, mode } => file_standing(host, path, content, *mode),
            Self::Link { path, target } => link_standing(host, path, target),
            Self::Override { path, owner, group, mode } => {
                let wanted = override_list::Entry::new(owner, group, *mode);
                match override_list::find(host, path)? {
                    None => Standing::Missing,
                    Some(entry) if entry == wanted && has_mode(host, path, *mode) => Standing::InPlace,
                    Some(_) => Standing::Different,
                }
            }
            Self::Device { path, group, mode } => device_standing(host, path, group, *mode)?,
            Self::Member { account, group } => {
                let members = accounts::members(host, group)?;
                if members.contains(account) { Standing::InPlace } else { Standing::Missing }
            }
            // Whoever changes the stacks besides is welcome, as long as they ask.
            Self::Logins { .. } => stacks::standing(host),
        };
        Ok(standing)
    }

    /// Makes it so. What was there before must be in the journal already.
    pub(crate) fn make(&self, host: &Host<'_>) -> Result<(), Trouble> {
        match self {
            Self::File { path, content, mode } => {
                make_directory(host, path)?;
                place::write(&host.path(path), content, *mode, None)
            }
            Self::Link { path, target } => {
                make_directory(host, path)?;
                place::link(&host.path(path), target)
            }
            Self::Override { path, owner, group, mode } => {
                override_list::set(host, path, &override_list::Entry::new(owner, group, *mode))
            }
            Self::Device { path, group, mode } => {
                host.run("setfacl", &["-b", path])?;
                let uid = host.owner()?;
                let access = Access { uid, gid: accounts::group_id(host, group)?, mode: *mode };
                place::set_access(&host.path(path), access)
            }
            Self::Member { account, group } => host.run("gpasswd", &["-a", account, group]).map(drop),
            Self::Logins { files } => stacks::make(host, files),
        }
    }

    /// The one file it is about; none for a membership and for the login stacks.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::File { path, .. }
            | Self::Link { path, .. }
            | Self::Override { path, .. }
            | Self::Device { path, .. } => Some(path),
            Self::Member { .. } | Self::Logins { .. } => None,
        }
    }

    /// Whether two changes are about the same thing on the host, whatever they do to it.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Member { account: a, group: g }, Self::Member { account: b, group: h }) => {
                (a, g) == (b, h)
            }
            (Self::Logins { .. }, Self::Logins { .. }) => true,
            _ => self.path().is_some() && self.path() == other.path(),
        }
    }

    /// Whether it is about how people log in: the last to be made and the first to be taken back.
    pub(crate) fn is_for_logins(&self) -> bool {
        matches!(self, Self::Logins { .. })
    }

    /// Whether libvirt's units must be restarted for it to count.
    pub(crate) fn is_for_units(&self) -> bool {
        self.path().is_some_and(|path| {
            path.starts_with("/etc/systemd/system/") || path.starts_with("/etc/libvirt/hooks/")
        })
    }
}

impl fmt::Display for Change {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "{path}"),
            Self::Link { path, target } => write!(f, "{path} -> {target}"),
            Self::Override { path, owner, group, mode } => write!(f, "{path} {owner}:{group} {mode:04o}"),
            Self::Device { path, group, mode } => write!(f, "{path} root:{group} {mode:04o}, no access list"),
            Self::Member { account, group } => write!(f, "account {account} joins group {group}"),
            Self::Logins { .. } => {
                write!(f, "{}/common-*: {}", stacks::DIRECTORY, stacks::PROFILES.join(", "))
            }
        }
    }
}

fn file_standing(host: &Host<'_>, path: &str, content: &str, mode: u32) -> Standing {
    let place = host.path(path);
    let Ok(metadata) = place.symlink_metadata() else { return Standing::Missing };
    let same = metadata.is_file()
        && metadata.permissions().mode() & 0o7777 == mode
        && fs::read(&place).is_ok_and(|bytes| bytes == content.as_bytes());
    if same { Standing::InPlace } else { Standing::Different }
}

fn link_standing(host: &Host<'_>, path: &str, target: &str) -> Standing {
    match fs::read_link(host.path(path)) {
        Ok(found) if found.as_os_str() == target => Standing::InPlace,
        _ if host.has(path) => Standing::Different,
        _ => Standing::Missing,
    }
}

fn device_standing(host: &Host<'_>, path: &str, group: &str, mode: u32) -> Result<Standing, Trouble> {
    let Ok(metadata) = host.path(path).metadata() else { return Ok(Standing::InPlace) };
    let plain = host.run("getfacl", &["-cp", path])?.lines().all(|line| !is_named_entry(line));
    let right = metadata.gid() == accounts::group_id(host, group)? && metadata.mode() & 0o7777 == mode;
    Ok(if plain && right { Standing::InPlace } else { Standing::Different })
}

/// `user:alice:rw-` names somebody; `user::rw-` is the owner.
fn is_named_entry(line: &str) -> bool {
    line.split_once(':').is_some_and(|(_, rest)| !rest.starts_with(':'))
}

/// A file that is not installed yet cannot have the wrong mode.
fn has_mode(host: &Host<'_>, path: &str, mode: u32) -> bool {
    host.path(path).metadata().map_or(true, |metadata| metadata.mode() & 0o7777 == mode)
}

fn make_directory(host: &Host<'_>, path: &str) -> Result<(), Trouble> {
    let place = host.path(path);
    let Some(parent) = place.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(Trouble::io(format_args!("make directory `{}`", parent.display())))
}
