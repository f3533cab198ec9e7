// SPDX-License-Identifier: Apache-2.0
//! The walk along the chain: what must hold for each line, and what must hold at the end.

use std::io::{self, BufRead};

use crate::trail::digest::Digest;
use crate::trail::entry::{Entry, Header};
use crate::trail::key::{KeyId, PublicKey};
use crate::trail::line::{self, Line};
use crate::trail::verify::bytes::{Chunk, Chunks};
use crate::trail::verify::report::{Place, Report, Verdict};
use crate::trail::verify::{Anchor, Expectation};

/// What is wrong, and why.
#[derive(Debug)]
pub(super) struct Flaw {
    verdict: Verdict,
    reason: String,
}

pub(super) fn flaw<T>(verdict: Verdict, reason: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw { verdict, reason: reason.into() })
}

/// Where the walk began, if not at the trail's very first line.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) segment: u64,
    pub(super) previous: Digest,
    pub(super) removal_seen: bool,
}

#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) expectation: &'a Expectation,
    /// Keys that may be the current one: trusted from the start or introduced.
    pub(super) known: Vec<PublicKey>,
    pub(super) current: Option<KeyId>,
    pub(super) start: Option<Start>,
    pub(super) segment: u64,
    pub(super) place: Place,
    pub(super) report: Report,
}

impl<'a> Walk<'a> {
    pub(super) fn new(expectation: &'a Expectation) -> Self {
        Self {
            expectation,
            known: expectation.keys.clone(),
            current: None,
            start: None,
            segment: 0,
            place: Place::default(),
            report: Report {
                verdict: Verdict::Intact,
                place: None,
                reason: String::new(),
                segments: 0,
                lines: 0,
                first: None,
                last: None,
                head: Digest::START,
                time: None,
                checkpoints: 0,
                sealed: None,
                policy: None,
                unsealed: 0,
                removed: None,
                torn: 0,
            },
        }
    }

    /// Walks through one segment.
    pub(super) fn segment<R: BufRead>(&mut self, name: &str, chunks: Chunks<R>) -> Result<(), Flaw> {
        self.place = Place { file: name.to_owned(), line: 0, seq: self.next() };
        self.report.segments += 1;
        if self.report.torn > 0 {
            return flaw(Verdict::Changed, "the segment before this one ends in a torn line");
        }
        for chunk in chunks {
            let chunk = chunk.map_err(|cause| self.unreadable(name, &cause))?;
            self.place = Place { line: self.place.line + 1, seq: self.next(), ..self.place.clone() };
            match chunk {
                Chunk::Line(text) => self.line(&text)?,
                Chunk::Torn { text, zeros } => self.torn(&text, zeros)?,
                Chunk::Garbage => return flaw(Verdict::Changed, "this is not a line of a trail"),
            }
        }
        if self.place.line == 0 {
            return flaw(Verdict::Truncated, "the segment is empty");
        }
        Ok(())
    }

    /// What must hold after the last segment.
    pub(super) fn end(&mut self) -> Result<(), Flaw> {
        self.place = Place { line: self.place.line + 1, seq: self.next(), ..self.place.clone() };
        if let Some(Anchor { seq, .. }) = self.expectation.anchor
            && self.report.last.is_none_or(|last| last < seq)
        {
            return flaw(Verdict::Truncated, format!("the trail once reached sequence {seq}"));
        }
        if self.report.lines == 0 {
            return flaw(Verdict::Unreadable, "there is no trail here");
        }
        if self.start.as_ref().is_some_and(|start| !start.removal_seen) {
            self.place = Place { seq: self.report.first.unwrap_or(1), ..Place::default() };
            return flaw(
                Verdict::Gap,
                "the first segments are missing and no record says that they were removed",
            );
        }
        if self.report.unsealed > self.expectation.unsealed {
            return flaw(Verdict::Unsealed, format!("{} lines were never sealed", self.report.unsealed));
        }
        Ok(())
    }

    pub(super) fn unreadable(&self, name: &str, cause: &io::Error) -> Flaw {
        Flaw { verdict: Verdict::Unreadable, reason: format!("cannot read `{name}`: {cause}") }
    }

    pub(super) fn report(&self, result: Result<(), Flaw>) -> Report {
        let report = self.report.clone();
        match result {
            Ok(()) => report,
            Err(Flaw { verdict, reason }) => {
                Report { verdict, reason, place: Some(self.place.clone()), ..report }
            }
        }
    }

    fn next(&self) -> u64 {
        self.report.last.map_or(1, |last| last.saturating_add(1))
    }

    fn line(&mut self, text: &[u8]) -> Result<(), Flaw> {
        let Line { seq, stamp, entry, hash } = match Line::parse(text) {
            Ok(line) => line,
            Err(cause) => return flaw(Verdict::Changed, cause.to_string()),
        };
        if self.report.first.is_none() {
            self.begin(seq, &entry)?;
        }
        self.check_sequence(seq, text)?;
        if !line::follows(text, &self.report.head) {
            return flaw(Verdict::Changed, "the line or the one before it is not as it was written");
        }
        self.report.unsealed += 1;
        self.check_entry(seq, &stamp, entry)?;
        self.check_anchor(seq, hash)?;
        self.report.lines += 1;
        self.report.last = Some(seq);
        self.report.head = hash;
        self.report.time = Some(stamp.time);
        Ok(())
    }

    /// The first line must be a header; it says what is continued.
    fn begin(&mut self, seq: u64, entry: &Entry) -> Result<(), Flaw> {
        let Entry::Segment(header) = entry else {
            return flaw(Verdict::Changed, "a segment begins with a header");
        };
        if header.number > 1 {
            let Header { number, previous, .. } = *header;
            self.start = Some(Start { segment: number, previous, removal_seen: false });
            self.report.last = seq.checked_sub(1);
            self.report.head = previous;
        }
        self.segment = header.number.saturating_sub(1);
        self.report.first = Some(seq);
        self.current = Some(header.key);
        let first = self.expectation.keys.first().map(PublicKey::id);
        if self.key().is_none() || header.number == 1 && first != self.current {
            return flaw(Verdict::Resealed, format!("key {} is not the trusted one", header.key));
        }
        Ok(())
    }

    fn check_sequence(&self, seq: u64, text: &[u8]) -> Result<(), Flaw> {
        let expected = self.next();
        if seq == expected {
            return Ok(());
        }
        let changed = text.strip_prefix(format!("{{\"seq\":{seq},").as_bytes()).is_some_and(|rest| {
            let original = [format!("{{\"seq\":{expected},").as_bytes(), rest].concat();
            line::follows(&original, &self.report.head)
        });
        if changed || seq < expected {
            return flaw(
                Verdict::Changed,
                format!("sequence number {seq} stands here instead of {expected}"),
            );
        }
        flaw(Verdict::Gap, format!("sequence numbers {expected} to {} are missing", seq - 1))
    }

    /// The key that is to seal here.
    pub(super) fn key(&self) -> Option<PublicKey> {
        self.known.iter().copied().find(|key| Some(key.id()) == self.current)
    }
}
