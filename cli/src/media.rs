// SPDX-License-Identifier: Apache-2.0
//! `virtwarden media`.

mod confirm;
mod history;
mod row;

use std::path::Path;

use virtwarden_core::control::{MediumRow, Reply, Request};

use crate::arguments::{ConnectArguments, MediaVerb};
use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output};

/// Does what the verb says.
pub(crate) fn run(verb: &MediaVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb.clone() {
        MediaVerb::List { vm } => list(vm, socket, output),
        MediaVerb::Show { medium, vm } => show(medium, vm, socket, output),
        MediaVerb::Insert { vm, medium, drive, change } => {
            let (drive, mode) = (drive.drive, change.mode());
            confirm::give(&Request::MediaInsert { vm, medium, drive, mode }, socket, output)
        }
        MediaVerb::Eject { vm, drive, change } => {
            let (drive, mode) = (drive.drive, change.mode());
            confirm::give(&Request::MediaEject { vm, drive, mode }, socket, output)
        }
        MediaVerb::Connect(ConnectArguments { vm, medium, change }) => {
            confirm::give(&Request::MediaConnect { vm, medium, mode: change.mode() }, socket, output)
        }
        MediaVerb::Disconnect(ConnectArguments { vm, medium, change }) => {
            confirm::give(&Request::MediaDisconnect { vm, medium, mode: change.mode() }, socket, output)
        }
        MediaVerb::Pending => confirm::pending(socket, output),
        MediaVerb::Confirm { transfer: number } => {
            confirm::give(&Request::MediaConfirm { number }, socket, output)
        }
        MediaVerb::Watch => confirm::watch(socket, output),
        MediaVerb::History { medium } => history::show(&medium, socket, output),
    }
}

fn list(vm: Option<String>, socket: &Path, output: &Output) -> Result<(), Failed> {
    let asked_for = vm.clone();
    let rows = media(Request::MediaList { medium: None, vm }, socket)?;
    match asked_for {
        None => output.show(&rows, row::HEADERS, rows.iter().map(row::row)),
        Some(_) => output.show(&rows, row::HEADERS_FOR_VM, rows.iter().map(row::row_for_vm)),
    }
}

fn show(medium: String, vm: Option<String>, socket: &Path, output: &Output) -> Result<(), Failed> {
    let rows = media(Request::MediaList { medium: Some(medium), vm }, socket)?;
    let [row] = rows.as_slice() else { return Err(unexpected()) };
    if output.format() == Format::Json {
        return output.json(row);
    }
    output.rows(row::lines(row))
}

/// The media that a request lists.
pub(crate) fn media(request: Request, socket: &Path) -> Result<Vec<MediumRow>, Failed> {
    let Reply::Media(rows) = ask(socket, &request)? else { return Err(unexpected()) };
    Ok(rows)
}
