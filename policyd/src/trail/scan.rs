// SPDX-License-Identifier: Apache-2.0
//! Reads one segment that an earlier run wrote: where its good lines end, and what was left unfinished.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};

use virtwarden_core::record::{Event, Kind};
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::key::KeyId;
use virtwarden_core::trail::line::{self, Line};
use virtwarden_core::trail::verify::{Chunk, Chunks};

use crate::trail::store::Store;

/// The operation of the record that begins a run.
pub(super) const START: &str = "trail start";
/// The operation of the record that ends one in good order.
pub(super) const STOP: &str = "trail stop";
/// Attempts that are remembered as unfinished; more can hardly be under way at once.
const UNFINISHED: usize = 10_000;

/// What one segment says.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The sequence number and hash of its last good line; none if it has none.
    pub(super) last: Option<(u64, Digest)>,
    /// Where the good lines end, in bytes.
    pub(super) end: u64,
    /// The key that seals at that point.
    pub(super) key: Option<KeyId>,
    /// Attempts without an outcome.
    pub(super) unfinished: BTreeMap<u64, Event>,
    /// The attempts that outcomes in this segment belong to, if those are not in it.
    pub(super) finished: Vec<u64>,
    /// A run began here.
    pub(super) started: bool,
    /// The last record is that of an orderly stop.
    pub(super) stopped: bool,
}

impl Scan {
    /// Reads a segment up to the first line that does not follow its predecessor.
    pub(super) fn of(store: &dyn Store, number: u64) -> io::Result<Self> {
        let mut scan = Scan::default();
        let mut chunks = Chunks::new(BufReader::with_capacity(1 << 16, store.read(number)?));
        while let Some(Chunk::Line(text)) = chunks.next().transpose()? {
            if scan.add(&text).is_none() {
                break;
            }
            scan.end = chunks.offset();
        }
        Ok(scan)
    }

    /// Adds a line, if it is a good one.
    fn add(&mut self, text: &[u8]) -> Option<()> {
        let Line { seq, entry, hash, .. } = Line::parse(text).ok()?;
        let previous = match (&self.last, &entry) {
            (None, Entry::Segment(header)) => header.previous,
            (Some((last, head)), _) if last.checked_add(1) == Some(seq) => *head,
            (None | Some(_), _) => return None,
        };
        line::follows(text, &previous).then_some(())?;
        self.last = Some((seq, hash));
        match entry {
            Entry::Segment(header) => self.key = Some(header.key),
            Entry::Key(introduction) => self.key = Some(introduction.key.id()),
            Entry::Record(event) => self.record(seq, *event),
            Entry::Checkpoint(_) | Entry::Removal(_) => {}
        }
        Some(())
    }

    fn record(&mut self, seq: u64, event: Event) {
        self.stopped = event.kind == Kind::Trail && event.operation == STOP;
        match (event.kind, event.of) {
            (Kind::Attempt, _) if self.unfinished.len() < UNFINISHED => {
                self.unfinished.insert(seq, event);
            }
            (Kind::Outcome, Some(of)) => match self.unfinished.remove(&of) {
                Some(_) => {}
                None => self.finished.push(of),
            },
            (Kind::Trail, _) if event.operation == START => {
                self.started = true;
                self.unfinished.clear();
            }
            _ => {}
        }
    }
}

/// What stands in a segment from an offset on, without the zeros at its end: how long, and its digest.
pub(super) fn rest(store: &dyn Store, number: u64, offset: u64) -> io::Result<(u64, Digest)> {
    let mut file = store.read(number)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut length, mut digest, mut zeros) = (0, Digest::START, 0);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok((length, digest));
        }
        let size = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        match buffer.iter().rposition(|byte| *byte != 0) {
            None => zeros += size,
            Some(last) => {
                let used = u64::try_from(last).unwrap_or(u64::MAX) + 1;
                digest = digest.then(buffer);
                length += zeros + used;
                zeros = size - used;
            }
        }
        let size = buffer.len();
        reader.consume(size);
    }
}
