// SPDX-License-Identifier: Apache-2.0
//! One line of a trail: its place, its moment, what it says, and its link in the chain.
//!
//! `{"seq":7,"time":"...","boot":"...","up":123,"record":{...},"hash":"..."}` and a line feed. The hash is
//! over the hash of the line before and this line up to `,"hash"`, so that each byte is covered.

use std::fmt;
use std::io::Write as _;

use serde::{Deserialize, Serialize};

use crate::object::Uuid;
use crate::record::Event;
use crate::trail::digest::Digest;
use crate::trail::entry::{Checkpoint, Entry, Header, Introduction, Removal};
use crate::trail::escape::json;
use crate::trail::time::Time;

const LINK: &[u8] = b",\"hash\":\"";
const END: &[u8] = b"\"}";
const DIGITS: usize = 64;

/// A moment: wall-clock time can be set back, the time since boot cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Wall-clock time.
    pub time: Time,
    /// The kernel's identity of this boot.
    pub boot: Uuid,
    /// Microseconds since that boot, time asleep included.
    pub up: u64,
}

/// A line, read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Members")]
pub struct Line {
    /// Its place: 1 for the first line of the trail, then without gaps.
    pub seq: u64,
    /// When.
    pub stamp: Stamp,
    /// What.
    pub entry: Entry,
    /// Its link in the chain.
    pub hash: Digest,
}

/// Why some bytes are no line of a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It does not end in a hash.
    NoHash,
    /// It is not the JSON of a line.
    Json(String),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::NoHash => f.write_str("the line does not end in its hash"),
            LineError::Json(cause) => write!(f, "the line is not a record: {cause}"),
        }
    }
}

impl std::error::Error for LineError {}

impl Line {
    /// Reads a line without its line feed. Does not check the chain, see [`follows`].
    ///
    /// # Errors
    /// If it is not the JSON of a line.
    pub fn parse(text: &[u8]) -> Result<Self, LineError> {
        serde_json::from_slice(text).map_err(|cause| LineError::Json(cause.to_string()))
    }
}

/// Writes the member of an entry, `"record":{...}`: the part of a line that does not depend on its place.
///
/// # Errors
/// If the entry has no JSON form.
pub fn member(entry: &Entry) -> serde_json::Result<Vec<u8>> {
    let object = json(entry)?;
    let inner = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    Ok(inner.unwrap_or(&object).to_vec())
}

/// Appends a whole line with its line feed and returns its hash.
pub fn write(out: &mut Vec<u8>, seq: u64, stamp: &Stamp, member: &[u8], previous: &Digest) -> Digest {
    let start = out.len();
    let Stamp { time, boot, up } = stamp;
    // Writing to a vector cannot fail.
    let _ = write!(out, "{{\"seq\":{seq},\"time\":\"{time}\",\"boot\":\"{boot}\",\"up\":{up},");
    out.extend_from_slice(member);
    let hash = previous.then(out.get(start..).unwrap_or_default());
    out.extend_from_slice(LINK);
    let _ = write!(out, "{hash}");
    out.extend_from_slice(END);
    out.push(b'\n');
    hash
}

/// Splits a line into what its hash covers and the hash it carries.
///
/// # Errors
/// If it does not end in a hash.
pub fn split(text: &[u8]) -> Result<(&[u8], Digest), LineError> {
    let rest = text.strip_suffix(END).ok_or(LineError::NoHash)?;
    let at = rest.len().checked_sub(DIGITS).ok_or(LineError::NoHash)?;
    let (rest, hash) = rest.split_at(at);
    let body = rest.strip_suffix(LINK).ok_or(LineError::NoHash)?;
    Ok((body, Digest::parse(hash).ok_or(LineError::NoHash)?))
}

/// Whether a line, without its line feed, is unchanged and follows the line with that hash.
pub fn follows(text: &[u8], previous: &Digest) -> bool {
    split(text).is_ok_and(|(body, hash)| previous.then(body) == hash)
}

/// The members of a line's JSON object: exactly one of the five entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    seq: u64,
    time: Time,
    boot: Uuid,
    up: u64,
    segment: Option<Header>,
    record: Option<Box<Event>>,
    checkpoint: Option<Checkpoint>,
    key: Option<Introduction>,
    removal: Option<Removal>,
    hash: Digest,
}

impl TryFrom<Members> for Line {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        let entry = match members {
            Members {
                segment: Some(it), record: None, checkpoint: None, key: None, removal: None, ..
            } => Entry::Segment(it),
            Members {
                segment: None, record: Some(it), checkpoint: None, key: None, removal: None, ..
            } => Entry::Record(it),
            Members {
                segment: None, record: None, checkpoint: Some(it), key: None, removal: None, ..
            } => Entry::Checkpoint(it),
            Members {
                segment: None, record: None, checkpoint: None, key: Some(it), removal: None, ..
            } => Entry::Key(it),
            Members {
                segment: None, record: None, checkpoint: None, key: None, removal: Some(it), ..
            } => Entry::Removal(it),
            _ => return Err("a line says exactly one thing"),
        };
        let stamp = Stamp { time: members.time, boot: members.boot, up: members.up };
        Ok(Line { seq: members.seq, stamp, entry, hash: members.hash })
    }
}

impl Serialize for Line {
    /// The line as it stands in the file, for programs.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("seq", &self.seq)?;
        map.serialize_entry("time", &self.stamp.time)?;
        map.serialize_entry("boot", &self.stamp.boot)?;
        map.serialize_entry("up", &self.stamp.up)?;
        match &self.entry {
            Entry::Segment(it) => map.serialize_entry("segment", it)?,
            Entry::Record(it) => map.serialize_entry("record", it)?,
            Entry::Checkpoint(it) => map.serialize_entry("checkpoint", it)?,
            Entry::Key(it) => map.serialize_entry("key", it)?,
            Entry::Removal(it) => map.serialize_entry("removal", it)?,
        }
        map.serialize_entry("hash", &self.hash)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;
    use crate::trail::entry::of_trail;

    fn sample() -> (Vec<u8>, Line) {
        let stamp = Stamp { time: Time::from_micros(1_763_716_445_123_456), boot: Uuid([7; 16]), up: 42 };
        let entry = Entry::Record(Box::new(of_trail("trail start", Outcome::Success, "\u{202e}".to_owned())));
        let mut text = Vec::new();
        let hash = write(&mut text, 9, &stamp, &member(&entry).unwrap(), &Digest::START);
        (text, Line { seq: 9, stamp, entry, hash })
    }

    #[test]
    fn a_line_reads_back_and_follows_its_predecessor_only() {
        let (text, line) = sample();
        let text = text.strip_suffix(b"\n").unwrap();
        assert_eq!(Line::parse(text), Ok(line.clone()));
        assert_eq!(json(&line).unwrap(), text);
        assert!(follows(text, &Digest::START));
        assert!(!follows(text, &line.hash));
    }

    #[test]
    fn the_chain_covers_each_byte() {
        let (text, _) = sample();
        let text = text.strip_suffix(b"\n").unwrap();
        for at in 0..text.len() {
            let mut changed = text.to_vec();
            changed[at] ^= 0x20;
            assert!(!follows(&changed, &Digest::START), "byte {at}");
        }
    }

    #[test]
    fn a_line_says_exactly_one_thing() {
        let (text, _) = sample();
        let text = String::from_utf8(text).unwrap();
        let none = text.replace("\"record\":{", "\"recorded\":{");
        let two = text.replace(
            "\"record\":",
            &format!(
                "\"removal\":{{\"from\":1,\"through\":1,\"head\":\"{}\",\"reason\":\"\"}},\"record\":",
                Digest::START
            ),
        );
        assert!(Line::parse(none.as_bytes()).is_err());
        assert!(Line::parse(two.as_bytes()).unwrap_err().to_string().contains("exactly one thing"));
    }
}
