// SPDX-License-Identifier: Apache-2.0
//! What must hold for each kind of line, once its place in the chain is right.

use crate::trail::digest::Digest;
use crate::trail::entry::{Checkpoint, Entry, FORMAT, Header, Introduction};
use crate::trail::line::{self, Stamp};
use crate::trail::verify::report::Verdict;
use crate::trail::verify::walk::{Flaw, Walk, flaw};

impl Walk<'_> {
    /// What must hold for what a line says.
    pub(super) fn check_entry(&mut self, seq: u64, stamp: &Stamp, entry: Entry) -> Result<(), Flaw> {
        let at_start = self.place.line == 1;
        match entry {
            Entry::Segment(header) if at_start => self.header(&header),
            Entry::Segment(_) => flaw(Verdict::Changed, "a header stands only at the start of a segment"),
            _ if at_start => flaw(Verdict::Changed, "a segment begins with a header"),
            Entry::Record(_) => Ok(()),
            Entry::Checkpoint(checkpoint) => self.checkpoint(seq, stamp, &checkpoint),
            Entry::Key(introduction) => self.introduction(&introduction),
            Entry::Removal(removal) => {
                let before = self.report.first.and_then(|first| first.checked_sub(1));
                if let Some(start) = &mut self.start
                    && removal.through.checked_add(1) == Some(start.segment)
                    && removal.head == start.previous
                    && removal.last.is_none_or(|last| Some(last) == before)
                {
                    start.removal_seen = true;
                    self.report.removed = Some(removal);
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

    pub(super) fn check_anchor(&self, seq: u64, hash: Digest) -> Result<(), Flaw> {
        match self.expectation.anchor {
            Some(anchor) if anchor.seq == seq && anchor.hash != hash => {
                flaw(Verdict::Resealed, "the trail is not the one that the anchor was taken from")
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A line without its end. A writer that died leaves one, followed by the zeros of its file.
    pub(super) fn torn(&mut self, text: &[u8], zeros: bool) -> Result<(), Flaw> {
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
