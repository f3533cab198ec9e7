// SPDX-License-Identifier: Apache-2.0
//! What the values of the protocol look like on the wire, read from the type column of the tables.

use std::collections::HashMap;

use crate::rpc::handle_kind::HandleKind;

/// The longest string of the protocol.
pub const TEXT_LIMIT: u32 = 4 * 1024 * 1024;
/// Records hold records at most this deep; deeper means that the table refers to itself.
const DEPTH_LIMIT: usize = 6;

/// The form of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// An integer of 32 bits, an enumeration included.
    Int,
    /// An unsigned integer of 32 bits.
    Unsigned,
    /// An integer of 64 bits.
    Hyper,
    /// An unsigned integer of 64 bits.
    UnsignedHyper,
    /// A floating-point number of 64 bits.
    Double,
    /// A truth value: 32 bits, 0 or 1.
    Boolean,
    /// A narrower number in 32 bits, between these two.
    Narrow(i32, i32),
    /// A string of at most [`TEXT_LIMIT`] bytes.
    Text,
    /// 16 bytes as they are.
    Uuid,
    /// At most this many bytes.
    Opaque(u32),
    /// The value of a typed parameter: a type number, then what it announces.
    Typed,
    /// A flag, then perhaps the value.
    Optional(&'static Layout),
    /// A count up to this limit, then as many elements.
    List(&'static Layout, u32),
    /// Exactly this many elements.
    Array(&'static Layout, u32),
    /// Fields, one after the other.
    Record(&'static Record),
}

/// A named structure.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// libvirt's name for it, without the `remote_` prefix.
    pub name: &'static str,
    /// What it names, if it is a handle.
    pub handle: Option<HandleKind>,
    /// Its parts.
    pub fields: &'static [Field],
}

/// A named value in arguments, replies and records.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// libvirt's name for it.
    pub name: &'static str,
    /// Its form.
    pub layout: Layout,
}

impl Layout {
    /// The fewest bytes a value of this form takes.
    pub fn smallest(&self) -> usize {
        match self {
            Layout::Hyper | Layout::UnsignedHyper | Layout::Double | Layout::Typed => 8,
            Layout::Uuid => 16,
            Layout::Array(element, length) => element.smallest() * usize::try_from(*length).unwrap_or(1),
            Layout::Record(record) => record.fields.iter().map(|f| f.layout.smallest()).sum(),
            Layout::Int
            | Layout::Unsigned
            | Layout::Boolean
            | Layout::Narrow(..)
            | Layout::Text
            | Layout::Opaque(_)
            | Layout::Optional(_)
            | Layout::List(..) => 4,
        }
    }

    /// What a value of this form names, if it is a handle or may be one.
    pub fn handle(&self) -> Option<HandleKind> {
        if let Layout::Optional(inner) = self {
            return inner.handle();
        }
        let Layout::Record(record) = self else { return None };
        record.handle
    }
}

/// The named structures, for reading type columns.
#[derive(Debug)]
pub struct Types {
    rows: HashMap<&'static str, &'static str>,
}

impl Types {
    /// Reads a table of `name<TAB>fields` rows under a heading. Nothing is resolved yet.
    pub fn new(table: &'static str) -> Self {
        Self { rows: table.lines().skip(1).filter_map(|row| row.split_once('\t')).collect() }
    }

    /// The names of all structures.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.rows.keys().copied()
    }

    /// Reads `name:type,name:type`, or `-` for none. None if a type is unknown.
    pub fn fields(&self, text: &'static str) -> Option<&'static [Field]> {
        self.fields_within(text, DEPTH_LIMIT)
    }

    /// Reads one type. None if it is unknown.
    pub fn layout(&self, text: &'static str) -> Option<Layout> {
        self.layout_within(text, DEPTH_LIMIT)
    }

    fn fields_within(&self, text: &'static str, depth: usize) -> Option<&'static [Field]> {
        let list = text.split(',').filter(|field| *field != "-");
        let fields = list.map(|field| {
            let (name, layout) = field.split_once(':')?;
            Some(Field { name, layout: self.layout_within(layout, depth)? })
        });
        Some(Vec::leak(fields.collect::<Option<Vec<_>>>()?))
    }

    fn layout_within(&self, text: &'static str, depth: usize) -> Option<Layout> {
        let inner = |text| self.layout_within(text, depth).map(leak);
        if let Some(value) = text.strip_suffix('?') {
            return Some(Layout::Optional(inner(value)?));
        }
        if let Some((element, limit)) = bounded(text, '<', '>') {
            return Some(match element {
                "opaque" => Layout::Opaque(limit),
                _ => Layout::List(inner(element)?, limit),
            });
        }
        match bounded(text, '[', ']') {
            Some((element, length)) => Some(Layout::Array(inner(element)?, length)),
            None => simple(text).or_else(|| self.record(text, depth.checked_sub(1)?)),
        }
    }

    fn record(&self, name: &'static str, depth: usize) -> Option<Layout> {
        let fields = self.fields_within(self.rows.get(name)?, depth)?;
        Some(Layout::Record(leak(Record { name, handle: HandleKind::from_type(name), fields })))
    }
}

fn simple(text: &str) -> Option<Layout> {
    Some(match text {
        "i32" => Layout::Int,
        "u32" => Layout::Unsigned,
        "i64" => Layout::Hyper,
        "u64" => Layout::UnsignedHyper,
        "f64" => Layout::Double,
        "bool" => Layout::Boolean,
        "u16" => Layout::Narrow(0, 0xffff),
        "uchar" => Layout::Narrow(0, 0xff),
        // Whether a plain `char` has a sign depends on the machine that wrote it.
        "char" => Layout::Narrow(-0x80, 0xff),
        "string" => Layout::Text,
        "uuid" => Layout::Uuid,
        "param_value" => Layout::Typed,
        _ => return None,
    })
}

fn bounded(text: &'static str, open: char, close: char) -> Option<(&'static str, u32)> {
    let (element, bound) = text.strip_suffix(close)?.split_once(open)?;
    Some((element, bound.parse().ok()?))
}

/// Layouts live as long as the program: they are made once, from tables that are part of it.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "type\tfields\ndomain\tname:string,uuid:uuid,id:i32\npair\ta:domain,b:domain?\n\
                         loop\tinner:loop\n";

    #[test]
    fn types_are_read_with_their_bounds() {
        let types = Types::new(TABLE);
        assert!(matches!(types.layout("opaque<16>"), Some(Layout::Opaque(16))));
        assert!(matches!(types.layout("string?"), Some(Layout::Optional(Layout::Text))));
        assert!(matches!(types.layout("pair<3>"), Some(Layout::List(Layout::Record(_), 3))));
        assert!(matches!(types.layout("char[32]"), Some(Layout::Array(Layout::Narrow(..), 32))));
        assert_eq!(types.layout("domain").and_then(|l| l.handle()), Some(HandleKind::Vm));
        assert_eq!(types.layout("pair").map(|l| l.smallest()), Some(4 + 16 + 4 + 4));
    }

    #[test]
    fn what_is_unknown_or_refers_to_itself_has_no_layout() {
        let types = Types::new(TABLE);
        for text in ["", "strin", "string<>", "string<x>", "nothing?", "loop", "string<3"] {
            assert!(types.layout(text).is_none(), "{text}");
        }
        assert!(types.fields("a:string,b").is_none());
        assert_eq!(types.fields("-").map(<[_]>::len), Some(0));
    }
}
