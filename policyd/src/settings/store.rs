// SPDX-License-Identifier: Apache-2.0
//! The settings' file: replaced whole in one step, and never lost when it cannot be understood.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use virtwarden_core::setting::document::{Values, decode, encode};

/// How the file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Read in full.
    Sound,
    /// There was none: nobody set anything yet.
    Fresh,
    /// Not understood. It was put aside and the defaults hold.
    Damaged {
        /// Where it is now.
        kept: PathBuf,
        /// What is wrong with it.
        error: String,
    },
}

impl Condition {
    /// What an Administrator must know of it, if anything.
    pub fn warning(&self) -> Option<String> {
        match self {
            Condition::Sound | Condition::Fresh => None,
            Condition::Damaged { kept, error } => Some(format!(
                "the settings were damaged ({error}) and the defaults hold; the damaged file is `{}`: \
                 set them again, or stop policyd and put a backup in place",
                kept.display()
            )),
        }
    }
}

/// Why the settings could not be read or kept.
#[derive(Debug)]
pub enum StoreError {
    /// The disk failed.
    Io {
        /// What was done to which file.
        doing: String,
        /// How it failed.
        error: io::Error,
    },
    /// The file cannot be written in this format. Does not happen; refused all the same.
    Encode(serde_json::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Io { doing, error } => write!(f, "settings: {doing}: {error}"),
            StoreError::Encode(error) => write!(f, "settings: {error}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Io { error, .. } => Some(error),
            StoreError::Encode(error) => Some(error),
        }
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<(Self, Values, Condition), StoreError> {
        let store = Self { path: path.to_owned() };
        let (values, condition) = match fs::read(path) {
            Ok(bytes) => match decode(&bytes) {
                Ok(values) => (values, Condition::Sound),
                Err(error) => (Values::new(), Condition::Damaged { kept: store.put_aside()?, error }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Values::new(), Condition::Fresh),
            Err(error) => return Err(failed("read", path)(error)),
        };
        Ok((store, values, condition))
    }

    /// Replaces the file: write beside it, sync, rename over it, sync the directory.
    pub(super) fn write(&mut self, values: &Values) -> Result<(), StoreError> {
        let bytes = encode(values).map_err(StoreError::Encode)?;
        let beside = self.path.with_extension("json.new");
        write_synced(&beside, &bytes).map_err(failed("write", &beside))?;
        fs::rename(&beside, &self.path).map_err(failed("replace", &self.path))?;
        self.sync_directory()
    }

    /// Renames a damaged file to the first free name, so that an Administrator can look at it.
    fn put_aside(&self) -> Result<PathBuf, StoreError> {
        let names = (1..).map(|number: u32| self.path.with_extension(format!("damaged-{number}.json")));
        let free = names.into_iter().find(|name| fs::symlink_metadata(name).is_err());
        let kept = free.unwrap_or_else(|| self.path.with_extension("damaged.json"));
        fs::rename(&self.path, &kept).map_err(failed("put aside", &self.path))?;
        self.sync_directory()?;
        Ok(kept)
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        let directory = self.path.parent().unwrap_or_else(|| Path::new("."));
        File::open(directory).and_then(|opened| opened.sync_all()).map_err(failed("sync", directory))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let doing = format!("{verb} `{}`", path.display());
    move |error| StoreError::Io { doing, error }
}
