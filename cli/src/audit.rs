// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit`.

mod archive;
mod csv;
mod delete;
mod follow;
mod list;
pub(crate) mod row;
mod show;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use virtwarden_core::control::Request;
use virtwarden_core::trail::line::Line;

pub(crate) use self::list::history;
use crate::arguments::{AuditVerb, ExportArguments};
use crate::client::Client;
use crate::exit::Failed;
use crate::output::Output;

/// Does what the verb says.
pub(crate) fn run(verb: &AuditVerb, socket: &Path, output: &Output) -> Result<ExitCode, Failed> {
    match verb {
        AuditVerb::List(arguments) => list::list(arguments, socket, output)?,
        AuditVerb::Show { sequence } => show::show(*sequence, socket, output)?,
        AuditVerb::Follow { filter } => follow::follow(filter, socket, output)?,
        AuditVerb::Verify(arguments) => return verify::verify(arguments, socket, output),
        AuditVerb::Export(arguments) => match &arguments.archive {
            Some(file) => archive::write(file, socket, output)?,
            None => export(arguments, socket, output)?,
        },
        AuditVerb::Delete(arguments) => delete::delete(arguments, socket, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Stored lines are printable ASCII by the trail's format, so they are written as they are.
fn export(arguments: &ExportArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let request = Request::AuditExport { range: arguments.range() };
    let mut client = Client::connect(socket)?;
    if arguments.csv {
        output.text(csv::HEADER)?;
        return client.records(&request, |line| output.text(&csv::record(&parse(line)?)));
    }
    client.records(&request, |line| output.text(line))
}

/// Reads a stored line.
fn parse(line: &str) -> Result<Line, Failed> {
    Line::parse(line.as_bytes())
        .map_err(|error| Failed::error(format!("{error}; check the trail with `virtwarden audit verify`")))
}
