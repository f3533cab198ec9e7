// SPDX-License-Identifier: Apache-2.0
//! Reads libvirt's XML strictly: the subset on which every parser agrees.
//!
//! libvirt reads with one parser and we with another. Whatever two parsers could read differently
//! (a document type, a namespace where libvirt compares local names, a second element where it
//! takes the first, text split by a comment) is refused, and what is accepted is written again by
//! [`super::write::write`] before libvirt sees it.

use super::parser::Parser;

pub use super::element::{Attribute, Element, Namespace, Node};
pub use super::limits::{MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_NAMESPACES, MAX_NODES};
pub use super::problem::{Problem, XmlError};

/// Reads a document.
///
/// # Errors
/// The first thing in it that is outside the subset, with its place.
pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Element, XmlError> {
    let bytes = bytes.as_ref();
    let start = |problem| XmlError { line: 1, column: 1, problem };
    if bytes.len() > MAX_BYTES {
        return Err(start(Problem::TooLarge));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| start(Problem::NotUtf8))?;
    if text.starts_with('\u{feff}') {
        return Err(start(Problem::Outside));
    }
    Parser::new(text).document().map_err(|(at, problem)| locate(text, at, problem))
}

fn locate(text: &str, at: usize, problem: Problem) -> XmlError {
    let before = text.char_indices().take_while(|(offset, _)| *offset < at).map(|(_, c)| c);
    let (line, column) = before.fold((1, 1), |(line, column), c| match c {
        '\n' => (line + 1, 1),
        _ => (line, column + 1),
    });
    XmlError { line, column, problem }
}
