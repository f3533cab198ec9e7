// SPDX-License-Identifier: Apache-2.0
//! Writes a tree back, so that what libvirt reads is what was judged and nothing else.

use std::fmt;

use super::element::{Element, Namespace, Node};

/// The element and all below it as canonical XML: no declaration, no white space of its own, every
/// namespace declared where it is first needed. Reading it back gives an equal tree.
pub fn write(root: &Element) -> String {
    let mut writer = Writer { out: String::new(), scope: Vec::new() };
    writer.element(root);
    writer.out
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write(self))
    }
}

struct Writer<'a> {
    out: String,
    scope: Vec<&'a Namespace>,
}

impl<'a> Writer<'a> {
    fn element(&mut self, element: &'a Element) {
        let outer = self.scope.len();
        self.out.push('<');
        self.name(element.namespace.as_ref(), &element.name);
        self.declare(element);
        self.attributes(element);
        if element.children.is_empty() {
            self.out.push_str("/>");
        } else {
            self.out.push('>');
            self.children(element);
            self.out.push_str("</");
            self.name(element.namespace.as_ref(), &element.name);
            self.out.push('>');
        }
        self.scope.truncate(outer);
    }

    fn name(&mut self, namespace: Option<&Namespace>, local: &str) {
        if let Some(prefix) = namespace.map(|n| n.prefix.as_str()).filter(|p| !p.is_empty()) {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    /// Declares what the element itself and its attributes use and nobody outside has declared.
    fn declare(&mut self, element: &'a Element) {
        static NONE: Namespace = Namespace { prefix: String::new(), uri: String::new() };
        let attributes = element.attributes.iter().filter_map(|a| a.namespace.as_ref());
        for namespace in std::iter::once(element.namespace.as_ref().unwrap_or(&NONE)).chain(attributes) {
            if namespace.prefix == "xml" || self.declared(&namespace.prefix) == namespace.uri {
                continue;
            }
            let name = if namespace.prefix.is_empty() { "xmlns" } else { "xmlns:" };
            self.attribute(&format!("{name}{}", namespace.prefix), &namespace.uri);
            self.scope.push(namespace);
        }
    }

    fn declared(&self, prefix: &str) -> &str {
        self.scope.iter().rev().find(|n| n.prefix == prefix).map_or("", |n| n.uri.as_str())
    }

    fn attributes(&mut self, element: &Element) {
        for attribute in &element.attributes {
            let mut name = String::new();
            if let Some(namespace) = &attribute.namespace {
                name = format!("{}:", namespace.prefix);
            }
            self.attribute(&(name + &attribute.name), &attribute.value);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("='");
        self.escape(value);
        self.out.push('\'');
    }

    fn children(&mut self, element: &'a Element) {
        for node in &element.children {
            match node {
                Node::Element(child) => self.element(child),
                Node::Text(text) => self.escape(text),
            }
        }
    }

    /// One form for text and attribute values. A carriage return must be a reference: a literal one
    /// would be read back as a line feed.
    fn escape(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\'' => self.out.push_str("&apos;"),
                '"' => self.out.push_str("&quot;"),
                '\r' => self.out.push_str("&#13;"),
                other => self.out.push(other),
            }
        }
    }
}
