// SPDX-License-Identifier: Apache-2.0
//! The file of open channels.

use std::path::Path;

use serde::{Deserialize, Serialize};
use virtwarden_core::policy::sharing::Opening;

use super::Declarations;
use crate::kept::{Format, Kept};

/// Who opened a channel, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The account.
    pub by: String,
    /// Seconds since 1970.
    pub at: u64,
    /// In his words; may be empty.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: Format<1>,
    open: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    opening: Opening,
    declaration: Declaration,
}

impl Kept for Declarations {
    const SUBJECT: &'static str = "open channels";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let row = |(opening, declaration): (&Opening, &Declaration)| Row {
            opening: opening.clone(),
            declaration: declaration.clone(),
        };
        let document = Document { format: Format, open: self.iter().map(row).collect() };
        let mut bytes = serde_json::to_vec_pretty(&document)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(document.open.into_iter().map(|row| (row.opening, row.declaration)).collect())
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the file of open channels was damaged ({error}) and no VM may share anything; the damaged file is `{}`: \
             open the channels again with `virtwarden sharing allow`, or stop policyd and put a backup in place",
            kept.display()
        )
    }
}
