// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a document, and where.

use std::fmt;

use super::limits::{MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_NAMESPACES, MAX_NODES};

/// Why a document was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages below say what each means")]
pub enum Problem {
    TooLarge,
    TooDeep,
    TooManyAttributes,
    TooManyNamespaces,
    TooManyNodes,
    NotUtf8,
    Control(u32),
    Malformed(String),
    DocumentType,
    Instruction,
    Declaration,
    CharacterData,
    Entity(String),
    Comment,
    Mixed(String),
    Outside,
    Unclosed(String),
    Empty,
    Name(String),
    Duplicate(String),
    Prefix(String),
    Foreign { name: String, uri: String },
    Repeated { parent: String, child: String },
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XML line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for XmlError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLarge => write!(f, "longer than {MAX_BYTES} bytes"),
            Problem::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} elements"),
            Problem::TooManyAttributes => write!(f, "more than {MAX_ATTRIBUTES} attributes in one element"),
            Problem::TooManyNamespaces => {
                write!(f, "more than {MAX_NAMESPACES} namespaces around one element")
            }
            Problem::TooManyNodes => write!(f, "more than {MAX_NODES} elements and texts"),
            Problem::NotUtf8 => f.write_str("not UTF-8"),
            Problem::Control(code) => write!(f, "character U+{code:04X} is not allowed here"),
            Problem::Malformed(why) => write!(f, "not well-formed: {why}"),
            Problem::DocumentType => f.write_str("a document type is not allowed; remove it"),
            Problem::Instruction => f.write_str("a processing instruction is not allowed; remove it"),
            Problem::Declaration => {
                f.write_str("the XML declaration must come first and say version 1.0 and UTF-8")
            }
            Problem::CharacterData => f.write_str("a CDATA section is not allowed; escape the text instead"),
            Problem::Entity(name) => write!(f, "entity `{name}` is not allowed; write the character itself"),
            Problem::Comment => f.write_str("a comment beside text is not allowed; remove it"),
            Problem::Mixed(name) => write!(f, "`{name}` has both text and elements"),
            Problem::Outside => f.write_str("only one root element is allowed, and nothing outside it"),
            Problem::Unclosed(name) => write!(f, "`{name}` is not closed"),
            Problem::Empty => f.write_str("there is no element"),
            Problem::Name(name) => write!(f, "`{name}` is not a name"),
            Problem::Duplicate(name) => write!(f, "attribute `{name}` is given twice"),
            Problem::Prefix(name) => write!(f, "`{name}` has a prefix that is not allowed here"),
            Problem::Foreign { name, uri } => {
                write!(f, "`{name}` of namespace `{uri}` is not allowed here; only `metadata` may hold it")
            }
            Problem::Repeated { parent, child } => write!(f, "`{parent}` may have only one `{child}`"),
        }
    }
}
