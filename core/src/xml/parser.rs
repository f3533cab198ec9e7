// SPDX-License-Identifier: Apache-2.0
//! From the lexer's events to a tree.

use quick_xml::Reader;
use quick_xml::errors::Error as Lexical;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::element::{Element, Node};
use super::limits::{MAX_DEPTH, MAX_NODES};
use super::problem::Problem;
use super::tag::Scope;
use super::{characters, place, vocabulary};

/// An element whose end has not been seen.
struct Open {
    element: Element,
    text: String,
    commented: bool,
    /// How many namespaces were declared outside it.
    outside: usize,
}

pub(super) struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    open: Vec<Open>,
    scope: Scope,
    nodes: usize,
    root: Option<Element>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().enable_all_checks(true);
        Self { reader, open: Vec::new(), scope: Scope::default(), nodes: 0, root: None }
    }

    /// Reads to the end; a problem comes with the offset of the piece that has it.
    pub(super) fn document(mut self) -> Result<Element, (usize, Problem)> {
        loop {
            let at = self.position();
            let end = self.step(at).map_err(|problem| (at, problem))?;
            if let Some(root) = end {
                return Ok(root);
            }
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn step(&mut self, at: usize) -> Result<Option<Element>, Problem> {
        match self.reader.read_event().map_err(lexical)? {
            Event::Start(tag) => self.start(&tag)?,
            Event::Empty(tag) => {
                self.start(&tag)?;
                self.end()?;
            }
            Event::End(_) => self.end()?,
            Event::Text(text) => self.characters(&text.xml10_content())?,
            Event::GeneralRef(name) => {
                self.characters(characters::reference(&name)?.encode_utf8(&mut [0; 4]))?
            }
            Event::Comment(text) => self.comment(&text)?,
            Event::Decl(declaration) => check_declaration(&declaration, at)?,
            Event::CData(_) => return Err(Problem::CharacterData),
            Event::PI(_) => return Err(Problem::Instruction),
            Event::DocType(_) => return Err(Problem::DocumentType),
            Event::Eof => return self.finish().map(Some),
        }
        Ok(None)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Problem> {
        if self.root.is_some() {
            return Err(Problem::Outside);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem::TooDeep);
        }
        let outside = self.scope.depth();
        let element = self.scope.element(tag)?;
        self.check_place(&element)?;
        self.end_text()?;
        self.open.push(Open { element, text: String::new(), commented: false, outside });
        self.count()
    }

    /// Outside metadata only libvirt's own vocabulary and its extensions may stand, and no second
    /// element where libvirt takes the first.
    fn check_place(&self, element: &Element) -> Result<(), Problem> {
        if self.in_metadata() {
            return Ok(());
        }
        let parent = self.open.last().map(|open| &open.element);
        place::check(element, parent)?;
        let Some(parent) = parent.filter(|p| p.namespace.is_none() && element.namespace.is_none()) else {
            return Ok(());
        };
        if vocabulary::single(&parent.name, &element.name) && parent.child(&element.name).is_some() {
            return Err(Problem::Repeated { parent: parent.name.clone(), child: element.name.clone() });
        }
        Ok(())
    }

    fn in_metadata(&self) -> bool {
        place::in_metadata(self.open.iter().map(|open| &open.element))
    }

    fn end(&mut self) -> Result<(), Problem> {
        self.end_text()?;
        let free = self.in_metadata();
        let Some(open) = self.open.pop() else { return Err(Problem::Outside) };
        self.scope.leave(open.outside);
        let element = without_layout(open.element, free)?;
        match self.open.last_mut() {
            Some(parent) => parent.element.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> Result<(), Problem> {
        characters::check_text(text)?;
        match self.open.last_mut() {
            Some(open) => open.text.push_str(text),
            None if is_blank(text) => {}
            None => return Err(Problem::Outside),
        }
        Ok(())
    }

    fn comment(&mut self, text: &str) -> Result<(), Problem> {
        characters::check_text(text)?;
        if let Some(open) = self.open.last_mut() {
            open.commented = true;
        }
        Ok(())
    }

    /// Puts the text since the last tag into the tree. Text may not stand beside a comment: a
    /// parser may take the part before it for the whole.
    fn end_text(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let text = std::mem::take(&mut open.text);
        if open.commented && !is_blank(&text) {
            return Err(Problem::Comment);
        }
        if text.is_empty() {
            return Ok(());
        }
        open.element.children.push(Node::Text(text));
        self.count()
    }

    fn count(&mut self) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(Problem::TooManyNodes) } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<Element, Problem> {
        match self.open.last() {
            Some(open) => Err(Problem::Unclosed(open.element.name.clone())),
            None => self.root.take().ok_or(Problem::Empty),
        }
    }
}

/// Drops the white space that only lays out elements. What is left beside elements is mixed
/// content, which libvirt's vocabulary does not have.
fn without_layout(mut element: Element, free: bool) -> Result<Element, Problem> {
    let meaningful = |node: &Node| !matches!(node, Node::Text(text) if is_blank(text));
    if element.children.iter().any(|node| matches!(node, Node::Text(_)) && meaningful(node)) {
        if !free && element.elements().next().is_some() {
            return Err(Problem::Mixed(element.name));
        }
        return Ok(element);
    }
    element.children.retain(meaningful);
    Ok(element)
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
}

fn check_declaration(declaration: &BytesDecl<'_>, at: usize) -> Result<(), Problem> {
    let version = declaration.version().is_ok_and(|v| v == "1.0");
    let encoding = declaration.encoding().is_none_or(|e| e.is_ok_and(|e| e.eq_ignore_ascii_case("utf-8")));
    if at == 0 && version && encoding { Ok(()) } else { Err(Problem::Declaration) }
}

fn lexical(error: Lexical) -> Problem {
    Problem::Malformed(error.to_string())
}
