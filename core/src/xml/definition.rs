// SPDX-License-Identifier: Apache-2.0
//! A VM's definition.

use std::fmt;

use crate::object::Uuid;

use super::element::Element;
use super::facts::Facts;
use super::problem::XmlError;
use super::strict::parse;

/// Why XML is not a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionError {
    /// It is outside the subset that is read.
    Xml(XmlError),
    /// It is something else.
    Kind {
        /// What it should be.
        expected: &'static str,
        /// The element that it is.
        found: String,
    },
    /// A part that must be there is missing.
    Missing(&'static str),
    /// A part is there but not readable.
    Invalid(&'static str, String),
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefinitionError::Xml(error) => error.fmt(f),
            DefinitionError::Kind { expected, found } => {
                write!(f, "expected a `{expected}` element, found `{found}`")
            }
            DefinitionError::Missing(what) => write!(f, "`{what}` is missing"),
            DefinitionError::Invalid(what, text) => write!(f, "`{text}` is not a {what}"),
        }
    }
}

impl std::error::Error for DefinitionError {}

impl From<XmlError> for DefinitionError {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}

/// The definition of a VM: libvirt's `<domain>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    root: Element,
    name: String,
    uuid: Option<Uuid>,
}

impl Definition {
    /// Reads one.
    ///
    /// # Errors
    /// Says what is outside the strict subset, or which part is missing.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, DefinitionError> {
        Self::new(parse(text)?)
    }

    /// Takes a `<domain>`, or the `<inactiveDomain>` of a snapshot.
    ///
    /// # Errors
    /// Says which part is missing.
    pub fn new(root: Element) -> Result<Self, DefinitionError> {
        if !root.is("domain") && !root.is("inactiveDomain") {
            return Err(DefinitionError::Kind { expected: "domain", found: root.name });
        }
        Ok(Self { name: name(&root)?, uuid: uuid(&root)?, root })
    }

    /// The tree, to be written again for libvirt.
    pub fn root(&self) -> &Element {
        &self.root
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its identity; none means that libvirt will make one up, or find one by the name.
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }

    /// The elements that are its devices.
    pub fn devices(&self) -> impl Iterator<Item = &Element> {
        self.root.child("devices").into_iter().flat_map(Element::elements)
    }

    /// What the rules that bind everybody look at.
    pub fn facts(&self) -> Facts {
        Facts::of(&self.root)
    }

    /// The canonical XML: what goes to libvirt.
    pub fn write(&self) -> String {
        self.root.to_string()
    }
}

/// The outermost element of a document, if it is what is expected.
pub(super) fn expect(text: impl AsRef<[u8]>, expected: &'static str) -> Result<Element, DefinitionError> {
    let root = parse(text)?;
    if root.is(expected) { Ok(root) } else { Err(DefinitionError::Kind { expected, found: root.name }) }
}

/// The name that an element gives.
pub(super) fn name(root: &Element) -> Result<String, DefinitionError> {
    let name = root.child("name").map(Element::text).filter(|n| !n.trim().is_empty());
    let name = name.ok_or(DefinitionError::Missing("name"))?;
    // libvirt takes the white space around it for a part of it, people do not see it.
    let plain = name.trim() == name && !name.contains(char::is_control);
    if plain { Ok(name) } else { Err(DefinitionError::Invalid("name", name)) }
}

/// The identity that an element gives.
pub(super) fn uuid(root: &Element) -> Result<Option<Uuid>, DefinitionError> {
    let Some(text) = root.text_of("uuid") else { return Ok(None) };
    Uuid::parse(&text).map(Some).ok_or(DefinitionError::Invalid("UUID", text))
}
