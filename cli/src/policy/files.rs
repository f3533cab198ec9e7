// SPDX-License-Identifier: Apache-2.0
//! Policy files that somebody names: read here, for policyd reads its own alone.

use std::fs;
use std::path::PathBuf;

use virtwarden_core::control::PolicyFile;

use crate::exit::{Exit, Failed};

/// Their texts, by their names.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<PolicyFile>, Failed> {
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).map_err(|error| Failed {
                exit: Exit::NotFound,
                message: format!("cannot read `{}`: {error}", path.display()),
            })?;
            Ok(PolicyFile { path: path.display().to_string(), text })
        })
        .collect()
}
