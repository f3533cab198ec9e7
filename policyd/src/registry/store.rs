// SPDX-License-Identifier: Apache-2.0
//! The registry's file.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use virtwarden_core::object::{Assignment, Uuid};

use crate::kept::{Format, Kept};

use super::{Entries, Entry};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: Format<1>,
    vms: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    uuid: Uuid,
    name: String,
    assignment: Assignment,
}

impl Kept for Entries {
    const SUBJECT: &'static str = "VM registry";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let row = |(uuid, entry): (&Uuid, &Entry)| Row {
            uuid: *uuid,
            name: entry.name.clone(),
            assignment: Assignment::clone(&entry.assignment),
        };
        let document = Document { format: Format, vms: self.iter().map(row).collect() };
        let mut bytes = serde_json::to_vec_pretty(&document)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut entries = Entries::new();
        for Row { uuid, name, assignment } in document.vms {
            let entry = Entry { name, assignment: Arc::new(assignment) };
            if entries.insert(uuid, entry).is_some() {
                return Err(format!("VM {uuid} stands there twice"));
            }
        }
        Ok(entries)
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the VM registry was damaged ({error}) and no VM is assigned to anybody; the damaged file is `{}`: \
             assign the VMs again, or stop policyd and put a backup in place",
            kept.display()
        )
    }
}
