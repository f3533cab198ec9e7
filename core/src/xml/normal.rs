// SPDX-License-Identifier: Apache-2.0
//! The form in which two elements are compared.

use super::change::Form;
use super::element::{Element, Node};
use super::ignored::{At, IGNORED, Ignored, matches};

/// A whole definition of a VM.
pub(super) fn definition(root: &Element, form: Form) -> Element {
    let domain = Element { name: "domain".to_owned(), ..root.clone() };
    Normaliser::new(form).element(&domain, None)
}

struct Normaliser {
    ignored: &'static [Ignored],
    path: Vec<String>,
}

impl Normaliser {
    fn new(form: Form) -> Self {
        let ignored = match form {
            Form::Stored => &[],
            Form::Running => IGNORED,
        };
        Self { ignored, path: Vec::new() }
    }

    /// Without what does not count, attributes sorted, children sorted by name; children of one name
    /// keep their order, because there it can mean something. Metadata stays as it is.
    fn element(&mut self, element: &Element, parent: Option<&Element>) -> Element {
        if element.is("metadata") || element.namespace.is_some() {
            return element.clone();
        }
        self.path.push(element.name.clone());
        let mut normal = element.clone();
        normal.attributes.retain(|a| !self.ignores(At { parent, element, value: &a.value }, Some(&a.name)));
        normal.attributes.sort_by(|a, b| a.name.cmp(&b.name));
        normal.children = element.children.iter().filter_map(|node| self.node(node, element)).collect();
        normal.children.sort_by(|a, b| name(a).cmp(name(b)));
        self.path.pop();
        normal
    }

    fn node(&mut self, node: &Node, parent: &Element) -> Option<Node> {
        let Node::Element(child) = node else { return Some(node.clone()) };
        let normal = self.element(child, Some(parent));
        self.path.push(child.name.clone());
        let ignored = self.ignores(At { parent: Some(parent), element: &normal, value: "" }, None);
        self.path.pop();
        (!ignored).then_some(Node::Element(normal))
    }

    fn ignores(&self, at: At<'_>, attribute: Option<&str>) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        self.ignored.iter().any(|entry| matches(entry.what, &path, attribute) && (entry.when)(&at))
    }
}

fn name(node: &Node) -> &str {
    match node {
        Node::Element(element) => &element.name,
        Node::Text(_) => "",
    }
}
