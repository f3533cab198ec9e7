// SPDX-License-Identifier: Apache-2.0
//! The way to a file, directory by directory, each looked at before it is entered.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, fstat, fsync, mkdirat, open, openat, unlinkat};
use rustix::io::Errno;

use super::failed;
use crate::host::Host;

/// What to do about a directory that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make it, for root to write and everybody to read.
    Make,
    /// Nothing: then the file is not there either.
    Leave,
}

/// A file's directory, held open, and its name there.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) directory: OwnedFd,
    pub(super) name: &'a str,
}

impl<'a> Place<'a> {
    /// Goes to the directory of a file; none if it is not there and shall not be made.
    pub(super) fn of(host: &Host, path: &'a str, missing: Missing) -> Result<Option<Self>, String> {
        let (way, name) = path.rsplit_once('/').ok_or_else(|| format!("`{path}` is not absolute"))?;
        let Some(directory) = walk(host, way, missing)? else { return Ok(None) };
        Ok(Some(Self { directory, name }))
    }

    pub(super) fn sync(&self) -> std::io::Result<()> {
        Ok(fsync(&self.directory)?)
    }
}

fn walk(host: &Host, way: &str, missing: Missing) -> Result<Option<OwnedFd>, String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here = open(host.root(), flags, Mode::empty()).map_err(|error| failed("open", "/", error))?;
    let mut walked = String::new();
    for part in way.split('/').filter(|part| !part.is_empty()) {
        walked = format!("{walked}/{part}");
        let next = match openat(&here, part, flags, Mode::empty()) {
            Err(Errno::NOENT) if missing == Missing::Leave => return Ok(None),
            Err(Errno::NOENT) => mkdirat(&here, part, Mode::from_raw_mode(0o755))
                .and_then(|()| fsync(&here))
                .and_then(|()| openat(&here, part, flags, Mode::empty())),
            opened => opened,
        };
        here = next.map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => format!("`{walked}` is not a directory, and is not followed"),
            error => failed("open", &walked, error),
        })?;
        is_roots(host, &here, &walked)?;
    }
    Ok(Some(here))
}

/// Nobody else may be able to put something in the way. A sticky directory keeps root's entries root's.
fn is_roots(host: &Host, directory: impl AsFd, path: &str) -> Result<(), String> {
    let stat = fstat(directory).map_err(|error| failed("look at", path, error))?;
    let open_to_others = stat.st_mode & 0o022 != 0 && stat.st_mode & 0o1000 == 0;
    if stat.st_uid != host.owner() || open_to_others {
        return Err(format!("`{path}` can be written by others than root, so nothing is written below it"));
    }
    Ok(())
}

/// The directories on the way to a file that are not there, innermost first.
pub(crate) fn missing(host: &Host, path: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let mut way = path;
    while let Some((parent, _)) = way.rsplit_once('/') {
        if parent.is_empty() || host.has(parent) {
            break;
        }
        missing.push(parent.to_owned());
        way = parent;
    }
    missing
}

/// Removes a directory that we made, if nothing is in it now.
pub(crate) fn remove_empty(host: &Host, path: &str) {
    let Ok(Some(place)) = Place::of(host, path, Missing::Leave) else { return };
    if unlinkat(&place.directory, place.name, AtFlags::REMOVEDIR).is_ok() {
        let _soon = place.sync();
    }
}
