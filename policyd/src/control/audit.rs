// SPDX-License-Identifier: Apache-2.0
//! `audit list`, `follow`, `verify` and `export`. Each is on record once, with what was asked for.

mod delete;
mod words;

use std::collections::VecDeque;

use virtwarden_core::control::{AuditFilter, AuditRange, Failure, Marks, Reply, Request};
use virtwarden_core::object::Object;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

use super::archive::{self, Flow, Part, Reader};
use super::failure::unavailable;
use super::{Control, Listener, needs};
use crate::monitor::{Attempt, TO_SAVE};

/// The most records that a limit keeps in memory.
const MOST: usize = 100_000;

impl Control {
    /// Records that match a filter, oldest first.
    pub(super) fn audit_list(
        &self,
        subject: &Subject,
        request: &Request,
        filter: &AuditFilter,
        listener: &mut dyn Listener,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &words::of(filter))?;
        let mut passing = Passing { wanted: Wanted::Filter(filter), listener, sent: 0 };
        let read = match filter.limit {
            None => self.archive.read(&mut passing),
            Some(limit) => self.last(filter, limit).map(|lines| passing.pass_all(lines)),
        };
        finish(attempt, read, passing.sent)
    }

    /// Records that match a filter, as they are written, until the asker leaves.
    pub(super) fn audit_follow(
        &self,
        subject: &Subject,
        request: &Request,
        filter: &AuditFilter,
        listener: &mut dyn Listener,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &words::of(filter))?;
        let mut attending = Attending { control: self, subject, request, since: None, listener };
        let mut passing = Passing { wanted: Wanted::Filter(filter), listener: &mut attending, sent: 0 };
        let read = self.archive.follow(&mut passing);
        finish(attempt, read, passing.sent)
    }

    /// Checks the whole trail.
    pub(super) fn audit_verify(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let verification = self.archive.verify();
        attempt.finish(Outcome::Success, &format!("verdict {}", verification.code));
        Ok(Reply::Verification(verification))
    }

    /// Lines exactly as they are stored.
    pub(super) fn audit_export(
        &self,
        subject: &Subject,
        request: &Request,
        range: &AuditRange,
        listener: &mut dyn Listener,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin_recorded(subject, request, &words(range), &[Object::Trail], TO_SAVE)?;
        let mut passing = Passing { wanted: Wanted::Range(range), listener, sent: 0 };
        let read = self.archive.read(&mut passing);
        finish(attempt, read, passing.sent)
    }

    /// What a copy of the trail is checked with.
    pub(super) fn audit_keys(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin_recorded(subject, request, "", &[Object::Trail], TO_SAVE)?;
        let keys = self.archive.keys();
        let outcome = if keys.is_ok() { Outcome::Success } else { Outcome::Failure };
        attempt.finish(outcome, keys.as_ref().err().map_or("", String::as_str));
        keys.map(Reply::TrailKeys).map_err(unavailable)
    }

    /// The last lines that match.
    fn last(&self, filter: &AuditFilter, limit: u32) -> Result<VecDeque<String>, String> {
        let limit = usize::try_from(limit).unwrap_or(MOST).min(MOST);
        let mut last = Last { filter, limit, lines: VecDeque::new() };
        self.archive.read(&mut last)?;
        Ok(last.lines)
    }
}

/// A listener for as long as he may listen: his session may end while he does.
struct Attending<'a> {
    control: &'a Control,
    subject: &'a Subject,
    request: &'a Request,
    /// The number of the login sessions when he was last looked at.
    since: Option<u64>,
    listener: &'a mut dyn Listener,
}

impl Attending<'_> {
    fn still_may(&mut self) -> Flow {
        let sessions = self.control.monitor.sessions();
        let generation = sessions.generation();
        if self.since == Some(generation) {
            return Flow::Continue;
        }
        let login = self.subject.login.as_ref();
        let authentication = sessions.authentication(&self.subject.account, login);
        let subject = Subject { authentication, ..self.subject.clone() };
        let needs = needs(self.request, &Object::Trail);
        if !self.control.monitor.would_allow(&subject, &needs) {
            return Flow::Stop;
        }
        self.since = Some(generation);
        Flow::Continue
    }
}

impl Listener for Attending<'_> {
    fn take(&mut self, reply: Reply) -> Flow {
        match self.still_may() {
            Flow::Continue => self.listener.take(reply),
            Flow::Stop => Flow::Stop,
        }
    }

    fn wait(&mut self) -> Flow {
        match self.still_may() {
            Flow::Continue => self.listener.wait(),
            Flow::Stop => Flow::Stop,
        }
    }
}

/// Which records are asked for.
enum Wanted<'a> {
    Filter(&'a AuditFilter),
    Range(&'a AuditRange),
}

impl Wanted<'_> {
    fn matches(&self, record: &archive::Record<'_>) -> bool {
        match self {
            Wanted::Filter(filter) => passes(filter, record),
            Wanted::Range(range) => range.contains(record.sequence),
        }
    }
}

fn passes(filter: &AuditFilter, record: &archive::Record<'_>) -> bool {
    let shown = record.part == Part::Event || filter.marks == Marks::Shown;
    shown && filter.matches(record.event, record.time)
}

/// Passes on what is wanted.
struct Passing<'a> {
    wanted: Wanted<'a>,
    listener: &'a mut dyn Listener,
    sent: u64,
}

impl Passing<'_> {
    fn pass(&mut self, line: String) -> Flow {
        self.sent += 1;
        self.listener.take(Reply::Record { line })
    }

    fn pass_all(&mut self, lines: VecDeque<String>) {
        for line in lines {
            if self.pass(line) == Flow::Stop {
                return;
            }
        }
    }
}

impl Reader for Passing<'_> {
    fn take(&mut self, record: &archive::Record<'_>) -> Flow {
        if self.wanted.matches(record) { self.pass(record.line.to_owned()) } else { Flow::Continue }
    }

    fn wait(&mut self) -> Flow {
        self.listener.wait()
    }
}

/// Keeps the last records that match.
struct Last<'a> {
    filter: &'a AuditFilter,
    limit: usize,
    lines: VecDeque<String>,
}

impl Reader for Last<'_> {
    fn take(&mut self, record: &archive::Record<'_>) -> Flow {
        if passes(self.filter, record) {
            self.lines.push_back(record.line.to_owned());
        }
        if self.lines.len() > self.limit {
            self.lines.pop_front();
        }
        Flow::Continue
    }

    fn wait(&mut self) -> Flow {
        Flow::Stop
    }
}

fn finish(attempt: Attempt, read: Result<(), String>, sent: u64) -> Result<Reply, Failure> {
    match read {
        Ok(()) => {
            attempt.finish(Outcome::Success, &format!("records: {sent}"));
            Ok(Reply::End { replies: sent })
        }
        Err(why) => {
            attempt.finish(Outcome::Failure, &why);
            Err(unavailable(why))
        }
    }
}

fn words(range: &AuditRange) -> String {
    let end = |end: Option<u64>| end.map_or_else(|| "the end".to_owned(), |sequence| sequence.to_string());
    format!("from {} to {}", range.from.unwrap_or(1), end(range.to))
}
