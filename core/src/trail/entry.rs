// SPDX-License-Identifier: Apache-2.0
//! What a line can say: an event, or something that the trail says of itself.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::record::{Event, Kind, Outcome, Target};
use crate::trail::digest::Digest;
use crate::trail::key::{KeyId, PublicKey, Signature};

/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The first line of each segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    pub format: u32,
    /// The number of the segment, from 1.
    pub number: u64,
    /// The hash of the last line of the segment before; [`Digest::START`] in the first one.
    pub previous: Digest,
    /// The key that seals at this point.
    pub key: KeyId,
}

/// A signed statement that everything up to the line before is as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The sequence number of the last sealed line.
    pub sealed: u64,
    /// The hash of that line.
    pub head: Digest,
    /// The digest of the policy in force.
    pub policy: Digest,
    /// The segment it stands in.
    pub segment: u64,
    /// The key that signed.
    pub key: KeyId,
    /// Its signature, see [`crate::trail::seal`].
    pub signature: Signature,
}

/// A new key, vouched for by the one before. From here on only the new one seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Introduction {
    /// The key that retires.
    pub retiring: KeyId,
    /// The one that follows it.
    pub key: PublicKey,
    /// The retiring key's signature, see [`crate::trail::seal`].
    pub signature: Signature,
}

/// Whole segments at the beginning of the trail are about to be deleted, by rule or by an Administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// The first segment that goes.
    pub from: u64,
    /// The last segment that goes.
    pub through: u64,
    /// The sequence number of its last line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The hash of its last line, which the first remaining segment continues.
    pub head: Digest,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Removal {
    /// `segments 1 to 3 removed, through sequence 4711, which has hash ...: alice, audit delete`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segments {} to {} removed", self.from, self.through)?;
        if let Some(last) = self.last {
            write!(f, ", through sequence {last}")?;
        }
        write!(f, ", which has hash {}: {}", self.head, self.reason)
    }
}

/// What a line says. The variant's name is the key of the line's JSON member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A segment begins.
    Segment(Header),
    /// Something happened.
    Record(Box<Event>),
    /// The lines before are sealed.
    Checkpoint(Checkpoint),
    /// The sealing key changes.
    Key(Introduction),
    /// Old segments go.
    Removal(Removal),
}

impl Entry {
    /// The entry as an event, so that one reader shows and filters all lines.
    pub fn event(&self) -> Cow<'_, Event> {
        match self {
            Entry::Record(event) => Cow::Borrowed(event),
            Entry::Segment(header) => own("trail segment", format!("segment {} begins", header.number)),
            Entry::Checkpoint(checkpoint) => {
                own("trail seal", format!("sealed through {}", checkpoint.sealed))
            }
            Entry::Key(change) => {
                own("trail key", format!("key {} follows {}", change.key.id(), change.retiring))
            }
            Entry::Removal(removal) => own("trail remove", removal.to_string()),
        }
    }
}

fn own(operation: &str, detail: String) -> Cow<'static, Event> {
    Cow::Owned(of_trail(operation, Outcome::Success, detail))
}

/// An event of the trail itself.
pub fn of_trail(operation: &str, outcome: Outcome, detail: String) -> Event {
    Event {
        origin: None,
        kind: Kind::Trail,
        outcome,
        actor: None,
        operation: operation.to_owned(),
        functions: Vec::new(),
        targets: vec![Target { kind: "trail".to_owned(), name: None, ..Target::default() }],
        detail,
        of: None,
        count: None,
    }
}
