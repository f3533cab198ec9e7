// SPDX-License-Identifier: Apache-2.0
//! The settings' file: replaced whole in one step, and never lost when it cannot be understood.

use std::fmt;
use std::path::{Path, PathBuf};

use virtwarden_core::setting::document::{Values, decode, encode};

use crate::kept::{self, FileError};

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
    File(FileError),
    /// The file cannot be written in this format. Does not happen; refused all the same.
    Encode(serde_json::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::File(error) => write!(f, "settings: {error}"),
            StoreError::Encode(error) => write!(f, "settings: {error}"),
        }
    }
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        StoreError::File(error)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::File(error) => error.source(),
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
        let (values, condition) = match kept::read(path)? {
            Some(bytes) => match decode(&bytes) {
                Ok(values) => (values, Condition::Sound),
                Err(error) => (Values::new(), Condition::Damaged { kept: kept::put_aside(path)?, error }),
            },
            None => (Values::new(), Condition::Fresh),
        };
        Ok((store, values, condition))
    }

    /// Replaces the file.
    pub(super) fn write(&mut self, values: &Values) -> Result<(), StoreError> {
        let bytes = encode(values).map_err(StoreError::Encode)?;
        Ok(kept::replace(&self.path, &bytes)?)
    }
}
