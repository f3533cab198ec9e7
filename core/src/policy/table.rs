// SPDX-License-Identifier: Apache-2.0
//! One table of a policy file with its place, and the keys in it.

use std::ops::Range;

use toml::de::DeTable;

use crate::policy::fault::{Fault, PolicyError};
use crate::policy::item::Item;
use crate::policy::place::{Place, Text};
use crate::policy::spelling::closest;

/// A table and where its name stands.
#[derive(Clone)]
pub(in crate::policy) struct Table<'a> {
    text: &'a Text<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
}

impl<'a> Table<'a> {
    pub(in crate::policy) fn new(text: &'a Text<'a>, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self { text, table, span }
    }

    pub(in crate::policy) fn place(&self) -> Place {
        self.text.place(&self.span)
    }

    /// A mistake that concerns the table as a whole.
    pub(in crate::policy) fn error(&self, fault: Fault) -> PolicyError {
        PolicyError { place: self.place(), fault }
    }

    /// The tables in this one, each under its name.
    pub(in crate::policy) fn tables(
        &self,
    ) -> impl Iterator<Item = Result<(&'a str, Table<'a>), PolicyError>> {
        self.table.iter().map(|(key, value)| {
            Ok((key.get_ref().as_ref(), Item::new(self.text, value).table_at(key.span())?))
        })
    }

    /// The value of a key, if it is there.
    pub(in crate::policy) fn key(&self, name: &str) -> Option<Item<'a>> {
        self.table.get_key_value(name).map(|(_, value)| Item::new(self.text, value))
    }

    /// The table of a key, if it is there; its place is the key's.
    pub(in crate::policy) fn table(&self, name: &str) -> Option<Result<Table<'a>, PolicyError>> {
        self.table.get_key_value(name).map(|(key, value)| Item::new(self.text, value).table_at(key.span()))
    }

    /// The value of a key that must be there.
    pub(in crate::policy) fn required(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Item<'a>, PolicyError> {
        self.key(key).ok_or_else(|| self.error(Fault::MissingKey { key, expected }))
    }

    /// One mistake for each key that is not known here.
    pub(in crate::policy) fn unknown_keys(
        &self,
        known: &'static [&'static str],
    ) -> impl Iterator<Item = PolicyError> {
        self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).map(move |key| {
            let meant = closest(key.get_ref(), known.iter().copied());
            let key_text = key.get_ref().to_string();
            let fault = Fault::UnknownKey { key: key_text, known, meant };
            PolicyError { place: self.text.place(&key.span()), fault }
        })
    }

    /// Names of roles and information domains appear in commands, records and XML: keep them plain.
    pub(in crate::policy) fn check_name(&self, name: &str) -> Result<(), Vec<PolicyError>> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let ok =
            name.len() <= 32 && name.bytes().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase());
        let found = format!("`{}`", name.escape_debug());
        let expected = "a name of up to 32 of a-z, 0-9 and `-` that begins with a letter".to_owned();
        if ok { Ok(()) } else { Err(vec![self.error(Fault::Unexpected { found, expected, meant: None })]) }
    }
}

/// The value, or its mistake among the others.
pub(in crate::policy) fn collect<T>(
    errors: &mut Vec<PolicyError>,
    read: Result<T, PolicyError>,
) -> Option<T> {
    read.map_err(|mistake| errors.push(mistake)).ok()
}
