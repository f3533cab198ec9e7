// SPDX-License-Identifier: Apache-2.0
//! What strongSwan's programs say to each other: packets of named values, lists and sections (vici, its versatile IKE
//! configuration interface).

use std::io::{self, Read};

/// Asks for something.
pub(super) const COMMAND: u8 = 0;
const ANSWER: u8 = 1;
/// Asks for events of a name.
pub(super) const EVENT_REGISTER: u8 = 3;
const EVENT_CONFIRM: u8 = 5;
const EVENT: u8 = 7;

/// Elements of a message.
const SECTION: u8 = 1;
const SECTION_END: u8 = 2;
const VALUE: u8 = 3;
const LIST: u8 = 4;
const ITEM: u8 = 5;
const LIST_END: u8 = 6;

/// No packet of strongSwan's is longer.
const LONGEST: u32 = 512 << 10;
/// Deeper than any configuration.
const DEEPEST: usize = 16;

/// Named values, lists and sections below a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its name.
    pub(crate) name: String,
    values: Vec<(String, String)>,
    lists: Vec<(String, Vec<String>)>,
    /// What is in it.
    pub(crate) sections: Vec<Section>,
}

impl Section {
    /// The value of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The list of this name; an empty one if there is none.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        self.lists.iter().find(|(key, _)| key == name).map_or(&[], |(_, list)| list)
    }

    /// One with these values, for tests of those who look at them.
    #[cfg(test)]
    pub(crate) fn of(name: &str, values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self { name: name.to_owned(), values, ..Self::default() }
    }

    /// The sections below the one of this name.
    pub(crate) fn below(&self, name: &str) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(move |section| section.name == name).flat_map(|section| &section.sections)
    }
}

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// Somebody asks for something.
    Command {
        /// What.
        name: String,
        /// With which values.
        message: Section,
    },
    /// The end of what was asked for.
    Answer,
    /// Somebody wants events.
    Registered,
    /// He gets them.
    Confirmed,
    /// An event.
    Event(Section),
}

/// The next packet; none at the end.
///
/// # Errors
/// It is none, or too long, or the connection broke.
pub(super) fn receive(from: &mut impl Read) -> io::Result<Option<Packet>> {
    let mut length = Vec::new();
    if from.take(4).read_to_end(&mut length)? == 0 {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length.try_into().map_err(|_| io::ErrorKind::UnexpectedEof)?);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    if from.take(length.into()).read_to_end(&mut bytes)? < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    packet(&bytes).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn packet(bytes: &[u8]) -> Option<Packet> {
    let (kind, mut rest) = bytes.split_first()?;
    match *kind {
        COMMAND => Some(Packet::Command { name: short(&mut rest)?, message: message(rest)? }),
        ANSWER => Some(Packet::Answer),
        EVENT_REGISTER => Some(Packet::Registered),
        EVENT_CONFIRM => Some(Packet::Confirmed),
        EVENT => short(&mut rest).and_then(|_| message(rest)).map(Packet::Event),
        _ => None,
    }
}

/// Elements, each begun by its kind, up to the end.
fn message(mut rest: &[u8]) -> Option<Section> {
    let mut open = vec![Section::default()];
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        match *kind {
            SECTION if open.len() < DEEPEST => {
                open.push(Section { name: short(&mut rest)?, ..Section::default() })
            }
            SECTION_END => {
                let section = open.pop()?;
                open.last_mut()?.sections.push(section);
            }
            VALUE => {
                let pair = (short(&mut rest)?, long(&mut rest)?);
                open.last_mut()?.values.push(pair);
            }
            LIST => {
                let list = (short(&mut rest)?, items(&mut rest)?);
                open.last_mut()?.lists.push(list);
            }
            _ => return None,
        }
    }
    let message = open.pop()?;
    open.is_empty().then_some(message)
}

fn items(rest: &mut &[u8]) -> Option<Vec<String>> {
    let mut items = Vec::new();
    loop {
        let (kind, after) = rest.split_first()?;
        *rest = after;
        match *kind {
            ITEM => items.push(long(rest)?),
            LIST_END => return Some(items),
            _ => return None,
        }
    }
}

/// A text with its length in one byte.
fn short(rest: &mut &[u8]) -> Option<String> {
    let (length, after) = rest.split_first()?;
    *rest = after;
    text(rest, usize::from(*length))
}

/// A text with its length in two bytes.
fn long(rest: &mut &[u8]) -> Option<String> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    *rest = after;
    text(rest, usize::from(u16::from_be_bytes(*length)))
}

/// Certificates are among the values, and never looked at.
fn text(rest: &mut &[u8], length: usize) -> Option<String> {
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Asks for something without any value.
pub(super) fn request(kind: u8, name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    framed([&[kind, length], name.as_bytes()].concat())
}

/// That something was done.
pub(super) fn success() -> Vec<u8> {
    framed([&[ANSWER, VALUE, 7][..], b"success", &[0, 3], b"yes"].concat())
}

/// An answer that says nothing.
pub(super) fn nothing() -> Vec<u8> {
    framed(vec![ANSWER])
}

/// That events will come.
pub(super) fn confirmed() -> Vec<u8> {
    framed(vec![EVENT_CONFIRM])
}

fn framed(packet: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[..], &packet].concat()
}

#[cfg(test)]
mod tests;
