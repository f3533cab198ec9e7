// SPDX-License-Identifier: Apache-2.0
//! `virtwarden table`: Table 3 and who has what here.

use std::path::Path;

use virtwarden_core::control::{Reply, Request, TableRow};
use virtwarden_core::table3::Cell;

use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Output, listed};

const HEADERS: [&str; 6] = ["ROW", "FUNCTION", "MAY ...", "ADMINISTRATOR", "USER", "ROLES HERE"];

/// Prints the table.
pub(crate) fn show(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Table(rows) = ask(socket, &Request::Table)? else { return Err(unexpected()) };
    output.show(&rows, HEADERS, rows.iter().map(row))
}

fn row(row: &TableRow) -> [String; 6] {
    [
        row.function.number().to_string(),
        row.function.slug().to_owned(),
        row.function.title().to_owned(),
        letter(row.administrator).to_owned(),
        letter(row.user).to_owned(),
        listed(&row.roles),
    ]
}

/// The table's own letters.
pub(crate) fn letter(cell: Cell) -> &'static str {
    match cell {
        Cell::Mandatory => "X",
        Cell::Optional => "O",
        Cell::Never => "N",
        Cell::Selected => "S",
    }
}
