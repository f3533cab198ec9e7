// SPDX-License-Identifier: Apache-2.0
//! One start tag: its name, its attributes, and the namespaces they are in.

use quick_xml::events::BytesStart;

use super::characters;
use super::element::{Attribute, Element, Namespace};
use super::limits::{MAX_ATTRIBUTES, MAX_NAMESPACES};
use super::place::XML;
use super::problem::Problem;

/// The namespaces declared where the parser stands, innermost last.
#[derive(Default)]
pub(super) struct Scope {
    declared: Vec<Namespace>,
}

/// An attribute as written: its name with prefix, its value resolved.
type Written<'t> = (&'t str, String);

impl Scope {
    pub(super) fn depth(&self) -> usize {
        self.declared.len()
    }

    pub(super) fn leave(&mut self, outside: usize) {
        self.declared.truncate(outside);
    }

    /// The element that a tag begins. What it declares stays in scope.
    pub(super) fn element(&mut self, tag: &BytesStart<'_>) -> Result<Element, Problem> {
        let (declarations, plain) = attributes(tag)?;
        for (name, uri) in declarations {
            self.declare(name, uri)?;
        }
        let (prefix, local) = split(tag.name().into_inner())?;
        let mut element = Element { namespace: self.namespace(prefix)?, ..Element::new(local) };
        for (name, value) in plain {
            let attribute = self.attribute(name, value)?;
            if element
                .attributes
                .iter()
                .any(|a| a.name == attribute.name && a.namespace == attribute.namespace)
            {
                return Err(Problem::Duplicate(name.to_owned()));
            }
            element.attributes.push(attribute);
        }
        Ok(element)
    }

    fn declare(&mut self, name: &str, uri: String) -> Result<(), Problem> {
        let prefix = name.strip_prefix("xmlns:").unwrap_or_default();
        let reserved = matches!(prefix, "xml" | "xmlns") || uri == XML;
        if reserved || (name != "xmlns" && uri.is_empty()) {
            return Err(Problem::Prefix(name.to_owned()));
        }
        if name != "xmlns" {
            characters::check_name(prefix)?;
        }
        if self.declared.len() >= MAX_NAMESPACES {
            return Err(Problem::TooManyNamespaces);
        }
        self.declared.push(Namespace { prefix: prefix.to_owned(), uri });
        Ok(())
    }

    fn attribute(&self, name: &str, value: String) -> Result<Attribute, Problem> {
        let (prefix, local) = split(name)?;
        let namespace = if prefix.is_empty() { None } else { self.namespace(prefix)? };
        Ok(Attribute { name: local.to_owned(), namespace, value })
    }

    fn namespace(&self, prefix: &str) -> Result<Option<Namespace>, Problem> {
        if prefix == "xml" {
            return Ok(Some(Namespace { prefix: prefix.to_owned(), uri: XML.to_owned() }));
        }
        let found = self.declared.iter().rev().find(|n| n.prefix == prefix);
        match found {
            Some(namespace) => Ok(Some(namespace.clone()).filter(|n| !n.uri.is_empty())),
            None if prefix.is_empty() => Ok(None),
            None => Err(Problem::Prefix(prefix.to_owned())),
        }
    }
}

/// The declarations and the plain attributes of a tag, no name twice.
fn attributes<'t>(tag: &'t BytesStart<'_>) -> Result<(Vec<Written<'t>>, Vec<Written<'t>>), Problem> {
    let mut all: Vec<Written<'t>> = Vec::new();
    for attribute in tag.attributes().with_checks(false) {
        if all.len() >= MAX_ATTRIBUTES {
            return Err(Problem::TooManyAttributes);
        }
        let attribute = attribute.map_err(|e| Problem::Malformed(e.to_string()))?;
        let name = attribute.key.into_inner();
        if all.iter().any(|(known, _)| *known == name) {
            return Err(Problem::Duplicate(name.to_owned()));
        }
        all.push((name, characters::resolve(&attribute.value)?));
    }
    Ok(all.into_iter().partition(|(name, _)| *name == "xmlns" || name.starts_with("xmlns:")))
}

fn split(name: &str) -> Result<(&str, &str), Problem> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let marked = name.contains(':');
    if marked {
        characters::check_name(prefix)?;
    }
    characters::check_name(local).map_err(|_| Problem::Name(name.to_owned()))?;
    Ok((prefix, local))
}
