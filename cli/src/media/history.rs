// SPDX-License-Identifier: Apache-2.0
//! What became of a medium, from the trail.

use std::path::Path;

use virtwarden_core::control::{AuditFilter, Request};

use super::media;
use crate::audit;
use crate::exit::{Exit, Failed};
use crate::output::Output;

/// Prints the records that name it.
pub(super) fn show(typed: &str, socket: &Path, output: &Output) -> Result<(), Failed> {
    let id = id(typed, socket)?;
    audit::history(AuditFilter { medium: Some(id), ..AuditFilter::default() }, socket, output)
}

/// A medium that is not there now is known by its id alone.
fn id(typed: &str, socket: &Path) -> Result<String, Failed> {
    match media(Request::MediaList { medium: Some(typed.to_owned()), vm: None }, socket) {
        Ok(rows) => Ok(rows.into_iter().next().map_or_else(|| typed.to_owned(), |row| row.medium.id.0)),
        Err(failed) if failed.exit == Exit::NotFound && typed.contains(':') => Ok(typed.to_owned()),
        Err(failed) => Err(failed),
    }
}
