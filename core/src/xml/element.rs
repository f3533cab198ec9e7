// SPDX-License-Identifier: Apache-2.0
//! The tree that libvirt's XML becomes once it has been read strictly.

/// A namespace. Two are the same if their URIs are; the prefix is only how it was written.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// The prefix to write it with; empty for a default namespace.
    pub prefix: String,
    /// What it is.
    pub uri: String,
}

impl PartialEq for Namespace {
    fn eq(&self, other: &Self) -> bool {
        self.uri == other.uri
    }
}

impl Eq for Namespace {}

/// One attribute; its name is unique within its element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Local name.
    pub name: String,
    /// Only below `<metadata>`; everywhere else attributes have none.
    pub namespace: Option<Namespace>,
    /// The value with all references resolved.
    pub value: String,
}

/// What stands between a start and an end tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text; never empty, and never two in a row.
    Text(String),
}

/// One element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// None for libvirt's own vocabulary.
    pub namespace: Option<Namespace>,
    /// In the order written.
    pub attributes: Vec<Attribute>,
    /// In the order written.
    pub children: Vec<Node>,
}

impl Element {
    /// An element of libvirt's own vocabulary with nothing in it.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None, attributes: Vec::new(), children: Vec::new() }
    }

    /// Whether it is libvirt's own element of that name.
    pub fn is(&self, name: &str) -> bool {
        self.namespace.is_none() && self.name == name
    }

    /// The value of an attribute without namespace.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut own = self.attributes.iter().filter(|a| a.namespace.is_none());
        own.find(|a| a.name == name).map(|a| a.value.as_str())
    }

    /// All child elements, whatever their namespace.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The child elements of libvirt's own vocabulary with that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |e| e.is(name))
    }

    /// The first such child; the only one where the vocabulary knows it as single.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.is(name))
    }

    /// Follows children by name.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text directly within, joined.
    pub fn text(&self) -> String {
        let text = |node: &Node| match node {
            Node::Text(text) => Some(text.clone()),
            Node::Element(_) => None,
        };
        self.children.iter().filter_map(text).collect()
    }

    /// The text of a child, without the white space around it.
    pub fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text().trim().to_owned())
    }

    /// Sets an attribute; for building elements in code.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.retain(|a| a.namespace.is_some() || a.name != name);
        self.attributes.push(Attribute { name: name.into(), namespace: None, value: value.into() });
        self
    }

    /// Appends a child; for building elements in code.
    #[must_use]
    pub fn holding(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Puts a child in the place of those of its name; for building elements in code.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Self {
        self.children.retain(|node| !matches!(node, Node::Element(e) if e.is(&child.name)));
        self.holding(child)
    }

    /// Appends text; for building elements in code.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Visits it and everything below it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Element)) {
        visit(self);
        for child in self.elements() {
            child.walk(visit);
        }
    }
}
