// SPDX-License-Identifier: Apache-2.0
//! What happens when there is no room for the next segment: refuse, or let the oldest go.

use std::io::{self, BufReader};

use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::{Entry, Removal};
use virtwarden_core::trail::line::Line;
use virtwarden_core::trail::verify::{Chunk, Chunks};

use crate::trail::clock::Clock;
use crate::trail::config::{Config, WhenFull};
use crate::trail::spare::NoSpare;
use crate::trail::store::{Store, Stored};
use crate::trail::trouble::Trouble;
use crate::trail::writer::Writer;

/// How many segments may go to make room for one.
const MOST: usize = 8;

/// Goes over to the next segment, making room for it by the rule that is set.
pub(super) fn next_segment(
    writer: &mut Writer,
    store: &dyn Store,
    config: &Config,
    clock: &dyn Clock,
) -> Result<(), Trouble> {
    for _ in 0..MOST {
        match (writer.next_segment(&clock.now()), config.when_full) {
            (Ok(()), _) => return Ok(()),
            (Err(NoSpare::Room), WhenFull::OverwriteOldest) => remove_oldest(writer, store, clock)?,
            (Err(cause), _) => return Err(cause.into()),
        }
    }
    Err(Trouble::Room)
}

/// Records durably that the oldest segment goes, then deletes it.
fn remove_oldest(writer: &mut Writer, store: &dyn Store, clock: &dyn Clock) -> Result<(), Trouble> {
    let segments = store.segments()?;
    let Some([Stored { number: oldest, .. }, Stored { number: second, .. }]) = segments.first_chunk() else {
        return Err(Trouble::Room);
    };
    if *oldest >= writer.number() {
        return Err(Trouble::Room);
    }
    let removal = Removal {
        from: *oldest,
        through: second.saturating_sub(1),
        head: previous(store, *second)?,
        reason: "the oldest segment makes room".to_owned(),
    };
    writer.append_entry(&clock.now(), &Entry::Removal(removal))?;
    writer.flush()?;
    Ok(store.remove(*oldest)?)
}

/// The hash that a segment continues, from its header.
fn previous(store: &dyn Store, number: u64) -> io::Result<Digest> {
    let no_header = || io::Error::new(io::ErrorKind::InvalidData, "a segment has no header");
    let mut chunks = Chunks::new(BufReader::new(store.read(number)?));
    let Some(Chunk::Line(text)) = chunks.next().transpose()? else { return Err(no_header()) };
    match Line::parse(&text).map(|line| line.entry) {
        Ok(Entry::Segment(header)) => Ok(header.previous),
        Ok(Entry::Record(_) | Entry::Checkpoint(_) | Entry::Key(_) | Entry::Removal(_)) | Err(_) => {
            Err(no_header())
        }
    }
}
