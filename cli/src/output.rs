// SPDX-License-Identifier: Apache-2.0
//! What the command prints: plain tables for people, JSON for programs.

use std::io::{self, Write};

use comfy_table::Table;
use serde::Serialize;
use virtwarden_core::trail::escape::printable;

use crate::arguments::CommonArguments;
use crate::exit::Failed;
use crate::terminal;

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables with a first line of headers.
    Table,
    /// Tables without it.
    Rows,
    /// JSON.
    Json,
}

/// Whether the command says what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remarks {
    Said,
    /// To standard error: what is printed besides is JSON, which a program reads.
    Aside,
    Silent,
}

/// Standard output, in the form that was asked for. Never coloured, so `NO_COLOR` holds by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
    remarks: Remarks,
}

impl Output {
    /// As the options say.
    pub(crate) fn new(common: &CommonArguments) -> Self {
        let format = match (common.json, common.no_headers) {
            (true, _) => Format::Json,
            (false, true) => Format::Rows,
            (false, false) => Format::Table,
        };
        let remarks = match (common.quiet, format) {
            (true, _) => Remarks::Silent,
            (false, Format::Json) => Remarks::Aside,
            (false, Format::Table | Format::Rows) => Remarks::Said,
        };
        Self { format, remarks }
    }

    /// The form that was asked for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Prints `value` as JSON if that was asked for, else as the table that `rows` makes of it.
    pub(crate) fn show<T: Serialize + ?Sized, const COLUMNS: usize>(
        &self,
        value: &T,
        headers: [&str; COLUMNS],
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) -> Result<(), Failed> {
        match self.format {
            Format::Json => self.json(value),
            Format::Table | Format::Rows => self.table(headers, rows),
        }
    }

    /// Prints JSON.
    pub(crate) fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failed> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failed::error(error.to_string()))?;
        self.text(&text)
    }

    /// Prints a table.
    pub(crate) fn table<const COLUMNS: usize>(
        &self,
        headers: [&str; COLUMNS],
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) -> Result<(), Failed> {
        let mut table = plain(rows);
        if self.format != Format::Rows {
            table.set_header(headers);
        }
        self.print(table)
    }

    /// Prints rows that have no headers: a name and its value.
    pub(crate) fn rows<const COLUMNS: usize>(
        &self,
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) -> Result<(), Failed> {
        self.print(plain(rows))
    }

    fn print(&self, mut table: Table) -> Result<(), Failed> {
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let text = table.trim_fmt();
        if text.is_empty() { Ok(()) } else { self.text(&text) }
    }

    /// Prints a line that says what was done, unless the person wants none.
    pub(crate) fn remark(&self, text: &str) -> Result<(), Failed> {
        match self.remarks {
            Remarks::Said => self.text(&printable(text)),
            Remarks::Aside => {
                terminal::say(text);
                Ok(())
            }
            Remarks::Silent => Ok(()),
        }
    }

    /// Prints a line that was asked for.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failed> {
        self.text(&printable(text))
    }

    /// Prints a text of several lines.
    pub(crate) fn lines(&self, text: &str) -> Result<(), Failed> {
        text.lines().try_for_each(|line| self.line(line))
    }

    /// Prints a text as it stands: made here, or harmless by its format.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failed> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failed::from)
    }
}

/// A table without lines, like virsh's.
fn plain<const COLUMNS: usize>(rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| printable(&cell))));
    table
}

/// Words with commas between them; a dash for none.
pub(crate) fn listed<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let text = words.into_iter().map(|word| word.as_ref().to_owned()).collect::<Vec<_>>().join(",");
    if text.is_empty() { "-".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(printable("bob\u{1b}[2Jvm\n"), "bob\\u{1b}[2Jvm\\n");
        assert_eq!(printable("bob\u{202e}mv"), "bob\\u{202e}mv");
        assert_eq!(printable("Büro-vm"), "Büro-vm");
    }

    #[test]
    fn nothing_is_a_dash() {
        assert_eq!(listed::<&str>([]), "-");
        assert_eq!(listed(["a", "b"]), "a,b");
    }
}
