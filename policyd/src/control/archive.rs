// SPDX-License-Identifier: Apache-2.0
//! The trail, as far as the control socket reads it.

use std::fmt;

use virtwarden_core::control::{Before, TrailKeys, Verification};
use virtwarden_core::record::Event;
use virtwarden_core::trail::entry::Entry;

use crate::trail::Removable;

/// Whether whoever takes records wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Yes.
    Continue,
    /// No: he has left.
    Stop,
}

/// What a line of the trail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Something that happened.
    Event,
    /// A mark of the trail's own: where a segment begins, or a seal.
    Mark,
}

impl Part {
    /// What an entry is. Keys that change and segments that go are events: somebody must see them.
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Segment(_) | Entry::Checkpoint(_) => Part::Mark,
            Entry::Record(_) | Entry::Key(_) | Entry::Removal(_) => Part::Event,
        }
    }
}

/// How the trail's store is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// In a few words.
    pub text: String,
    /// What somebody should look at.
    pub warning: Option<String>,
}

/// A record that was read.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its place in the trail.
    pub sequence: u64,
    /// When, in microseconds since 1970 UTC.
    pub time: u64,
    /// What it says.
    pub event: &'a Event,
    /// What it is.
    pub part: Part,
    /// The line exactly as it is stored, without its end.
    pub line: &'a str,
}

/// Takes records one by one.
pub trait Reader {
    /// Takes a record and says whether to go on.
    fn take(&mut self, record: &Record<'_>) -> Flow;

    /// Nothing is new; says whether to wait on.
    fn wait(&mut self) -> Flow;
}

/// The trail, to read.
pub trait Archive: Send + Sync + fmt::Debug {
    /// Hands over every record, oldest first, until told to stop.
    ///
    /// # Errors
    /// Why the trail cannot be read, for people.
    fn read(&self, reader: &mut dyn Reader) -> Result<(), String>;

    /// Hands over records as they are written, until told to stop.
    ///
    /// # Errors
    /// Why the trail cannot be followed, or that the reader is too slow.
    fn follow(&self, reader: &mut dyn Reader) -> Result<(), String>;

    /// Checks the whole trail.
    fn verify(&self) -> Verification;

    /// How the store is.
    fn state(&self) -> State;

    /// What a copy is checked with.
    ///
    /// # Errors
    /// Why that cannot be read, for people.
    fn keys(&self) -> Result<TrailKeys, String>;

    /// What is recorded from now on goes to an audit server that is about to be set, where there was none.
    ///
    /// # Errors
    /// Why not, for people.
    fn begin_sending(&self) -> Result<(), String>;

    /// What whole segments lie before a point.
    ///
    /// # Errors
    /// Why that cannot be found out, for people.
    fn removable(&self, before: Before) -> Result<Option<Removable>, String>;

    /// Deletes what was found to lie there, with a record of each segment.
    ///
    /// # Errors
    /// Why it could not be deleted, for people.
    fn remove(&self, removable: &Removable, reason: &str) -> Result<(), String>;
}
