// SPDX-License-Identifier: Apache-2.0
//! Old segments go, by rule or because an Administrator wants it: whole ones, the oldest first, each on record
//! before it does. So a trail that begins late says why, and one that does not say it was cut by somebody else.

use std::fmt;
use std::io::{self, BufReader};

use virtwarden_core::control::Before;
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::{Entry, Header, Removal};
use virtwarden_core::trail::line::Line;
use virtwarden_core::trail::time::Time;
use virtwarden_core::trail::verify::{Chunk, Chunks};

use crate::trail::clock::Clock;
use crate::trail::store::{Store, Stored};
use crate::trail::trouble::Trouble;
use crate::trail::writer::Writer;

/// Segments at the beginning of the trail that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removable {
    /// The number of the first.
    pub from: u64,
    /// The number of the last.
    pub through: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// The sequence number of the last line in them.
    pub last: u64,
    /// Its hash.
    pub head: Digest,
    /// When the first segment that stays was begun.
    pub until: Time,
}

impl fmt::Display for Removable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, through, bytes, last, head, until } = self;
        let kib = bytes.div_ceil(1024);
        write!(
            f,
            "-segments {from} to {through}: {kib} KiB, through sequence {last} before {until}, hash {head}"
        )
    }
}

/// What lies before a point. The segment that is being written always stays.
pub(super) fn plan(store: &dyn Store, current: u64, before: Before) -> io::Result<Option<Removable>> {
    let segments = store.segments()?;
    let mut found: Option<Removable> = None;
    for pair in segments.windows(2) {
        let [Stored { number, bytes }, Stored { number: next, .. }] = *pair else { continue };
        if number >= current {
            break;
        }
        let (line, header) = header(store, next)?;
        let is_before = match before {
            Before::Segment(first) => number < first,
            Before::Time(time) => line.stamp.time.micros() < time,
        };
        if !is_before {
            break;
        }
        let (from, so_far) = found.map_or((number, 0), |found| (found.from, found.bytes));
        found = Some(Removable {
            from,
            through: number,
            bytes: so_far.saturating_add(bytes),
            last: line.seq.saturating_sub(1),
            head: header.previous,
            until: line.stamp.time,
        });
    }
    Ok(found)
}

/// Records durably that the oldest segment goes, then deletes it. Returns the number of that record.
pub(super) fn remove_oldest(
    writer: &mut Writer,
    store: &dyn Store,
    clock: &dyn Clock,
    reason: &str,
) -> Result<u64, Trouble> {
    let segments = store.segments()?;
    let Some([Stored { number: oldest, .. }, Stored { number: second, .. }]) = segments.first_chunk() else {
        return Err(Trouble::Room);
    };
    if *oldest >= writer.number() {
        return Err(Trouble::Room);
    }
    let (line, header) = header(store, *second)?;
    let removal = Removal {
        from: *oldest,
        through: second.saturating_sub(1),
        last: line.seq.checked_sub(1),
        head: header.previous,
        reason: reason.to_owned(),
    };
    let seq = writer.append_entry(&clock.now(), &Entry::Removal(removal))?;
    writer.flush()?;
    store.remove(*oldest)?;
    Ok(seq)
}

/// The first line of a segment, which says what it continues.
fn header(store: &dyn Store, number: u64) -> io::Result<(Line, Header)> {
    let no_header = || io::Error::new(io::ErrorKind::InvalidData, "a segment has no header");
    let mut chunks = Chunks::new(BufReader::new(store.read(number)?));
    let Some(Chunk::Line(text)) = chunks.next().transpose()? else { return Err(no_header()) };
    let line = Line::parse(&text).map_err(|_| no_header())?;
    match &line.entry {
        Entry::Segment(header) => {
            let header = header.clone();
            Ok((line, header))
        }
        Entry::Record(_) | Entry::Checkpoint(_) | Entry::Key(_) | Entry::Removal(_) => Err(no_header()),
    }
}
