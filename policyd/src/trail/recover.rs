// SPDX-License-Identifier: Apache-2.0
//! What the last run left behind: where the trail goes on, and what must be recorded about it first.
//!
//! Each run begins a new segment. A line that was not whole was never acknowledged and is cut off. Lines
//! that were sealed and are damaged or missing now are evidence: nothing of them is touched, the trail
//! goes on behind them, and verification keeps finding them.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::{Entry, of_trail};
use virtwarden_core::trail::key::SigningKey;
use virtwarden_core::trail::line::Line;

use crate::trail::config::Config;
use crate::trail::error::TrailError;
use crate::trail::keys::KeyFiles;
use crate::trail::scan::{START, Scan, rest};
use crate::trail::spare::{Room, Spare};
use crate::trail::store::Store;
use crate::trail::writer::Writer;

/// How many segments are searched for attempts without an outcome.
const SEARCHED: usize = 8;

/// Where the trail goes on.
#[derive(Debug)]
pub(super) struct Recovered {
    key: SigningKey,
    /// The number of the last segment there is.
    number: u64,
    /// The sequence number and hash of the line to continue.
    last: (u64, Digest),
    /// What must be recorded first.
    opening: Vec<Event>,
}

/// Makes sure that only one process writes the trail.
pub(super) fn lock(config: &Config) -> Result<Flock<fs::File>, TrailError> {
    let path = config.state.join("trail.lock");
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.state);
    made.map_err(TrailError::file(&config.state))?;
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(TrailError::file(&path))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| {
        let busy = error == Errno::EWOULDBLOCK;
        if busy { TrailError::Busy(config.directory.clone()) } else { TrailError::file(&path)(error.into()) }
    })
}

/// Finds the end of the trail and puts right what a crash left behind.
pub(super) fn recover(config: &Config, store: &dyn Store) -> Result<Recovered, TrailError> {
    let anchor = anchor(config)?;
    let found = find(store, anchor.as_ref()).map_err(TrailError::file(&config.directory))?;
    let keys = KeyFiles::new(config);
    let key = match found.scans.last().and_then(|scan| scan.key) {
        Some(sealing) => keys.current(sealing)?,
        None => keys.first()?,
    };
    Ok(found.conclude(key, anchor))
}

impl Recovered {
    /// The writer that goes on, and what it must record first.
    pub(super) fn resume(self, config: &Config, store: &Arc<dyn Store>) -> io::Result<(Writer, Vec<Event>)> {
        let Recovered { key, number, last, opening } = self;
        let spare = Spare::start(Arc::clone(store), Room::new(config))?;
        let mut writer = Writer::new(Arc::clone(store), spare, key, config.segment_bytes, number, last);
        writer.adopt_policy(config.policy);
        Ok((writer, opening))
    }
}

/// The last checkpoint that was kept apart from the trail.
#[derive(Debug)]
struct Anchor {
    seq: u64,
    hash: Digest,
    segment: u64,
}

/// Reads the anchor. One that cannot be read is no reason to stop: the trail says so and makes a new one.
fn anchor(config: &Config) -> Result<Option<Anchor>, TrailError> {
    let path = config.anchor();
    let text = match fs::read(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(TrailError::file(&path))?,
    };
    let line = Line::parse(text.trim_ascii_end()).ok();
    Ok(line.and_then(|Line { seq, hash, entry, .. }| match entry {
        Entry::Checkpoint(checkpoint) => Some(Anchor { seq, hash, segment: checkpoint.segment }),
        Entry::Segment(_) | Entry::Record(_) | Entry::Key(_) | Entry::Removal(_) => None,
    }))
}

#[derive(Debug, Default)]
struct Found {
    number: u64,
    /// The segments of the last run, oldest first.
    scans: Vec<Scan>,
    /// What was lost or damaged.
    findings: Vec<Event>,
}

/// Reads the segments of the last run from the end of the trail backwards.
fn find(store: &dyn Store, anchor: Option<&Anchor>) -> io::Result<Found> {
    store.discard()?;
    let mut found = Found::default();
    let segments = store.segments()?;
    found.number =
        segments.last().map_or(0, |last| last.number).max(anchor.map_or(0, |anchor| anchor.segment));
    for stored in segments.iter().rev().take(SEARCHED) {
        let scan = Scan::of(store, stored.number)?;
        if found.scans.is_empty() {
            let sealed = anchor.map_or(0, |anchor| anchor.seq);
            found.findings.extend(tidy(store, stored.number, stored.bytes, &scan, sealed)?);
        }
        let started = scan.started;
        if scan.last.is_some() {
            found.scans.push(scan);
        }
        if started {
            break;
        }
    }
    found.scans.reverse();
    Ok(found)
}

/// Cuts off what was never acknowledged at the end of a segment; leaves what was sealed as it is.
fn tidy(store: &dyn Store, number: u64, bytes: u64, scan: &Scan, sealed: u64) -> io::Result<Option<Event>> {
    let (lost, digest) = rest(store, number, scan.end)?;
    let last = scan.last.map_or(0, |(seq, _)| seq);
    if lost > 0 && last < sealed || scan.last.is_none() {
        let detail = format!("segment {number} is not as it was sealed, from sequence {} on", last + 1);
        return Ok(Some(of_trail("trail damaged", Outcome::Failure, detail)));
    }
    if bytes > scan.end {
        store.reopen(number)?.finish(scan.end)?;
    }
    let detail = format!(
        "{lost} bytes that were never acknowledged are cut off the end of segment {number}, digest {digest}"
    );
    Ok((lost > 0).then(|| of_trail("trail torn", Outcome::Success, detail)))
}

impl Found {
    fn conclude(self, key: SigningKey, anchor: Option<Anchor>) -> Recovered {
        let clean = self.scans.last().is_none_or(|scan| scan.stopped);
        let (mut seq, mut head) = self.scans.last().and_then(|scan| scan.last).unwrap_or_default();
        let mut opening = self.findings;
        if let Some(anchor) = anchor
            && anchor.seq > seq
        {
            let detail = format!("the trail reached sequence {} but ends at {seq}", anchor.seq);
            opening.push(of_trail("trail truncated", Outcome::Failure, detail));
            (seq, head) = (anchor.seq, anchor.hash);
        }
        let ended = match (seq, clean) {
            (0, _) => "a new trail",
            (_, true) => "the run before ended in good order",
            (_, false) => "the run before ended without a stop",
        };
        let detail = format!("version {}; {ended}", env!("CARGO_PKG_VERSION"));
        opening.insert(0, of_trail(START, Outcome::Success, detail));
        opening.extend(unfinished(self.scans).into_iter().map(|(seq, event)| unknown(seq, event)));
        Recovered { key, number: self.number, last: (seq, head), opening }
    }
}

fn unfinished(scans: Vec<Scan>) -> BTreeMap<u64, Event> {
    let mut open = BTreeMap::new();
    for mut scan in scans {
        scan.finished.iter().for_each(|seq| drop(open.remove(seq)));
        open.append(&mut scan.unfinished);
    }
    open
}

/// The outcome of an act that was under way when the run ended.
fn unknown(seq: u64, attempt: Event) -> Event {
    Event {
        kind: Kind::Outcome,
        outcome: Outcome::Unknown,
        detail: "policyd ended before the outcome was known".to_owned(),
        of: Some(seq),
        ..attempt
    }
}
