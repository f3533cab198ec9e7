// SPDX-License-Identifier: Apache-2.0
//! Trails whose chain is good and whose lines still are not what a trail may say, rule by rule.

use super::*;
use crate::object::Uuid;
use crate::record::Outcome;
use crate::trail::entry::{Checkpoint, FORMAT, Header, Introduction, Removal, of_trail};
use crate::trail::key::SigningKey;
use crate::trail::line::{self, Stamp};
use crate::trail::seal::Statement;
use crate::trail::time::Time;

const STAMP: Stamp = Stamp { time: Time::from_micros(1), boot: Uuid([1; 16]), up: 1 };

/// Writes whatever it is told to, with a good chain and the keys it has.
struct Scribe {
    keys: [SigningKey; 2],
    segments: Vec<Vec<u8>>,
    seq: u64,
    head: Digest,
}

impl Scribe {
    fn new() -> Self {
        let keys = [(); 2].map(|()| SigningKey::generate().unwrap());
        Self { keys, segments: Vec::new(), seq: 0, head: Digest::START }
    }

    fn header(&self, number: u64) -> Header {
        Header { format: FORMAT, number, previous: self.head, key: self.keys[0].public().id() }
    }

    fn begin(&mut self, header: Header) -> &mut Self {
        self.segments.push(Vec::new());
        self.say(Entry::Segment(header))
    }

    fn say(&mut self, entry: Entry) -> &mut Self {
        self.seq += 1;
        let member = line::member(&entry).unwrap();
        self.head = line::write(self.segments.last_mut().unwrap(), self.seq, &STAMP, &member, &self.head);
        self
    }

    fn record(&mut self) -> &mut Self {
        self.say(Entry::Record(Box::new(of_trail("trail test", Outcome::Success, String::new()))))
    }

    fn statement(&self) -> Statement {
        let segment = u64::try_from(self.segments.len()).unwrap();
        Statement { sealed: self.seq, head: self.head, policy: Digest::START, segment }
    }

    fn seal(&mut self, statement: Statement, key: usize) -> &mut Self {
        let checkpoint: Checkpoint = statement.seal(&STAMP, &self.keys[key]).unwrap();
        self.say(Entry::Checkpoint(checkpoint))
    }

    fn good_start(&mut self) -> &mut Self {
        let header = self.header(1);
        self.begin(header).record();
        let statement = self.statement();
        self.seal(statement, 0)
    }

    fn verify(&self, keys: &[usize]) -> Report {
        let keys = keys.iter().map(|index| self.keys[*index].public()).collect();
        let segments = self.segments.iter().map(|bytes| ("segment".to_owned(), Ok(&bytes[..])));
        verify(segments, &Expectation { keys, anchor: None, unsealed: 100 })
    }

    fn assert(&self, verdict: Verdict, reason: &str) {
        let report = self.verify(&[0]);
        assert_eq!(report.verdict, verdict, "{report}");
        assert!(report.reason.contains(reason), "{report}");
    }
}

#[test]
fn a_good_trail_is_intact() {
    let mut scribe = Scribe::new();
    scribe.good_start();
    let header = scribe.header(2);
    scribe.begin(header).record();
    scribe.assert(Verdict::Intact, "");
    let report = scribe.verify(&[0]);
    assert_eq!((report.lines, report.sealed, report.unsealed, report.segments), (5, Some(2), 2, 2));
}

#[test]
fn segments_are_numbered_without_gaps() {
    let mut scribe = Scribe::new();
    let header = scribe.good_start().header(3);
    scribe.begin(header);
    scribe.assert(Verdict::Gap, "segment 3 stands here instead of 2");
}

#[test]
fn a_header_names_what_it_continues() {
    let mut scribe = Scribe::new();
    let header = Header { previous: Digest::of(b"other"), ..scribe.good_start().header(2) };
    scribe.begin(header);
    scribe.assert(Verdict::Changed, "does not continue");
}

#[test]
fn a_header_names_the_key_that_seals() {
    let mut scribe = Scribe::new();
    let header = Header { key: scribe.keys[1].public().id(), ..scribe.good_start().header(2) };
    scribe.begin(header);
    scribe.assert(Verdict::Resealed, "never introduced");
}

#[test]
fn a_newer_format_is_not_guessed_at() {
    let mut scribe = Scribe::new();
    let header = Header { format: FORMAT + 1, ..scribe.good_start().header(2) };
    scribe.begin(header);
    scribe.assert(Verdict::Unreadable, "newer than this program");
}

#[test]
fn a_segment_has_one_header_at_its_start() {
    let mut twice = Scribe::new();
    let header = twice.good_start().header(2);
    twice.say(Entry::Segment(header));
    twice.assert(Verdict::Changed, "only at the start");
    let mut none = Scribe::new();
    none.good_start().segments.push(Vec::new());
    none.record();
    none.assert(Verdict::Changed, "begins with a header");
    let mut never = Scribe::new();
    never.segments.push(Vec::new());
    never.record();
    never.assert(Verdict::Changed, "begins with a header");
}

#[test]
fn a_checkpoint_seals_exactly_what_stands_before_it() {
    let wrong: [fn(&mut Statement); 3] = [
        |statement| statement.sealed -= 1,
        |statement| statement.head = Digest::of(b"other"),
        |statement| statement.segment += 1,
    ];
    for wrong in wrong {
        let mut scribe = Scribe::new();
        let mut statement = scribe.good_start().statement();
        wrong(&mut statement);
        scribe.seal(statement, 0);
        scribe.assert(Verdict::Changed, "something else");
    }
}

#[test]
fn only_the_current_key_seals() {
    let introduce = |scribe: &mut Scribe, by: usize| {
        let introduction = Introduction::new(&scribe.keys[by], scribe.keys[1].public()).unwrap();
        scribe.say(Entry::Key(introduction));
    };
    let sealed_by = |introduced: bool, key: usize| {
        let mut scribe = Scribe::new();
        scribe.good_start();
        if introduced {
            introduce(&mut scribe, 0);
        }
        let statement = scribe.statement();
        scribe.seal(statement, key);
        scribe.verify(&[0, 1]).verdict
    };
    assert_eq!(sealed_by(true, 1), Verdict::Intact);
    assert_eq!(sealed_by(true, 0), Verdict::Resealed, "the old key has retired");
    assert_eq!(sealed_by(false, 1), Verdict::Resealed, "the new key is not in office yet, trusted or not");

    let mut usurper = Scribe::new();
    usurper.good_start();
    introduce(&mut usurper, 1);
    usurper.assert(Verdict::Resealed, "not introduced by the one before");
}

#[test]
fn a_whole_trail_begins_with_the_oldest_trusted_key() {
    let mut scribe = Scribe::new();
    scribe.good_start();
    assert_eq!(scribe.verify(&[0, 1]).verdict, Verdict::Intact);
    assert_eq!(scribe.verify(&[1, 0]).verdict, Verdict::Resealed);
    assert_eq!(scribe.verify(&[]).verdict, Verdict::Resealed);
}

#[test]
fn a_missing_beginning_is_explained_by_its_own_removal_only() {
    let removed = |from, through, last, other_head: bool| {
        let mut scribe = Scribe::new();
        scribe.good_start();
        let head = if other_head { Digest::of(b"other") } else { scribe.head };
        let header = scribe.header(2);
        let removal = Removal { from, through, last, head, reason: String::new() };
        scribe.begin(header).say(Entry::Removal(removal));
        scribe.segments.remove(0);
        let report = scribe.verify(&[0]);
        assert_eq!(report.removed.is_some(), report.verdict == Verdict::Intact);
        report.verdict
    };
    assert_eq!(removed(1, 1, Some(3), false), Verdict::Intact);
    assert_eq!(removed(1, 1, None, false), Verdict::Intact, "as older programs wrote it");
    assert_eq!(removed(1, 1, Some(2), false), Verdict::Gap);
    assert_eq!(removed(1, 2, Some(3), false), Verdict::Gap);
    assert_eq!(removed(1, 1, Some(3), true), Verdict::Gap);
}

#[test]
fn the_first_segment_begins_with_line_one() {
    let mut scribe = Scribe::new();
    scribe.seq = 4;
    scribe.good_start();
    scribe.assert(Verdict::Gap, "sequence numbers 1 to 4 are missing");
}

#[test]
fn an_anchor_is_a_checkpoint() {
    let mut scribe = Scribe::new();
    scribe.good_start();
    let lines: Vec<_> = scribe.segments[0].split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(Anchor::parse(lines[2]), Ok(Anchor { seq: 3, hash: scribe.head }));
    assert!(Anchor::parse(lines[1]).is_err());
    assert!(Anchor::parse(b"").is_err());
}
