// SPDX-License-Identifier: Apache-2.0
//! A small file of policyd's own state: replaced whole in one step, and never lost when it cannot be understood.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// State that has a file of its own.
pub trait Kept: Sized {
    /// What it is, for messages: "VM registry".
    const SUBJECT: &'static str;

    /// Writes it down.
    ///
    /// # Errors
    /// It cannot be written in this format.
    fn encode(&self) -> Result<Vec<u8>, serde_json::Error>;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    fn decode(bytes: &[u8]) -> Result<Self, String>;

    /// What it means that the file was damaged and what to do: an Administrator reads it.
    fn lost(error: &str, kept: &Path) -> String;
}

/// The format of a file, as its first field. A file of a version that writes another one is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Format<const KNOWN: u32>;

impl<const KNOWN: u32> Serialize for Format<KNOWN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(KNOWN)
    }
}

impl<'de, const KNOWN: u32> Deserialize<'de> for Format<KNOWN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            known if known == KNOWN => Ok(Self),
            other => Err(D::Error::custom(format!("format {other} is not known to this version"))),
        }
    }
}

/// How the file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Read in full.
    Sound,
    /// There was none.
    Fresh,
    /// Not understood, and put aside.
    Damaged {
        /// Where it is now.
        kept: PathBuf,
        /// What an Administrator must know of it.
        warning: String,
    },
}

impl Condition {
    /// What an Administrator must know of it, if anything.
    pub fn warning(&self) -> Option<&str> {
        match self {
            Condition::Sound | Condition::Fresh => None,
            Condition::Damaged { warning, .. } => Some(warning),
        }
    }
}

/// Why state could not be read or kept.
#[derive(Debug)]
pub enum StoreError {
    /// The disk failed.
    File(&'static str, FileError),
    /// It cannot be written in its format. Does not happen; refused all the same.
    Encode(&'static str, serde_json::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::File(subject, error) => write!(f, "{subject}: {error}"),
            StoreError::Encode(subject, error) => write!(f, "{subject}: {error}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::File(_, error) => error.source(),
            StoreError::Encode(_, error) => Some(error),
        }
    }
}

/// The file of some state.
#[derive(Debug)]
pub(crate) struct Store<T> {
    path: PathBuf,
    state: PhantomData<fn(T)>,
}

impl<T: Kept> Store<T> {
    /// Reads the file: no state if there is none, or if it was damaged and is now put aside.
    ///
    /// # Errors
    /// It cannot be read, or a damaged one cannot be put aside.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<T>, Condition), StoreError> {
        let store = Self { path: path.to_owned(), state: PhantomData };
        let failed = |error| StoreError::File(T::SUBJECT, error);
        let Some(bytes) = read(path).map_err(failed)? else { return Ok((store, None, Condition::Fresh)) };
        match T::decode(&bytes) {
            Ok(state) => Ok((store, Some(state), Condition::Sound)),
            Err(error) => {
                let kept = put_aside(path).map_err(failed)?;
                let warning = T::lost(&error, &kept);
                Ok((store, None, Condition::Damaged { kept, warning }))
            }
        }
    }

    /// Replaces the file; durable when this returns.
    ///
    /// # Errors
    /// The disk failed: what was there is there still.
    pub(crate) fn write(&self, state: &T) -> Result<(), StoreError> {
        let bytes = state.encode().map_err(|error| StoreError::Encode(T::SUBJECT, error))?;
        replace(&self.path, &bytes).map_err(|error| StoreError::File(T::SUBJECT, error))
    }
}

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
fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
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
fn put_aside(path: &Path) -> Result<PathBuf, FileError> {
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
