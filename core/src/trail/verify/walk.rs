// SPDX-License-Identifier: Apache-2.0
//! The walk along the chain: what must hold for each line, and what must hold at the end.

use std::io::{self, BufRead};

use crate::trail::digest::Digest;
use crate::trail::entry::{Checkpoint, Entry, FORMAT, Header, Introduction};
use crate::trail::key::{KeyId, PublicKey};
use crate::trail::line::{self, Line, Stamp};
use crate::trail::verify::bytes::{Chunk, Chunks};
use crate::trail::verify::report::{Place, Report, Verdict};
use crate::trail::verify::{Anchor, Expectation};

/// What is wrong, and why.
#[derive(Debug)]
pub(super) struct Flaw {
    verdict: Verdict,
    reason: String,
}

fn flaw<T>(verdict: Verdict, reason: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw { verdict, reason: reason.into() })
}

/// Where the walk began, if not at the trail's very first line.
#[derive(Debug)]
struct Start {
    segment: u64,
    previous: Digest,
    removal_seen: bool,
}

#[derive(Debug)]
pub(super) struct Walk<'a> {
    expectation: &'a Expectation,
    /// Keys that may be the current one: trusted from the start or introduced.
    known: Vec<PublicKey>,
    current: Option<KeyId>,
    start: Option<Start>,
    segment: u64,
    place: Place,
    report: Report,
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

    fn check_entry(&mut self, seq: u64, stamp: &Stamp, entry: Entry) -> Result<(), Flaw> {
        let at_start = self.place.line == 1;
        match entry {
            Entry::Segment(header) if at_start => self.header(&header),
            Entry::Segment(_) => flaw(Verdict::Changed, "a header stands only at the start of a segment"),
            _ if at_start => flaw(Verdict::Changed, "a segment begins with a header"),
            Entry::Record(_) => Ok(()),
            Entry::Checkpoint(checkpoint) => self.checkpoint(seq, stamp, &checkpoint),
            Entry::Key(introduction) => self.introduction(&introduction),
            Entry::Removal(removal) => {
                if let Some(start) = &mut self.start {
                    let fits = removal.through.checked_add(1) == Some(start.segment);
                    start.removal_seen |= fits && removal.head == start.previous;
                }
                Ok(())
            }
        }
    }

    fn header(&mut self, header: &Header) -> Result<(), Flaw> {
        let expected = self.segment + 1;
        if header.format != FORMAT {
            return flaw(Verdict::Unreadable, format!("format {} is newer than this program", header.format));
        }
        if header.number != expected {
            return flaw(
                Verdict::Gap,
                format!("segment {} stands here instead of {expected}", header.number),
            );
        }
        if header.previous != self.report.head {
            return flaw(Verdict::Changed, "the header does not continue the segment before");
        }
        if Some(header.key) != self.current {
            return flaw(Verdict::Resealed, format!("key {} was never introduced", header.key));
        }
        self.segment = header.number;
        Ok(())
    }

    fn checkpoint(&mut self, seq: u64, stamp: &Stamp, checkpoint: &Checkpoint) -> Result<(), Flaw> {
        if checkpoint.head != self.report.head
            || checkpoint.sealed.checked_add(1) != Some(seq)
            || checkpoint.segment != self.segment
        {
            return flaw(Verdict::Changed, "the checkpoint seals something else than what stands before it");
        }
        if !self.key().is_some_and(|key| checkpoint.is_signed_by(&key, stamp)) {
            return flaw(Verdict::Resealed, "the checkpoint is not signed by the key that was to seal here");
        }
        self.report.checkpoints += 1;
        self.report.sealed = Some(checkpoint.sealed);
        self.report.policy = Some(checkpoint.policy);
        self.report.unsealed = 0;
        Ok(())
    }

    fn introduction(&mut self, introduction: &Introduction) -> Result<(), Flaw> {
        if !self.key().is_some_and(|key| introduction.is_signed_by(&key)) {
            return flaw(Verdict::Resealed, "the new key is not introduced by the one before");
        }
        self.current = Some(introduction.key.id());
        self.known.push(introduction.key);
        Ok(())
    }

    fn check_anchor(&self, seq: u64, hash: Digest) -> Result<(), Flaw> {
        match self.expectation.anchor {
            Some(anchor) if anchor.seq == seq && anchor.hash != hash => {
                flaw(Verdict::Resealed, "the trail is not the one that the anchor was taken from")
            }
            Some(_) | None => Ok(()),
        }
    }

    fn key(&self) -> Option<PublicKey> {
        self.known.iter().copied().find(|key| Some(key.id()) == self.current)
    }

    /// A line without its end. A writer that died leaves one, followed by the zeros of its file.
    fn torn(&mut self, text: &[u8], zeros: bool) -> Result<(), Flaw> {
        let complete = |text: &[u8]| line::follows(text, &self.report.head);
        let all_but_last = text.split_last().map_or(text, |(_, rest)| rest);
        match (zeros, complete(text), complete(all_but_last)) {
            (true, true, _) | (false, _, true) => {
                flaw(Verdict::Changed, "the end of the line is not as it was written")
            }
            (true, false, _) => {
                self.report.torn += u64::try_from(text.len()).unwrap_or(u64::MAX);
                Ok(())
            }
            (false, _, false) => flaw(Verdict::Truncated, "the file ends in the middle of a line"),
        }
    }
}
