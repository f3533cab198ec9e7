// SPDX-License-Identifier: Apache-2.0
//! What was in a place before a change, and how it is put back.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use crate::takeover::change::Change;
use crate::takeover::host::Host;
use crate::takeover::place::{self, Access};
use crate::takeover::stacks::{self, Replaced};
use crate::takeover::trouble::Trouble;
use crate::takeover::{accounts, override_list, setuid};

/// What was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "before", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Before {
    /// Nothing.
    Absent,
    /// A text file.
    File { content: String, access: Access },
    /// A symbolic link.
    Link { target: String },
    /// A file's owner and mode, and dpkg's line about it.
    Owned { listed: Option<override_list::Entry>, access: Option<Access> },
    /// Whether the account was in the group.
    Member { already: bool },
    /// The login stacks.
    Logins { files: Vec<Replaced> },
}

impl Before {
    /// Looks at the place a change is about.
    ///
    /// # Errors
    /// When something is there that could not be put back exactly: a directory, or a file that is not text.
    pub(crate) fn look(host: &Host<'_>, change: &Change) -> Result<Self, Trouble> {
        match change {
            Change::File { path, .. } | Change::Link { path, .. } => look_at_file(host, path),
            Change::Override { path, .. } => {
                Ok(Self::Owned { listed: override_list::find(host, path)?, access: access(host, path) })
            }
            Change::Device { path, .. } => Ok(Self::Owned { listed: None, access: access(host, path) }),
            Change::Member { account, group } => {
                Ok(Self::Member { already: accounts::members(host, group)?.contains(account) })
            }
            Change::Logins { files } => Ok(Self::Logins { files: stacks::look(host, files)? }),
        }
    }
}

/// Puts back what was there before a change, which made these directories. Can be done twice.
pub(crate) fn restore(
    host: &Host<'_>,
    change: &Change,
    before: &Before,
    made: &[String],
) -> Result<(), Trouble> {
    match (change, before) {
        (Change::Member { account, group }, Before::Member { already }) => {
            leave(host, account, group, *already)
        }
        (Change::Override { path, .. } | Change::Device { path, .. }, Before::Owned { listed, access }) => {
            restore_owner(host, change, path, listed.as_ref(), *access)
        }
        (Change::File { path, .. } | Change::Link { path, .. }, before) => {
            restore_file(host, path, before)?;
            remove_directories(host, made)
        }
        (Change::Logins { .. }, Before::Logins { files }) => stacks::restore(host, files),
        (change, before) => Err(Trouble::Journal(format!("`{change}` cannot have replaced {before:?}"))),
    }
}

fn look_at_file(host: &Host<'_>, path: &str) -> Result<Before, Trouble> {
    let place = host.path(path);
    let Ok(metadata) = place.symlink_metadata() else { return Ok(Before::Absent) };
    let refused =
        || Trouble::Refused(format!("`{path}` is in the way; move it elsewhere and run this again"));
    if metadata.is_symlink() {
        let target = fs::read_link(&place).map_err(Trouble::io(format_args!("read `{path}`")))?;
        return Ok(Before::Link { target: target.into_os_string().into_string().map_err(|_| refused())? });
    }
    let content = if metadata.is_file() { fs::read_to_string(&place).ok() } else { None };
    let access = Access { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777 };
    content.map(|content| Before::File { content, access }).ok_or_else(refused)
}

fn access(host: &Host<'_>, path: &str) -> Option<Access> {
    let metadata = host.path(path).metadata().ok()?;
    Some(Access { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777 })
}

fn restore_file(host: &Host<'_>, path: &str, before: &Before) -> Result<(), Trouble> {
    let place = host.path(path);
    place::sweep(&place)?;
    match before {
        Before::Absent => {
            place::remove(&place)?;
            place::sync_parent(&place)
        }
        Before::File { content, access } => place::write(&place, content, access.mode, Some(*access)),
        Before::Link { target } => place::link(&place, target),
        Before::Owned { .. } | Before::Member { .. } | Before::Logins { .. } => {
            Err(Trouble::Journal(format!("`{path}` cannot have been {before:?}")))
        }
    }
}

fn restore_owner(
    host: &Host<'_>,
    change: &Change,
    path: &str,
    listed: Option<&override_list::Entry>,
    access: Option<Access>,
) -> Result<(), Trouble> {
    if matches!(change, Change::Override { .. }) {
        match listed {
            Some(entry) => override_list::set(host, path, entry)?,
            None => override_list::unset(host, path)?,
        }
    }
    match access {
        Some(access) if host.has(path) => place::set_access(&host.path(path), access),
        // Installed since: the package's own owner and mode.
        None if host.has(path) && listed.is_none() && matches!(change, Change::Override { .. }) => {
            let metadata = host.path("/").metadata().map_err(Trouble::io("look at `/`"))?;
            let access =
                Access { uid: metadata.uid(), gid: metadata.gid(), mode: setuid::packaged_mode(path) };
            place::set_access(&host.path(path), access)
        }
        _ => Ok(()),
    }
}

fn leave(host: &Host<'_>, account: &str, group: &str, already: bool) -> Result<(), Trouble> {
    if already || !accounts::members(host, group)?.contains(account) {
        return Ok(());
    }
    host.run("gpasswd", &["-d", account, group]).map(drop)
}

/// Removes directories that the takeover made, as far as nobody else has put anything there.
fn remove_directories(host: &Host<'_>, made: &[String]) -> Result<(), Trouble> {
    for directory in made {
        match fs::remove_dir(host.path(directory)) {
            Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
                return Err(Trouble::Io { doing: format!("remove directory `{directory}`"), source: e });
            }
            _ => {}
        }
    }
    Ok(())
}
