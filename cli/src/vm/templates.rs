// SPDX-License-Identifier: Apache-2.0
//! `virtwarden vm templates`.

use std::path::Path;

use virtwarden_core::control::{Reply, Request, TemplateRow};

use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output, listed};

const HEADERS: [&str; 4] = ["TEMPLATE", "DEFAULT", "CHOICES", "FILE"];

/// Lists the templates, and below them what is wrong with any.
pub(super) fn list(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Templates(rows) = ask(socket, &Request::VmTemplates)? else { return Err(unexpected()) };
    output.show(&rows, HEADERS, rows.iter().map(row))?;
    if output.format() == Format::Json {
        return Ok(());
    }
    let trouble =
        rows.iter().filter_map(|row| row.trouble.as_ref().map(|line| format!("! {}: {line}", row.name)));
    trouble.collect::<Vec<_>>().iter().try_for_each(|line| output.line(line))
}

fn row(template: &TemplateRow) -> [String; 4] {
    let default = if template.default { "yes" } else { "-" };
    let choices = listed(template.placeholders.iter().filter(|name| *name != "name"));
    [template.name.clone(), default.to_owned(), choices, template.file.clone()]
}
