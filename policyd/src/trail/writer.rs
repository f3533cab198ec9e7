// SPDX-License-Identifier: Apache-2.0
//! The end of the trail: adds lines to the chain and makes them durable, segment after segment.

use std::io;
use std::sync::Arc;

use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::{Entry, FORMAT, Header, Introduction};
use virtwarden_core::trail::key::SigningKey;
use virtwarden_core::trail::line::{self, Stamp};
use virtwarden_core::trail::seal::Statement;

use crate::trail::read::End;
use crate::trail::spare::{NoSpare, Spare};
use crate::trail::store::{Sink, Store};

/// The end of each segment that only the trail's own lines may use: that it is full, what it removes, seals.
pub(super) const OWN_USE: u64 = 16 * 1024;

/// Memory for a group that is kept between groups, in bytes.
const BUFFER: usize = 256 * 1024;

/// A point in the trail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The sequence number of the last line.
    pub(super) seq: u64,
    /// Its hash.
    pub(super) head: Digest,
    /// Where the next one begins in its segment.
    pub(super) offset: u64,
    /// How many lines stand after the last checkpoint.
    pub(super) unsealed: u64,
}

/// The end of the trail.
pub(super) struct Writer {
    store: Arc<dyn Store>,
    spare: Spare,
    key: SigningKey,
    policy: Digest,
    capacity: u64,
    number: u64,
    /// None until the first segment is begun, and while the last one is spoilt and waits to be cut.
    sink: Option<Box<dyn Sink>>,
    header_end: u64,
    durable: Mark,
    tip: Mark,
    buffer: Vec<u8>,
    checkpoint: Vec<u8>,
}

impl Writer {
    /// Continues after a mark, in a segment that is still to be begun: the one after `number`.
    pub(super) fn new(
        store: Arc<dyn Store>,
        mut spare: Spare,
        key: SigningKey,
        capacity: u64,
        number: u64,
        last: (u64, Digest),
    ) -> Self {
        let mark = Mark { seq: last.0, head: last.1, offset: 0, unsealed: 0 };
        spare.ask();
        Self {
            store,
            spare,
            key,
            policy: Digest::START,
            capacity,
            number,
            sink: None,
            header_end: 0,
            durable: mark,
            tip: mark,
            buffer: Vec::with_capacity(BUFFER),
            checkpoint: Vec::new(),
        }
    }

    pub(super) fn tip(&self) -> Mark {
        self.tip
    }

    /// Up to where the trail is durable.
    pub(super) fn end(&self) -> End {
        // A finished segment ends where its file does.
        let offset = if self.durable.offset > 0 { self.durable.offset } else { u64::MAX };
        End { segment: self.number, offset }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn adopt_policy(&mut self, policy: Digest) {
        self.policy = policy;
    }

    /// Whether a line of about that length still fits into the segment.
    pub(super) fn fits(&self, length: usize) -> bool {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let is_new = self.tip.offset == self.header_end;
        let end = self.tip.offset.saturating_add(length).saturating_add(512 + OWN_USE);
        self.sink.is_some() && (is_new || end <= self.capacity)
    }

    /// Whether a line of about that length still fits into the end that is for the trail's own use.
    pub(super) fn fits_into_reserve(&self, length: usize) -> bool {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.sink.is_some() && self.tip.offset.saturating_add(length).saturating_add(2048) <= self.capacity
    }

    /// Adds a line, not yet durable, and returns its sequence number.
    pub(super) fn append(&mut self, stamp: &Stamp, member: &[u8]) -> u64 {
        let start = self.buffer.len();
        let seq = self.tip.seq + 1;
        let head = line::write(&mut self.buffer, seq, stamp, member, &self.tip.head);
        let length = u64::try_from(self.buffer.len() - start).unwrap_or(u64::MAX);
        self.tip = Mark { seq, head, offset: self.tip.offset + length, unsealed: self.tip.unsealed + 1 };
        seq
    }

    /// Adds a line that the trail says of itself.
    pub(super) fn append_entry(&mut self, stamp: &Stamp, entry: &Entry) -> io::Result<u64> {
        Ok(self.append(stamp, &line::member(entry)?))
    }

    /// Seals all lines so far with a checkpoint.
    pub(super) fn seal(&mut self, stamp: &Stamp) -> io::Result<u64> {
        let Mark { seq, head, .. } = self.tip;
        let statement = Statement { sealed: seq, head, policy: self.policy, segment: self.number };
        let checkpoint = statement.seal(stamp, &self.key).map_err(io::Error::other)?;
        let start = self.buffer.len();
        let seq = self.append_entry(stamp, &Entry::Checkpoint(checkpoint))?;
        self.checkpoint = self.buffer.get(start..).unwrap_or_default().to_vec();
        self.tip.unsealed = 0;
        Ok(seq)
    }

    /// The current key vouches for a new one, which seals from here on once the lines are durable.
    pub(super) fn introduce(&mut self, stamp: &Stamp, key: &SigningKey) -> io::Result<u64> {
        let introduction = Introduction::new(&self.key, key.public()).map_err(io::Error::other)?;
        self.append_entry(stamp, &Entry::Key(introduction))
    }

    pub(super) fn change_key(&mut self, key: SigningKey) {
        self.key = key;
    }

    /// Whether [`Writer::take_checkpoint`] would return one.
    pub(super) fn has_checkpoint(&self) -> bool {
        !self.checkpoint.is_empty()
    }

    /// A copy of the last checkpoint line, if one was written since this was last asked.
    pub(super) fn take_checkpoint(&mut self) -> Option<Vec<u8>> {
        let checkpoint = std::mem::take(&mut self.checkpoint);
        (!checkpoint.is_empty()).then_some(checkpoint)
    }

    /// What was added since the last [`Writer::flush`].
    pub(super) fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Makes what was added durable. After an error nothing that was added counts.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let sink = self.sink.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let done = sink.put(&self.buffer, self.durable.offset).and_then(|()| sink.sync());
        match done {
            Ok(()) => self.durable = self.tip,
            Err(_) => self.spoil(),
        }
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER);
        done
    }

    /// Forgets what was added and not made durable.
    pub(super) fn forget(&mut self) {
        self.buffer.clear();
        self.checkpoint.clear();
        self.tip = self.durable;
    }

    /// After a failed sync the pages' fate is unknown and a second sync would not tell: this segment ends
    /// where it was last durable, and what follows goes into another.
    fn spoil(&mut self) {
        self.sink = None;
        self.checkpoint.clear();
        self.tip = self.durable;
    }

    /// Goes over to the next segment, for which there must be a file.
    pub(super) fn next_segment(&mut self, stamp: &Stamp) -> Result<(), NoSpare> {
        self.spare.ready()?;
        self.finish(stamp)?;
        let header = Header {
            format: FORMAT,
            number: self.number + 1,
            previous: self.tip.head,
            key: self.key.public().id(),
        };
        self.tip.offset = 0;
        self.append_entry(stamp, &Entry::Segment(header))?;
        let begun = self.store.begin(self.number + 1, &self.buffer);
        self.buffer.clear();
        match begun {
            Ok(sink) => self.begun(sink),
            Err(cause) => {
                let discarded = self.store.discard();
                self.spoil();
                return Err(discarded.err().unwrap_or(cause).into());
            }
        }
        Ok(())
    }

    fn begun(&mut self, sink: Box<dyn Sink>) {
        self.number += 1;
        self.sink = Some(sink);
        self.header_end = self.tip.offset;
        self.durable = self.tip;
        self.spare.ask();
    }

    /// Seals and closes the present segment. One that was spoilt is cut to what was durable.
    pub(super) fn finish(&mut self, stamp: &Stamp) -> io::Result<()> {
        if self.sink.is_some() && self.tip.unsealed > 0 {
            self.seal(stamp)?;
            self.flush()?;
        }
        if self.durable.offset > 0 {
            let sink = self.sink.take();
            let mut sink = sink.map_or_else(|| self.store.reopen(self.number), Ok)?;
            sink.finish(self.durable.offset)?;
            self.durable.offset = 0;
            self.tip.offset = 0;
        }
        Ok(())
    }
}
