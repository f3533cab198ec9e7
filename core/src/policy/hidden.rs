// SPDX-License-Identifier: Apache-2.0
//! Tables that do not count, because a file that comes earlier has the table of that name. Mostly meant so: a site's
//! `[role.user]` stands in the place of the shipped one. Where the site's own is the one that is hidden, nobody meant it.

use std::collections::BTreeMap;
use std::fmt;

use crate::policy::place::Place;
use crate::policy::table::Table;

/// A table that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// Its name, such as `role.user`.
    pub table: String,
    /// Where it stands.
    pub place: Place,
    /// Where the one stands that counts.
    pub by: Place,
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, place, by } = self;
        write!(
            f,
            "{place}: [{table}] does not count, for {by} has it and comes first: files are read by their names"
        )
    }
}

/// Tables by their names, as far as files were read.
#[derive(Debug, Default)]
pub(in crate::policy) struct Seen {
    first: BTreeMap<String, Place>,
    pub(in crate::policy) hidden: Vec<Hidden>,
}

impl Seen {
    /// Takes a top-level table.
    pub(in crate::policy) fn single(&mut self, file: &Table<'_>, key: &str) {
        if let Some(Ok(table)) = file.table(key) {
            self.note(key.to_owned(), table.place());
        }
    }

    /// Takes the tables below a top-level one.
    pub(in crate::policy) fn named(&mut self, file: &Table<'_>, key: &str) {
        if let Some(Ok(tables)) = file.table(key) {
            for (name, table) in tables.tables().flatten() {
                self.note(format!("{key}.{name}"), table.place());
            }
        }
    }

    fn note(&mut self, table: String, place: Place) {
        match self.first.get(&table) {
            Some(by) => self.hidden.push(Hidden { table, place, by: by.clone() }),
            None => {
                self.first.insert(table, place);
            }
        }
    }
}
