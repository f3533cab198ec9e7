// SPDX-License-Identifier: Apache-2.0
//! Where in a policy file something was written.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A position in a policy file, for people: lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file's name, or `built in` for what holds where no file says anything.
    pub source: Arc<str>,
    /// The line; 0 for what is built in.
    pub line: usize,
    /// The column, in characters; 0 for what is built in.
    pub column: usize,
    /// How many characters are meant, at least one.
    pub width: usize,
}

impl Place {
    /// The place of what holds where no file says anything.
    pub fn built_in() -> Self {
        Self { source: Arc::from("built in"), line: 0, column: 0, width: 1 }
    }
}

impl fmt::Display for Place {
    /// `10-site.toml:4:15`, as editors and compilers write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.source),
            line => write!(f, "{}:{line}:{}", self.source, self.column),
        }
    }
}

/// One policy file's text, which turns offsets into places.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Text<'a> {
    name: Arc<str>,
    text: &'a str,
}

impl<'a> Text<'a> {
    pub(in crate::policy) fn new(name: &str, text: &'a str) -> Self {
        Self { name: Arc::from(name), text }
    }

    pub(in crate::policy) fn as_str(&self) -> &'a str {
        self.text
    }

    pub(in crate::policy) fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let meant = self.text.get(span.clone()).and_then(|part| part.lines().next()).unwrap_or_default();
        Place { source: Arc::clone(&self.name), line, column, width: meant.chars().count().max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = Text::new("10-site.toml", "a = 1\nä = \"ö\" # x\n");
        let offset = text.as_str().find('x').unwrap();
        assert_eq!(text.place(&(offset..offset + 1)).to_string(), "10-site.toml:2:11");
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let text = Text::new("x", "ab");
        let place = text.place(&(99..120));
        assert_eq!((place.to_string().as_str(), place.width), ("x:1:3", 1));
    }
}
