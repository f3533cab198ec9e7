// SPDX-License-Identifier: Apache-2.0
//! Bytes that no client sends, and what must become of each.

use std::io;

use super::{Answer, REMOTE, Raw, frame, frame_of_length, text, word};

/// What must become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The connection ends.
    Closed,
    /// It is answered by an error, and the connection goes on.
    Refused,
    /// It is dropped, and the connection goes on: libvirtd gets nothing of it.
    Dropped,
    /// The connection ends as that of any client that dies.
    Left,
    /// It is answered as what does not exist, and the connection goes on.
    Missing,
}

impl Fate {
    /// Whether somebody must find it in the trail.
    pub fn is_recorded(self) -> bool {
        matches!(self, Fate::Closed | Fate::Refused)
    }
}

/// Something that no client sends.
pub struct Misfit {
    /// What it is, in one word.
    pub name: &'static str,
    /// Who sends it.
    pub person: &'static str,
    /// What must become of it.
    pub fate: Fate,
    /// Its bytes, after the connection was opened.
    pub bytes: fn() -> Vec<u8>,
}

const fn bob(name: &'static str, fate: Fate, bytes: fn() -> Vec<u8>) -> Misfit {
    Misfit { name, person: "bob", fate, bytes }
}

/// XML is read only of those who may define anything.
const fn alice(name: &'static str, bytes: fn() -> Vec<u8>) -> Misfit {
    Misfit { name, person: "alice", fate: Fate::Refused, bytes }
}

const DEFINE: u32 = 11;
const LOOKUP_BY_NAME: u32 = 23;
const CAPABILITIES: u32 = 7;
const REGISTER_EVENT: u32 = 316;
const SET_IDENTITY: u32 = 419;

/// All of them.
pub const MISFITS: &[Misfit] = &[
    bob("cut-in-header", Fate::Left, || cut(call(3, &[]), 20)),
    bob("cut-in-payload", Fate::Left, || cut(call(LOOKUP_BY_NAME, &text(b"bobvm")), 34)),
    bob("length-0", Fate::Closed, || lie(0)),
    bob("length-27", Fate::Closed, || lie(27)),
    bob("length-beyond-32-mib", Fate::Closed, || lie(32 * 1024 * 1024 + 5)),
    bob("length-50-mb", Fate::Closed, || lie(50_000_000)),
    bob("length-4-gib", Fate::Closed, || lie(u32::MAX)),
    bob("kind-unknown", Fate::Closed, || frame([REMOTE, 1, 3, 9, 90, 0], &[])),
    bob("status-unknown", Fate::Closed, || frame([REMOTE, 1, 3, 0, 90, 7], &[])),
    bob("call-that-failed", Fate::Closed, || frame([REMOTE, 1, 3, 0, 90, 1], &[])),
    bob("reply", Fate::Closed, || frame([REMOTE, 1, 3, 1, 90, 0], &[])),
    bob("event", Fate::Closed, || frame([REMOTE, 1, 318, 2, 0, 0], &[])),
    bob("33-descriptors", Fate::Closed, || frame([REMOTE, 1, 249, 4, 90, 0], &word(33))),
    bob("stream-of-nothing", Fate::Dropped, || frame([REMOTE, 1, 208, 3, 90, 2], b"data")),
    bob("end-of-no-stream", Fate::Dropped, || frame([REMOTE, 1, 208, 3, 90, 0], &[])),
    bob("hole-of-nothing", Fate::Dropped, || frame([REMOTE, 1, 208, 6, 90, 2], &[0; 12])),
    bob("program-unknown", Fate::Refused, || frame([0x1234_5678, 1, 3, 0, 90, 0], &[])),
    bob("version-unknown", Fate::Refused, || frame([REMOTE, 2, 3, 0, 90, 0], &[])),
    bob("procedure-unknown", Fate::Refused, || call(99_999, &[])),
    bob("procedure-negative", Fate::Refused, || call(u32::MAX, &[])),
    bob("event-called", Fate::Refused, || call(318, &[])),
    bob("second-open", Fate::Refused, || {
        call(1, &[&word(1)[..], &text(b"qemu:///system"), &word(0)].concat())
    }),
    bob("set-identity", Fate::Refused, || call(SET_IDENTITY, &[word(0), word(0)].concat())),
    bob("nul-in-name", Fate::Refused, || call(LOOKUP_BY_NAME, &text(b"bobvm\0finance"))),
    bob("padding-not-zero", Fate::Refused, || call(LOOKUP_BY_NAME, &padded_with(7))),
    bob("bytes-at-the-end", Fate::Refused, || {
        call(LOOKUP_BY_NAME, &[text(b"bobvm"), word(0).to_vec()].concat())
    }),
    bob("no-arguments", Fate::Refused, || call(LOOKUP_BY_NAME, &[])),
    bob("optional-flag-2", Fate::Refused, || call(REGISTER_EVENT, &[word(0), word(2)].concat())),
    bob("text-longer-than-frame", Fate::Refused, || call(LOOKUP_BY_NAME, &word(u32::MAX))),
    bob("list-longer-than-frame", Fate::Refused, || call(SET_IDENTITY, &[word(u32::MAX), word(0)].concat())),
    bob("name-of-64-kib", Fate::Missing, || call(LOOKUP_BY_NAME, &text(&[b'a'; 65536]))),
    bob("name-of-30-mib", Fate::Refused, || call(LOOKUP_BY_NAME, &text(&vec![b'a'; 30 << 20]))),
    bob("name-not-utf-8", Fate::Refused, || call(LOOKUP_BY_NAME, &text(b"bobvm\xff\xfe"))),
    bob("one-serial-twice", Fate::Refused, || [call(CAPABILITIES, &[]), call(CAPABILITIES, &[])].concat()),
    alice("doctype", || {
        define("<!DOCTYPE domain [<!ENTITY a 'b'>]><domain type='qemu'><name>x</name></domain>")
    }),
    alice("entity-bomb", || define(&bomb())),
    alice("nested-100000-deep", || define(&"<domain>".repeat(100_000))),
    alice("metadata-of-5-mb", || {
        define(&format!("<domain><metadata>{}</metadata></domain>", "a".repeat(5_000_000)))
    }),
    alice("attribute-twice", || define("<domain type='qemu' type='kvm'><name>x</name></domain>")),
    alice("not-xml", || define("domain")),
];

fn call(procedure: u32, arguments: &[u8]) -> Vec<u8> {
    frame([REMOTE, 1, procedure, 0, 90, 0], arguments)
}

fn cut(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.truncate(length);
    bytes
}

fn define(xml: &str) -> Vec<u8> {
    call(DEFINE, &text(xml.as_bytes()))
}

fn lie(length: u32) -> Vec<u8> {
    frame_of_length(length, [REMOTE, 1, 3, 0, 90, 0], &[0; 64])
}

fn padded_with(byte: u8) -> Vec<u8> {
    let mut bytes = text(b"bobvm");
    bytes.iter_mut().skip(9).for_each(|padding| *padding = byte);
    bytes
}

fn bomb() -> String {
    let entities: String = (1..30).map(|n| format!("<!ENTITY e{n} '&e{};&e{};'>", n - 1, n - 1)).collect();
    format!("<!DOCTYPE domain [<!ENTITY e0 'boom'>{entities}]><domain><name>&e29;</name></domain>")
}

/// Sends one and says what became of it; none if it was neither refused nor dropped.
///
/// # Errors
/// The socket failed.
pub fn send(misfit: &Misfit) -> io::Result<Option<Fate>> {
    let mut raw = Raw::open()?;
    raw.send(&(misfit.bytes)())?;
    match misfit.fate {
        Fate::Dropped => return Ok(answers(&mut raw)?.then_some(Fate::Dropped)),
        Fate::Left => raw.fall_silent()?,
        Fate::Closed | Fate::Refused | Fate::Missing => {}
    }
    loop {
        match raw.answer()? {
            Answer::Refused(why) => {
                let fate = if why.contains("not found") { Fate::Missing } else { Fate::Refused };
                return Ok(answers(&mut raw)?.then_some(fate));
            }
            Answer::Closed if misfit.fate == Fate::Left => return Ok(Some(Fate::Left)),
            Answer::Closed => return Ok(Some(Fate::Closed)),
            Answer::Done(_) if misfit.name == "one-serial-twice" => {}
            Answer::Done(_) | Answer::Silence => return Ok(None),
        }
    }
}

/// Whether the connection still answers a harmless call, whatever else comes before its answer.
fn answers(raw: &mut Raw) -> io::Result<bool> {
    const TYPE: u32 = 3;
    let qemu = Answer::Done(text(b"QEMU"));
    let first = raw.call(TYPE, &[])?;
    Ok(first == qemu || raw.answer()? == qemu)
}
