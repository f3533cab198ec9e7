// SPDX-License-Identifier: Apache-2.0
//! One value of a policy file with its place, read as what it should be.
//!
//! Every reading function answers with a value or with the mistake, placed and explained; nothing
//! is read by default when it is there and wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Component, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use crate::policy::fault::{Fault, PolicyError, one_of};
use crate::policy::place::{Place, Text};
use crate::policy::spelling::closest;
use crate::policy::table::Table;

/// A value, or a key, and where it stands.
#[derive(Clone)]
pub(in crate::policy) struct Item<'a> {
    text: &'a Text<'a>,
    value: &'a DeValue<'a>,
    span: Range<usize>,
}

impl<'a> Item<'a> {
    pub(in crate::policy) fn new(text: &'a Text<'a>, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { text, value: value.get_ref(), span: value.span() }
    }

    pub(in crate::policy) fn place(&self) -> Place {
        self.text.place(&self.span)
    }

    /// A mistake in this value.
    pub(in crate::policy) fn error(&self, fault: Fault) -> PolicyError {
        PolicyError { place: self.place(), fault }
    }

    /// This value is not what was expected.
    pub(in crate::policy) fn unexpected(&self, expected: impl Into<String>) -> PolicyError {
        self.error(Fault::Unexpected { found: self.found(), expected: expected.into(), meant: None })
    }

    /// A string that is not empty and holds nothing a terminal or a log would stumble over.
    pub(in crate::policy) fn string(&self, expected: &str) -> Result<&'a str, PolicyError> {
        let DeValue::String(text) = self.value else { return Err(self.unexpected(expected)) };
        let plain = !text.is_empty() && !text.contains(char::is_control);
        plain.then_some(text.as_ref()).ok_or_else(|| self.unexpected(expected))
    }

    /// One of a few words.
    pub(in crate::policy) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, PolicyError> {
        let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        let expected = one_of(&names);
        let written = self.string(&expected)?;
        let found = words.iter().find(|(name, _)| *name == written).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| self.unknown_word(&expected, closest(written, names)))
    }

    /// A word that is none of those expected, with the one that was probably meant.
    pub(in crate::policy) fn unknown_word(&self, expected: &str, meant: Option<&str>) -> PolicyError {
        let (expected, meant) = (expected.to_owned(), meant.map(str::to_owned));
        self.error(Fault::Unexpected { found: self.found(), expected, meant })
    }

    /// Whether it is this very string.
    pub(in crate::policy) fn is(&self, word: &str) -> bool {
        matches!(self.value, DeValue::String(text) if text == word)
    }

    /// Whether it is a list.
    pub(in crate::policy) fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// The members of a list.
    pub(in crate::policy) fn list(&self, expected: &str) -> Result<Vec<Item<'a>>, PolicyError> {
        let DeValue::Array(members) = self.value else { return Err(self.unexpected(expected)) };
        Ok(members.iter().map(|member| Item::new(self.text, member)).collect())
    }

    /// A list of names, none of them twice.
    pub(in crate::policy) fn names(&self, expected: &str) -> Result<BTreeSet<String>, PolicyError> {
        Ok(self.placed_names(expected)?.into_keys().collect())
    }

    /// The same, with the place of each name.
    pub(in crate::policy) fn placed_names(
        &self,
        expected: &str,
    ) -> Result<BTreeMap<String, Place>, PolicyError> {
        let mut names = BTreeMap::new();
        for member in self.list(expected)? {
            let name = member.string(expected)?;
            if names.insert(name.to_owned(), member.place()).is_some() {
                return Err(member.error(Fault::Duplicate(name.to_owned())));
            }
        }
        Ok(names)
    }

    /// A whole number within bounds.
    pub(in crate::policy) fn number(&self, bounds: Range<u64>) -> Result<u64, PolicyError> {
        let expected = || format!("a whole number from {} to {}", bounds.start, bounds.end.saturating_sub(1));
        let DeValue::Integer(digits) = self.value else { return Err(self.unexpected(expected())) };
        let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
        number.filter(|number| bounds.contains(number)).ok_or_else(|| self.unexpected(expected()))
    }

    /// An amount of memory or storage in bytes, written with its unit.
    pub(in crate::policy) fn size(&self) -> Result<u64, PolicyError> {
        const EXPECTED: &str = "a size with its unit, such as \"512 MiB\" or \"4 GiB\"";
        let parse = |text: &str| {
            let (number, unit) = text.split_once(' ')?;
            let shift = match unit {
                "KiB" => 10,
                "MiB" => 20,
                "GiB" => 30,
                "TiB" => 40,
                _ => return None,
            };
            let number = number.bytes().all(|digit| digit.is_ascii_digit()).then_some(number)?;
            number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|size| *size > 0)
        };
        parse(self.string(EXPECTED)?).ok_or_else(|| self.unexpected(EXPECTED))
    }

    /// A length of time in seconds within bounds, written with its unit.
    pub(in crate::policy) fn seconds(&self, bounds: Range<u64>) -> Result<u64, PolicyError> {
        let expected = || {
            let most = bounds.end.saturating_sub(1);
            format!("a time with its unit from \"{} s\" to \"{most} s\", such as \"15 min\"", bounds.start)
        };
        let parse = |text: &str| {
            let (number, unit) = text.split_once(' ')?;
            let factor = match unit {
                "s" => 1,
                "min" => 60,
                "h" => 60 * 60,
                _ => return None,
            };
            let number = number.bytes().all(|digit| digit.is_ascii_digit()).then_some(number)?;
            number.parse::<u64>().ok()?.checked_mul(factor).filter(|seconds| bounds.contains(seconds))
        };
        parse(self.string(&expected())?).ok_or_else(|| self.unexpected(expected()))
    }

    /// An absolute path without `.`, `..` or doubled slashes, so that it names what it seems to name.
    pub(in crate::policy) fn path(&self) -> Result<PathBuf, PolicyError> {
        const EXPECTED: &str = "an absolute path without `.`, `..` or doubled slashes";
        let written = self.string(EXPECTED)?;
        let path: PathBuf = PathBuf::from(written)
            .components()
            .filter(|part| matches!(part, Component::RootDir | Component::Normal(_)))
            .collect();
        let plain = written.starts_with('/') && written.len() > 1 && path.as_os_str() == written;
        plain.then_some(path).ok_or_else(|| self.unexpected(EXPECTED))
    }

    /// An inline table.
    pub(in crate::policy) fn table(&self) -> Result<Table<'a>, PolicyError> {
        self.table_at(self.span.clone())
    }

    pub(in crate::policy) fn table_at(&self, span: Range<usize>) -> Result<Table<'a>, PolicyError> {
        let DeValue::Table(table) = self.value else { return Err(self.unexpected("a table")) };
        Ok(Table::new(self.text, table, span))
    }

    fn found(&self) -> String {
        match self.value {
            DeValue::String(text) => format!("`{}`", text.escape_debug()),
            DeValue::Integer(digits) => format!("`{digits}`"),
            DeValue::Float(digits) => format!("`{digits}`"),
            DeValue::Boolean(value) => format!("`{value}`"),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }
}
