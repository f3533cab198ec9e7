// SPDX-License-Identifier: Apache-2.0
//! The book's file.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use virtwarden_core::control::NetworkMembership;
use virtwarden_core::object::Uuid;
use virtwarden_core::xml::reach::Reach;

use crate::kept::{self, Format, Kept};

use super::{Entries, Entry};

/// Whether the book knows of every network that was put into something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Completeness {
    /// It does.
    #[default]
    Whole,
    /// It was damaged: any network that libvirt has could have been in any information domain.
    Lost,
}

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) completeness: Completeness,
    pub(super) entries: Entries,
}

/// Why the book could not be read or changed.
#[derive(Debug)]
pub enum StoreError {
    /// The file cannot be read or written.
    Kept(kept::StoreError),
    /// Somebody else changed the same network first.
    Stale,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Kept(error) => error.fmt(f),
            StoreError::Stale => {
                f.write_str("the network was changed at the same time; look again and retry")
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Kept(error) => error.source(),
            StoreError::Stale => None,
        }
    }
}

impl From<kept::StoreError> for StoreError {
    fn from(error: kept::StoreError) -> Self {
        StoreError::Kept(error)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: Format<1>,
    completeness: Completeness,
    networks: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    uuid: Uuid,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    membership: Option<NetworkMembership>,
    reaches: Vec<Reach>,
}

impl Kept for Pages {
    const SUBJECT: &'static str = "book of networks";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let row = |(uuid, entry): (&Uuid, &Entry)| {
            let Entry { name, membership, reaches } = entry.clone();
            Row { uuid: *uuid, name, membership, reaches }
        };
        let networks = self.entries.iter().map(row).collect();
        let document = Document { format: Format, completeness: self.completeness, networks };
        let mut bytes = serde_json::to_vec_pretty(&document)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut entries = Entries::new();
        for Row { uuid, name, membership, reaches } in document.networks {
            if entries.insert(uuid, Entry { name, membership, reaches }).is_some() {
                return Err(format!("network {uuid} stands there twice"));
            }
        }
        Ok(Self { completeness: document.completeness, entries })
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the book of networks was damaged ({error}); no VM may use a network that the policy does not list \
             before an Administrator has assigned or unassigned it again; the damaged file is `{}`: stop policyd \
             and put a backup in place, or use `virtwarden network assign` and `unassign`",
            kept.display()
        )
    }
}
