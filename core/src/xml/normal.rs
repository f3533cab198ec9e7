// SPDX-License-Identifier: Apache-2.0
//! The form in which two elements are compared.

use super::element::{Attribute, Element, Node};
use super::form::Form;
use super::ignored::{At, RULES, Rule};

/// A whole definition of a VM.
pub(super) fn definition(root: &Element, form: Form) -> Element {
    let named = (root.name != "domain").then(|| Element { name: "domain".to_owned(), ..root.clone() });
    Normaliser::new(form).element(named.as_ref().unwrap_or(root), None)
}

struct Normaliser {
    rules: &'static [Rule],
    path: Vec<String>,
}

impl Normaliser {
    fn new(form: Form) -> Self {
        let rules = match form {
            Form::Stored => &[],
            Form::Running => RULES.as_slice(),
        };
        Self { rules, path: Vec::new() }
    }

    /// Without what does not count, attributes sorted, children sorted by name; children of one name
    /// keep their order, because there it can mean something. Metadata stays as it is.
    fn element(&mut self, element: &Element, parent: Option<&Element>) -> Element {
        if element.is("metadata") || element.namespace.is_some() {
            return element.clone();
        }
        self.path.push(element.name.clone());
        let counts = |a: &&Attribute| !self.ignores(&At { parent, element, value: &a.value }, Some(&a.name));
        let mut attributes: Vec<Attribute> = element.attributes.iter().filter(counts).cloned().collect();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut children: Vec<Node> =
            element.children.iter().filter_map(|node| self.node(node, element)).collect();
        children.sort_by(|a, b| name(a).cmp(name(b)));
        self.path.pop();
        Element { name: element.name.clone(), namespace: None, attributes, children }
    }

    fn node(&mut self, node: &Node, parent: &Element) -> Option<Node> {
        let Node::Element(child) = node else { return Some(node.clone()) };
        let normal = self.element(child, Some(parent));
        self.path.push(child.name.clone());
        let ignored = self.ignores(&At { parent: Some(parent), element: &normal, value: "" }, None);
        self.path.pop();
        (!ignored).then_some(Node::Element(normal))
    }

    fn ignores(&self, at: &At<'_>, attribute: Option<&str>) -> bool {
        self.rules.iter().any(|rule| rule.matches(&self.path, attribute) && (rule.when)(at))
    }
}

fn name(node: &Node) -> &str {
    match node {
        Node::Element(element) => &element.name,
        Node::Text(_) => "",
    }
}
