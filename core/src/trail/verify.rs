// SPDX-License-Identifier: Apache-2.0
//! Verifies a trail: reads it once from its beginning, in constant memory, and says what is wrong first.
//!
//! What is trusted: the public keys and, if given, the anchor, which must come from a place that whoever
//! could change the trail could not change. Without an anchor a trail cut off at a checkpoint looks like
//! one that ended there.

mod bytes;
mod report;
mod rules;
#[cfg(test)]
mod tests;
mod walk;

use std::io::{self, BufRead};

use crate::trail::digest::Digest;
use crate::trail::entry::Entry;
use crate::trail::key::PublicKey;
use crate::trail::line::{Line, LineError};

pub use bytes::{Chunk, Chunks};
pub use report::{Place, Report, Verdict};

use walk::Walk;

/// A point that the trail is known to have reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The sequence number of a line.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

impl Anchor {
    /// Reads an anchor file, which holds a copy of a checkpoint line.
    ///
    /// # Errors
    /// If it is something else.
    pub fn parse(text: &[u8]) -> Result<Self, LineError> {
        let line = Line::parse(text.trim_ascii_end())?;
        match line.entry {
            Entry::Checkpoint(_) => Ok(Anchor { seq: line.seq, hash: line.hash }),
            Entry::Segment(_) | Entry::Record(_) | Entry::Key(_) | Entry::Removal(_) => {
                Err(LineError::Json("an anchor is a checkpoint line".to_owned()))
            }
        }
    }
}

/// What the trail is compared with.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The keys trusted from the start, oldest first. A whole trail must begin with the first of them, one
    /// whose beginning was removed with any of them; a later one must be introduced by the one before it.
    pub keys: Vec<PublicKey>,
    /// A point kept elsewhere, to find a trail that was cut off or written anew.
    pub anchor: Option<Anchor>,
    /// How many lines may stand after the last checkpoint: none after an orderly stop, up to
    /// [`Expectation::RUNNING`] while the trail is being written.
    pub unsealed: u64,
}

impl Expectation {
    /// The most lines after the last checkpoint in a trail that is being written.
    pub const RUNNING: u64 = 1100;
}

/// Verifies segments, given in the order of their numbers, each with a name for the report.
///
/// ```no_run
/// # use virtwarden_core::trail::verify::{verify, Expectation};
/// # fn show(expectation: &Expectation) -> std::io::Result<()> {
/// let mut files: Vec<_> = std::fs::read_dir("/var/log/virtwarden/audit")?
///     .filter_map(|entry| Some(entry.ok()?.path()))
///     .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
///     .collect();
/// files.sort();
/// let segments = files
///     .iter()
///     .map(|path| (path.display().to_string(), std::fs::File::open(path).map(std::io::BufReader::new)));
/// std::process::exit(verify(segments, expectation).verdict.exit_code().into());
/// # }
/// ```
pub fn verify<R: BufRead>(
    segments: impl IntoIterator<Item = (String, io::Result<R>)>,
    expectation: &Expectation,
) -> Report {
    let mut walk = Walk::new(expectation);
    for (name, reader) in segments {
        let read = reader.map(|reader| walk.segment(&name, Chunks::new(reader)));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(flaw)) => return walk.report(Err(flaw)),
            Err(cause) => return walk.report(Err(walk.unreadable(&name, &cause))),
        }
    }
    let end = walk.end();
    walk.report(end)
}
