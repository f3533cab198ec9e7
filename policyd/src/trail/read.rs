// SPDX-License-Identifier: Apache-2.0
//! Reads the trail, forwards or backwards, a line at a time. Only what is durable is seen.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Take};
use std::sync::{Arc, Mutex, PoisonError};

use virtwarden_core::control::AuditFilter;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::line::Line;
use virtwarden_core::trail::verify::{Chunk, Chunks, Expectation, Report, verify};

use crate::trail::reverse::Backwards;
use crate::trail::store::Store;

/// Up to where the trail is durable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// The same, as it grows.
#[derive(Debug, Default)]
pub(super) struct EndOfTrail(Mutex<End>);

impl EndOfTrail {
    pub(super) fn set(&self, end: End) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    pub(super) fn now(&self) -> End {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line, read and as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub line: Line,
    /// Its bytes, without the line feed.
    pub text: Vec<u8>,
}

impl Record {
    fn parse(segment: u64, text: Vec<u8>) -> Result<Self, ReadError> {
        match Line::parse(&text) {
            Ok(line) => Ok(Self { line, text }),
            Err(_) => Err(ReadError::Damaged { segment }),
        }
    }

    /// Whether it tells of something that happened, other than that a segment began or was sealed.
    pub fn is_event(&self) -> bool {
        match self.line.entry {
            Entry::Record(_) | Entry::Key(_) | Entry::Removal(_) => true,
            Entry::Segment(_) | Entry::Checkpoint(_) => false,
        }
    }

    fn matches(&self, filter: &AuditFilter) -> bool {
        self.is_event() && filter.matches(&self.line.entry.event(), self.line.stamp.time.micros())
    }
}

/// Why a line could not be read. Reading can go on after it.
#[derive(Debug)]
pub enum ReadError {
    /// A file could not be read.
    File(io::Error),
    /// A line is damaged; `virtwarden audit verify` says where.
    Damaged {
        /// The number of its segment.
        segment: u64,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::File(cause) => write!(f, "cannot read the audit trail: {cause}"),
            ReadError::Damaged { segment } => {
                write!(f, "a line in segment {segment} is damaged; run `virtwarden audit verify`")
            }
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(cause: io::Error) -> Self {
        ReadError::File(cause)
    }
}

/// Reads the trail as it was at one moment.
pub struct Reader {
    store: Arc<dyn Store>,
    end: End,
}

impl Reader {
    pub(super) fn new(store: Arc<dyn Store>, end: End) -> Self {
        Self { store, end }
    }

    /// All lines, oldest first.
    ///
    /// # Errors
    /// If the segments cannot be listed.
    pub fn forwards(&self) -> io::Result<impl Iterator<Item = Result<Record, ReadError>> + use<>> {
        self.forwards_from(0, 0)
    }

    /// All lines, newest first.
    ///
    /// # Errors
    /// If the segments cannot be listed.
    pub fn backwards(&self) -> io::Result<impl Iterator<Item = Result<Record, ReadError>> + use<>> {
        let places = self.places_backwards()?;
        Ok(places.map(|place| place.and_then(|Place { segment, text, .. }| Record::parse(segment, text))))
    }

    /// All lines behind one, oldest first. Looks for it from the end.
    ///
    /// # Errors
    /// If the segments cannot be read.
    pub(super) fn after(
        &self,
        seq: u64,
    ) -> io::Result<impl Iterator<Item = Result<Record, ReadError>> + use<>> {
        let mut start = (u64::MAX, 0);
        for Place { segment, offset, text } in self.places_backwards()?.filter_map(Result::ok) {
            if Record::parse(segment, text).is_ok_and(|record| record.line.seq <= seq) {
                break;
            }
            start = (segment, offset);
        }
        self.forwards_from(start.0, start.1)
    }

    /// The events that a filter asks for, oldest first; if it has a limit, the newest that many.
    ///
    /// # Errors
    /// If the segments cannot be read.
    pub fn select(
        &self,
        filter: &AuditFilter,
    ) -> Result<impl Iterator<Item = Result<Record, ReadError>> + use<>, ReadError> {
        let (segment, offset) = match filter.limit {
            Some(limit) => self.place_of_last(filter, limit)?,
            None => (0, 0),
        };
        let filter = filter.clone();
        let found = self.forwards_from(segment, offset)?;
        Ok(found.filter(move |record| record.as_ref().map_or(true, |record| record.matches(&filter))))
    }

    /// Verifies what there was at that moment.
    ///
    /// # Errors
    /// If the segments cannot be listed.
    pub fn verify(&self, expectation: &Expectation) -> io::Result<Report> {
        let segments = self.numbers()?.into_iter().map(|number| {
            let file = open(&*self.store, self.end, number, 0);
            (format!("{number:08}.jsonl"), file)
        });
        Ok(verify(segments, expectation))
    }

    /// Where the newest so many matching lines begin.
    fn place_of_last(&self, filter: &AuditFilter, limit: u32) -> Result<(u64, u64), ReadError> {
        let mut left = limit;
        for place in self.places_backwards()? {
            let Place { segment, offset, text } = place?;
            let matches = Record::parse(segment, text).is_ok_and(|record| record.matches(filter));
            if left == 0 {
                break;
            }
            left -= u32::from(matches);
            if left == 0 {
                return Ok((segment, offset));
            }
        }
        Ok(if limit == 0 { (u64::MAX, 0) } else { (0, 0) })
    }

    fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut segments = self.store.segments()?;
        segments.retain(|stored| stored.number <= self.end.segment);
        Ok(segments.into_iter().map(|stored| stored.number).collect())
    }

    fn forwards_from(
        &self,
        segment: u64,
        offset: u64,
    ) -> io::Result<impl Iterator<Item = Result<Record, ReadError>> + use<>> {
        let mut numbers = self.numbers()?;
        numbers.retain(|number| *number >= segment);
        let (store, end) = (Arc::clone(&self.store), self.end);
        Ok(numbers.into_iter().flat_map(move |number| {
            let start = if number == segment { offset } else { 0 };
            let (chunks, failed) = match open(&*store, end, number, start) {
                Ok(reader) => (Some(Chunks::new(reader)), None),
                Err(cause) => (None, Some(Err(cause.into()))),
            };
            let records = chunks.into_iter().flatten().map(move |chunk| match chunk? {
                Chunk::Line(text) => Record::parse(number, text),
                Chunk::Torn { .. } | Chunk::Garbage => Err(ReadError::Damaged { segment: number }),
            });
            failed.into_iter().chain(records)
        }))
    }

    fn places_backwards(&self) -> io::Result<impl Iterator<Item = Result<Place, ReadError>> + use<>> {
        let (store, end) = (Arc::clone(&self.store), self.end);
        Ok(self.numbers()?.into_iter().rev().flat_map(move |number| {
            let limit = if number == end.segment { end.offset } else { u64::MAX };
            let (lines, failed) = match store.read(number).and_then(|file| Backwards::new(file, limit)) {
                Ok(lines) => (Some(lines), None),
                Err(cause) => (None, Some(Err(cause.into()))),
            };
            let places = lines.into_iter().flatten().map(move |line| {
                let (offset, text) = line?;
                Ok(Place { segment: number, offset, text })
            });
            failed.into_iter().chain(places)
        }))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({:?})", self.end)
    }
}

/// A line and where it begins.
struct Place {
    segment: u64,
    offset: u64,
    text: Vec<u8>,
}

fn open(store: &dyn Store, end: End, number: u64, offset: u64) -> io::Result<BufReader<Take<File>>> {
    let limit = if number == end.segment { end.offset } else { u64::MAX };
    let mut file = store.read(number)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(BufReader::with_capacity(1 << 16, file.take(limit.saturating_sub(offset))))
}
