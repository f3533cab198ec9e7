// SPDX-License-Identifier: Apache-2.0
//! Putting one file or link in its place: whole or not at all, and on disk before the next step.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::takeover::trouble::Trouble;

/// Owner and mode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Access {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u32,
}

/// Writes a file beside `path` and renames it there. Only root's own files are written with `access` none.
pub(crate) fn write(path: &Path, content: &str, mode: u32, owner: Option<Access>) -> Result<(), Trouble> {
    let new = unfinished(path);
    let trouble = || Trouble::io(format_args!("write `{}`", path.display()));
    remove(&new)?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(trouble())?;
    file.write_all(content.as_bytes()).map_err(trouble())?;
    if let Some(access) = owner {
        chown(&new, Some(access.uid), Some(access.gid)).map_err(trouble())?;
    }
    file.set_permissions(Permissions::from_mode(mode)).map_err(trouble())?;
    file.sync_all().map_err(trouble())?;
    rename(&new, path)
}

/// Makes a link beside `path` and renames it there.
pub(crate) fn link(path: &Path, target: &str) -> Result<(), Trouble> {
    let new = unfinished(path);
    remove(&new)?;
    symlink(target, &new).map_err(Trouble::io(format_args!("link `{}`", path.display())))?;
    rename(&new, path)
}

/// Removes a file or link; that it is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Trouble> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Trouble::Io { doing: format!("remove `{}`", path.display()), source: error })
        }
        _ => Ok(()),
    }
}

/// Removes what an interrupted [`write`] or [`link`] may have left.
pub(crate) fn sweep(path: &Path) -> Result<(), Trouble> {
    remove(&unfinished(path))
}

/// Gives an existing file owner and mode. Mode last: a change of owner clears bits.
pub(crate) fn set_access(path: &Path, access: Access) -> Result<(), Trouble> {
    let trouble = || Trouble::io(format_args!("set owner and mode of `{}`", path.display()));
    chown(path, Some(access.uid), Some(access.gid)).map_err(trouble())?;
    fs::set_permissions(path, Permissions::from_mode(access.mode)).map_err(trouble())
}

/// Whether a file's access list names anybody besides its owner, its group and everybody.
pub(crate) fn has_access_list(path: &Path) -> bool {
    let mut none: [u8; 0] = [];
    rustix::fs::getxattr(path, "system.posix_acl_access", &mut none).is_ok()
}

/// Syncs the directory that holds `path`, so that a new or removed name survives a power cut.
pub(crate) fn sync_parent(path: &Path) -> Result<(), Trouble> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match File::open(parent).and_then(|directory| directory.sync_all()) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Trouble::Io { doing: format!("sync `{}`", parent.display()), source: error })
        }
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::rename(from, to).map_err(Trouble::io(format_args!("put `{}` in its place", to.display())))?;
    sync_parent(to)
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".virtwarden-new");
    PathBuf::from(name)
}
