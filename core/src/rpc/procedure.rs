// SPDX-License-Identifier: Apache-2.0
//! The table of procedures: every call and event we know, and how the gate treats it.
//!
//! `procedures.tsv` has the columns `program number name arguments reply carries rule`; `types.tsv`
//! the structures. A row that cannot be read is left out, and what is not in the table is refused.

use std::sync::LazyLock;

use crate::rpc::frame;
use crate::rpc::handle::HandleKind;
use crate::rpc::layout::{Field, Types};
use crate::rpc::rule::{Check, Condition, Rule, parse::Column};

const PROCEDURES: &str = include_str!("procedures.tsv");
const TYPES: &str = include_str!("types.tsv");

/// A program that has procedures for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// What every hypervisor has.
    Remote,
    /// What only QEMU has.
    Qemu,
}

impl Program {
    /// Its number in a header.
    pub const fn number(self) -> u32 {
        match self {
            Program::Remote => frame::REMOTE,
            Program::Qemu => frame::QEMU,
        }
    }
}

/// Who sends file descriptors with a call, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    /// With the call.
    pub call: Count,
    /// With the reply.
    pub reply: Count,
}

/// How many descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// None.
    #[default]
    None,
    /// Exactly one.
    One,
    /// Any number.
    Any,
}

impl Count {
    /// Whether so many may come.
    pub const fn allows(self, descriptors: u32) -> bool {
        match self {
            Count::None => descriptors == 0,
            Count::One => descriptors == 1,
            Count::Any => true,
        }
    }
}

/// Which way the data of a stream flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// To libvirtd.
    Up,
    /// To the client.
    Down,
    /// Both ways.
    Both,
}

/// A call or an event.
#[derive(Debug)]
pub struct Procedure {
    /// The program it belongs to.
    pub program: Program,
    /// Its number there.
    pub number: u32,
    /// libvirt's name for it: `DOMAIN_CREATE`. Records use it.
    pub name: &'static str,
    /// What a call carries.
    pub arguments: &'static [Field],
    /// What the reply carries, or the event itself.
    pub reply: &'static [Field],
    /// The descriptors that go with it.
    pub descriptors: Descriptors,
    /// The stream that it opens.
    pub stream: Option<Stream>,
    /// How the gate treats it.
    pub rule: Rule,
    /// Rights needed besides, by the value of an argument.
    pub conditions: &'static [Condition],
    /// The bits of `flags` that have a meaning we know; a call with others is to be refused. None where
    /// there are no flags, or nobody but an Administrator gets that far.
    pub known_flags: Option<u32>,
    /// What to check in the arguments before libvirtd sees them.
    pub check: Option<Check>,
    /// Which argument holds the handle of the object that the rule is about, and its kind.
    pub handle: Option<(usize, HandleKind)>,
}

impl Procedure {
    fn parse(row: &'static str, types: &Types) -> Option<Self> {
        let columns: Vec<&'static str> = row.split('\t').collect();
        let &[program, number, name, arguments, reply, carries, rule] = columns.as_slice() else {
            return None;
        };
        let Column { rule, known_flags, conditions, check } = Column::parse(rule)?;
        let (descriptors, stream) = parse_carries(carries)?;
        let arguments = types.fields(arguments)?;
        Some(Self {
            program: parse_program(program)?,
            number: number.parse().ok()?,
            name,
            arguments,
            reply: types.fields(reply)?,
            descriptors,
            stream,
            rule,
            conditions,
            known_flags,
            check,
            handle: first_handle(arguments),
        })
    }
}

/// Finds a procedure by the numbers of a header. None: unknown, so refused.
pub fn find(program: u32, number: u32) -> Option<&'static Procedure> {
    let table = match program {
        frame::REMOTE => &TABLE.remote,
        frame::QEMU => &TABLE.qemu,
        _ => return None,
    };
    table.get(usize::try_from(number).ok()?)?.as_ref()
}

/// Finds a procedure by its name, `DOMAIN_CREATE`.
pub fn by_name(name: &str) -> Option<&'static Procedure> {
    all().find(|procedure| procedure.name == name)
}

/// All procedures, by program and number.
pub fn all() -> impl Iterator<Item = &'static Procedure> {
    TABLE.remote.iter().chain(&TABLE.qemu).flatten()
}

struct Table {
    remote: Vec<Option<Procedure>>,
    qemu: Vec<Option<Procedure>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let types = Types::new(TYPES);
    let mut table = Table { remote: Vec::new(), qemu: Vec::new() };
    for procedure in PROCEDURES.lines().skip(1).filter_map(|row| Procedure::parse(row, &types)) {
        let slots = match procedure.program {
            Program::Remote => &mut table.remote,
            Program::Qemu => &mut table.qemu,
        };
        enter(slots, procedure);
    }
    table
});

/// Puts a procedure at its number. Numbers are those of our own table, so they are small.
fn enter(slots: &mut Vec<Option<Procedure>>, procedure: Procedure) {
    let Ok(index) = usize::try_from(procedure.number) else { return };
    if slots.len() <= index {
        slots.resize_with(index + 1, || None);
    }
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(procedure);
    }
}

fn parse_program(word: &str) -> Option<Program> {
    match word {
        "REMOTE" => Some(Program::Remote),
        "QEMU" => Some(Program::Qemu),
        _ => None,
    }
}

fn parse_carries(text: &str) -> Option<(Descriptors, Option<Stream>)> {
    let (mut descriptors, mut stream) = (Descriptors::default(), None);
    for word in text.split(',') {
        match word {
            "-" | "sparse" => {}
            "fds_in=1" => descriptors.call = Count::One,
            "fds_in=n" => descriptors.call = Count::Any,
            "fds_out=1" => descriptors.reply = Count::One,
            "fds_out=n" => descriptors.reply = Count::Any,
            "stream=up" => stream = Some(Stream::Up),
            "stream=down" => stream = Some(Stream::Down),
            "stream=both" => stream = Some(Stream::Both),
            _ => return None,
        }
    }
    Some((descriptors, stream))
}

fn first_handle(arguments: &[Field]) -> Option<(usize, HandleKind)> {
    let kinds = arguments.iter().map(|field| field.layout.handle());
    kinds.enumerate().find_map(|(index, kind)| Some((index, kind?)))
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each test looks at the rules it is about")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rpc::layout::Layout;
    use crate::rpc::rule::{Form, Judge, Listed, On};

    #[test]
    fn every_row_of_the_table_is_understood() {
        let types = Types::new(TYPES);
        for row in PROCEDURES.lines().skip(1) {
            assert!(Procedure::parse(row, &types).is_some(), "{row}");
        }
        for name in types.names() {
            assert!(types.layout(name).is_some(), "{name}");
        }
    }

    #[test]
    fn no_procedure_is_missing_and_none_is_there_twice() {
        let numbers = |program| {
            let rows = PROCEDURES.lines().filter(move |row| row.starts_with(program));
            rows.map(|row| row.split('\t').nth(1).unwrap().parse().unwrap()).collect::<Vec<u32>>()
        };
        assert_eq!(numbers("REMOTE\t"), (1..=456).collect::<Vec<_>>());
        assert_eq!(numbers("QEMU\t"), (1..=7).collect::<Vec<_>>());
        assert_eq!(all().count(), 456 + 7);
        let names = all().map(|p| p.name).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(names.len(), 456 + 7);
    }

    #[test]
    fn a_procedure_is_found_by_its_numbers_and_nothing_else_is() {
        assert_eq!(find(frame::REMOTE, 16).map(|p| p.name), Some("DOMAIN_GET_INFO"));
        assert_eq!(find(frame::QEMU, 1).map(|p| p.name), Some("DOMAIN_MONITOR_COMMAND"));
        let others = [
            (frame::REMOTE, 0),
            (frame::REMOTE, 457),
            (frame::REMOTE, u32::MAX),
            (frame::QEMU, 8),
            (0x0006_8000, 1),
            (0x0690_0690, 1),
            (frame::KEEPALIVE, 1),
            (0, 1),
        ];
        for (program, number) in others {
            assert!(find(program, number).is_none(), "{program:#x} {number}");
        }
    }

    /// A rule about an object must have a handle of that object to go by, and only the host has none.
    #[test]
    fn every_rule_finds_its_object_among_the_arguments() {
        for procedure in all() {
            let object = procedure.handle.map(|(_, kind)| kind.object());
            match procedure.rule {
                Rule::Needs { on: On::Host, rights } => assert!(!rights.is_empty(), "{}", procedure.name),
                Rule::Needs { on, rights } => {
                    assert_eq!(object, Some(on), "{}", procedure.name);
                    assert!(!rights.is_empty(), "{}", procedure.name);
                }
                Rule::Describe { .. } => assert_eq!(object, Some(On::Vm), "{}", procedure.name),
                Rule::Register { on, .. } => {
                    assert!(object.is_none_or(|object| object == on), "{}", procedure.name);
                }
                _ => {}
            }
        }
    }

    /// The event's object must be in the event, and the listed ones in the list.
    #[test]
    fn events_lists_and_lookups_hold_what_they_are_filtered_by() {
        let objects = |layout: &Layout| -> Option<HandleKind> {
            let Layout::Record(record) = layout else { return layout.handle() };
            record.handle.or_else(|| record.fields.iter().find_map(|f| f.layout.handle()))
        };
        for procedure in all() {
            let mut kinds = procedure.reply.iter().filter_map(|field| match field.layout {
                Layout::List(element, _) => objects(element),
                ref other => objects(other),
            });
            match procedure.rule {
                Rule::Event(on) => assert!(kinds.any(|k| k.object() == on), "{}", procedure.name),
                Rule::Lookup(kind) => assert!(kinds.any(|k| k == kind), "{}", procedure.name),
                Rule::List(Listed::Stats) => assert!(kinds.any(|k| k == HandleKind::Vm)),
                Rule::List(Listed::Handles(_)) if procedure.name == "NODE_LIST_DEVICES" => {}
                Rule::List(Listed::Handles(kind)) => assert!(kinds.any(|k| k == kind), "{}", procedure.name),
                _ => {}
            }
        }
    }

    #[test]
    fn old_lists_are_made_from_new_ones_of_the_same_kind() {
        for procedure in all() {
            let Rule::Recast(recast) = procedure.rule else { continue };
            let source = find(procedure.program.number(), recast.call).unwrap();
            assert!(matches!(source.rule, Rule::List(Listed::Handles(_))), "{}", procedure.name);
            let field = procedure.reply.first().unwrap();
            let form = match field.layout {
                Layout::Int => Form::Count,
                Layout::List(Layout::Int, _) => Form::Ids,
                _ if field.name == "uuids" => Form::Uuids,
                _ => Form::Names,
            };
            assert_eq!(recast.form, form, "{}", procedure.name);
        }
    }

    #[test]
    fn every_judge_has_a_procedure_and_every_condition_an_argument() {
        for judge in Judge::ALL {
            assert!(all().any(|p| p.rule == Rule::Judged(*judge)), "{judge:?}");
        }
        for procedure in all() {
            for name in procedure.conditions.iter().map(|c| c.argument) {
                assert!(procedure.arguments.iter().any(|f| f.name == name), "{}", procedure.name);
            }
            let flags = procedure.arguments.iter().any(|f| f.name == "flags");
            assert!(procedure.known_flags.is_none() || flags, "{}", procedure.name);
        }
    }

    /// For the reader of the test's output: how many procedures are treated in which way.
    #[test]
    fn the_rules_add_up() {
        let mut counts = BTreeMap::new();
        for procedure in all() {
            *counts.entry(procedure.rule.word()).or_insert(0) += 1;
        }
        assert_eq!(counts.values().sum::<i32>(), 456 + 7);
        println!("{counts:#?}");
    }
}
