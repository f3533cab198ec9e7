// SPDX-License-Identifier: Apache-2.0
//! Files of components: read, replaced in one step, removed. No symbolic link is followed on the way,
//! and every directory must be root's alone, so that nobody else can choose what is written where.

mod content;
mod directory;

use std::fs::File;
use std::io::{Read, Write};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, openat, renameat, unlinkat,
};
use rustix::io::Errno;

pub(crate) use self::content::Content;
use self::directory::{Missing, Place};
pub(crate) use self::directory::{missing, remove_empty};
use crate::host::Host;

/// No file of ours, and none that we replace, is longer.
const LONGEST: u64 = 1 << 20;

/// A file's content and mode; none if there is none.
///
/// # Errors
/// It is something else than a plain file, too long, or cannot be read.
pub(crate) fn read(host: &Host, path: &str) -> Result<Option<Content>, String> {
    let Some(place) = Place::of(host, path, Missing::Leave)? else { return Ok(None) };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat(&place.directory, place.name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(format!("`{path}` is a symbolic link, which is not touched")),
        Err(error) => return Err(failed("read", path, error)),
    };
    let stat = fstat(&opened).map_err(|error| failed("look at", path, error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(format!("`{path}` is not a plain file, and is not touched"));
    }
    let mut bytes = Vec::new();
    File::from(opened)
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed("read", path, error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(format!("`{path}` has more than {LONGEST} bytes, and is not touched"));
    }
    Ok(Some(Content { bytes, mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid }))
}

/// Makes a file what it should be: written beside it, synced, renamed over it, the directory synced.
/// Directories that are not there are made.
///
/// # Errors
/// It could not be done; the file is what it was.
pub(crate) fn replace(host: &Host, path: &str, content: &Content) -> Result<(), String> {
    let place = Place::of(host, path, Missing::Make)?.ok_or_else(|| format!("no directory for `{path}`"))?;
    let beside = format!(".{}.virtwarden-new", place.name);
    match unlinkat(&place.directory, &beside, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(failed("replace", path, error)),
    }
    write(&place, &beside, content, host).map_err(|error| failed("write", path, error))?;
    renameat(&place.directory, &beside, &place.directory, place.name)
        .map_err(|error| failed("replace", path, error))?;
    place.sync().map_err(|error| failed("sync", path, error))
}

/// Takes a file away; it may be gone already.
///
/// # Errors
/// It could not be done.
pub(crate) fn remove(host: &Host, path: &str) -> Result<(), String> {
    let Some(place) = Place::of(host, path, Missing::Leave)? else { return Ok(()) };
    match unlinkat(&place.directory, place.name, AtFlags::empty()) {
        Ok(()) => place.sync().map_err(|error| failed("sync", path, error)),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(failed("remove", path, error)),
    }
}

/// Makes a file what it should be, or takes it away.
///
/// # Errors
/// As [`replace`] and [`remove`].
pub(crate) fn put(host: &Host, path: &str, content: Option<&Content>) -> Result<(), String> {
    match content {
        Some(content) => replace(host, path, content),
        None => remove(host, path),
    }
}

fn write(place: &Place<'_>, beside: &str, content: &Content, host: &Host) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(&place.directory, beside, flags, Mode::from_raw_mode(0o600))?;
    if (content.uid, content.gid) != (host.owner(), host.group()) {
        fchown(&opened, Some(Uid::from_raw(content.uid)), Some(Gid::from_raw(content.gid)))?;
    }
    fchmod(&opened, Mode::from_raw_mode(content.mode))?;
    let mut file = File::from(opened);
    file.write_all(&content.bytes)?;
    file.sync_all()
}

fn failed(doing: &str, path: &str, error: impl std::fmt::Display) -> String {
    format!("cannot {doing} `{path}`: {error}")
}

#[cfg(test)]
mod tests;
