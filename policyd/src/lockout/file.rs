// SPDX-License-Identifier: Apache-2.0
//! The file that failures and locks are kept in: replaced whole in one step, put aside when damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File as Opened, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::{Anchor, Key, Tally};

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
            StoreError::Io { doing, error } => write!(f, "failed logins: {doing}: {error}"),
            StoreError::Encode(error) => write!(f, "failed logins: {error}"),
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
        let (document, condition) = match fs::read(path) {
            Ok(bytes) => match decode(&bytes) {
                Ok(document) => (Some(document), Condition::Sound),
                Err(error) => (None, Condition::Damaged { kept: file.put_aside()?, error }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, Condition::Fresh),
            Err(error) => return Err(failed("read", path)(error)),
        };
        Ok((file, document, condition))
    }

    pub(super) fn write(&self, document: &Document) -> Result<(), StoreError> {
        replace(&self.path, &encode(document)?)
    }

    /// Renames a damaged file to the first free name, so that an Administrator can look at it.
    fn put_aside(&self) -> Result<PathBuf, StoreError> {
        let names = (1..).map(|number: u32| self.path.with_extension(format!("damaged-{number}.json")));
        let free = names.into_iter().find(|name| fs::symlink_metadata(name).is_err());
        let kept = free.unwrap_or_else(|| self.path.with_extension("damaged.json"));
        fs::rename(&self.path, &kept).map_err(failed("put aside", &self.path))?;
        sync_directory_of(&self.path)?;
        Ok(kept)
    }
}

/// Replaces a file: write beside it, sync, rename over it, sync the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension("new");
    write_synced(&beside, bytes).map_err(failed("write", &beside))?;
    fs::rename(&beside, path).map_err(failed("replace", path))?;
    sync_directory_of(path)
}

fn sync_directory_of(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    Opened::open(directory).and_then(|opened| opened.sync_all()).map_err(failed("sync", directory))
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
