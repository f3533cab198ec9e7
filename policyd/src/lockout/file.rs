// SPDX-License-Identifier: Apache-2.0
//! The file that failures and locks are kept in: replaced whole in one step, put aside when damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::{Anchor, Key, Tally};

use crate::kept::{self, FileError};

/// The file format that this build writes and reads.
const FORMAT: u32 = 1;

/// How the file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Read in full.
    Sound,
    /// There was none: nobody has failed yet.
    Fresh,
    /// Not understood. It was put aside, and every account is locked over the network for a while.
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
                "the record of failed logins was damaged ({error}) and is kept as `{}`: no account could log in over \
                 the network with a password until a lock's time was over; `virtwarden lockout unlock '*'` ends that",
                kept.display()
            )),
        }
    }
}

/// Why failures and locks could not be read or kept.
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
            StoreError::File(error) => write!(f, "failed logins: {error}"),
            StoreError::Encode(error) => write!(f, "failed logins: {error}"),
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

/// What is kept.
#[derive(Debug)]
pub(super) struct Document {
    /// The clock that the moments are of.
    pub(super) clock: Anchor,
    /// Failures and locks.
    pub(super) tallies: BTreeMap<Key, Tally>,
    /// What keeps everybody out over the network.
    pub(super) everybody: Option<Tally>,
    /// Administrators who have shown that they have a password.
    pub(super) proven: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u32,
    clock: Anchor,
    accounts: Vec<Row>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    everybody: Option<Tally>,
    proven: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    account: String,
    class: OriginClass,
    tally: Tally,
}

/// The file.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn open(path: &Path) -> Result<(Self, Option<Document>, Condition), StoreError> {
        let file = Self { path: path.to_owned() };
        let (document, condition) = match kept::read(path)? {
            Some(bytes) => match decode(&bytes) {
                Ok(document) => (Some(document), Condition::Sound),
                Err(error) => (None, Condition::Damaged { kept: kept::put_aside(path)?, error }),
            },
            None => (None, Condition::Fresh),
        };
        Ok((file, document, condition))
    }

    pub(super) fn write(&self, document: &Document) -> Result<(), StoreError> {
        Ok(kept::replace(&self.path, &encode(document)?)?)
    }
}

fn encode(document: &Document) -> Result<Vec<u8>, StoreError> {
    let row = |((account, class), tally): (&Key, &Tally)| Row {
        account: account.clone(),
        class: *class,
        tally: tally.clone(),
    };
    let text = Text {
        format: FORMAT,
        clock: document.clock.clone(),
        accounts: document.tallies.iter().map(row).collect(),
        everybody: document.everybody.clone(),
        proven: document.proven.clone(),
    };
    let mut bytes = serde_json::to_vec(&text).map_err(StoreError::Encode)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Document, String> {
    let text: Text = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if text.format != FORMAT {
        return Err(format!("format {} is not known to this version", text.format));
    }
    let mut tallies = BTreeMap::new();
    for Row { account, class, tally } in text.accounts {
        if tallies.insert((account.clone(), class), tally).is_some() {
            return Err(format!("account `{account}` stands there twice"));
        }
    }
    Ok(Document { clock: text.clock, tallies, everybody: text.everybody, proven: text.proven })
}
