// SPDX-License-Identifier: Apache-2.0
//! A small file of policyd's own state: replaced whole in one step, and never lost when it cannot be understood.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The disk failed.
#[derive(Debug)]
pub struct FileError {
    /// What was done to which file.
    doing: String,
    /// How it failed.
    error: io::Error,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.error)
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What the file says; none if there is no file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Replaces the file: write beside it, sync, rename over it, sync the directory.
///
/// # Errors
/// A step failed; what was there is there still.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    write_synced(&beside, bytes).map_err(failed("write", &beside))?;
    fs::rename(&beside, path).map_err(failed("replace", path))?;
    sync_directory_of(path)
}

/// Renames a damaged file to the first free name, so that an Administrator can look at it; says which.
///
/// # Errors
/// It cannot be renamed.
pub(crate) fn put_aside(path: &Path) -> Result<PathBuf, FileError> {
    let names = (1..).map(|number: u32| path.with_extension(format!("damaged-{number}.json")));
    let free = names.into_iter().find(|name| fs::symlink_metadata(name).is_err());
    let kept = free.unwrap_or_else(|| path.with_extension("damaged.json"));
    fs::rename(path, &kept).map_err(failed("put aside", path))?;
    sync_directory_of(path)?;
    Ok(kept)
}

fn sync_directory_of(path: &Path) -> Result<(), FileError> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(directory).and_then(|opened| opened.sync_all()).map_err(failed("sync", directory))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let doing = format!("{verb} `{}`", path.display());
    move |error| FileError { doing, error }
}
