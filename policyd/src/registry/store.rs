// SPDX-License-Identifier: Apache-2.0
//! The registry's file: replaced whole in one step, and never lost when it cannot be understood.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use virtwarden_core::object::{Assignment, Uuid};

use crate::kept::{self, FileError};

use super::{Entries, Entry};

/// The file format that this build writes and reads.
const FORMAT: u32 = 1;

/// How the file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Read in full.
    Sound,
    /// There was none: nobody was assigned anything yet.
    Fresh,
    /// Not understood. It was put aside and nobody is assigned anything.
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
                "the VM registry was damaged ({error}) and no VM is assigned to anybody; the damaged file is `{}`: \
                 assign the VMs again, or stop policyd and put a backup in place",
                kept.display()
            )),
        }
    }
}

/// Why the registry could not be read or changed.
#[derive(Debug)]
pub enum StoreError {
    /// The disk failed.
    File(FileError),
    /// The file cannot be written in this format. Does not happen; refused all the same.
    Encode(serde_json::Error),
    /// Somebody else changed the same VM first.
    Stale,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::File(error) => write!(f, "VM registry: {error}"),
            StoreError::Encode(error) => write!(f, "VM registry: {error}"),
            StoreError::Stale => {
                f.write_str("the VM's assignment was changed at the same time; look again and retry")
            }
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
            StoreError::Stale => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    vms: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    uuid: Uuid,
    name: String,
    assignment: Assignment,
}

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<(Self, Entries, Condition), StoreError> {
        let store = Self { path: path.to_owned() };
        let (entries, condition) = match kept::read(path)? {
            Some(bytes) => match decode(&bytes) {
                Ok(entries) => (entries, Condition::Sound),
                Err(error) => (Entries::new(), Condition::Damaged { kept: kept::put_aside(path)?, error }),
            },
            None => (Entries::new(), Condition::Fresh),
        };
        Ok((store, entries, condition))
    }

    /// Replaces the file.
    pub(super) fn write(&mut self, entries: &Entries) -> Result<(), StoreError> {
        let bytes = encode(entries)?;
        Ok(kept::replace(&self.path, &bytes)?)
    }
}

fn encode(entries: &Entries) -> Result<Vec<u8>, StoreError> {
    let row = |(uuid, entry): (&Uuid, &Entry)| Row {
        uuid: *uuid,
        name: entry.name.clone(),
        assignment: Assignment::clone(&entry.assignment),
    };
    let document = Document { format: FORMAT, vms: entries.iter().map(row).collect() };
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(StoreError::Encode)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Entries, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.format != FORMAT {
        return Err(format!("format {} is not known to this version", document.format));
    }
    let mut entries = Entries::new();
    for Row { uuid, name, assignment } in document.vms {
        let entry = Entry { name, assignment: Arc::new(assignment) };
        if entries.insert(uuid, entry).is_some() {
            return Err(format!("VM {uuid} stands there twice"));
        }
    }
    Ok(entries)
}
