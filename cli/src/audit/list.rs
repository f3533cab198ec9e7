// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit list`.

use std::collections::HashMap;
use std::path::Path;

use virtwarden_core::control::{AuditFilter, Request};
use virtwarden_core::record::Kind;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::line::Line;

use super::row::{HEADERS, row};
use super::{csv, parse};
use crate::arguments::{Folding, ListArguments};
use crate::client::Client;
use crate::exit::Failed;
use crate::output::{Format, Output};
use crate::time;

/// Prints records: as stored for programs, folded for people.
pub(super) fn list(arguments: &ListArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let filter = arguments.filter(time::now());
    if arguments.csv {
        output.text(csv::HEADER)?;
        return read(filter, socket)?.iter().try_for_each(|line| output.text(&csv::record(line)));
    }
    if output.format() == Format::Json {
        return output.json(&read(filter, socket)?);
    }
    let lines = match arguments.folding() {
        Folding::Raw => read(filter, socket)?,
        Folding::Folded => folded(filter, socket)?,
    };
    output.table(HEADERS, lines.iter().map(row))
}

/// Prints what became of one thing.
pub(crate) fn history(filter: AuditFilter, socket: &Path, output: &Output) -> Result<(), Failed> {
    match output.format() {
        Format::Json => output.json(&read(filter, socket)?),
        Format::Table | Format::Rows => output.table(HEADERS, folded(filter, socket)?.iter().map(row)),
    }
}

fn read(filter: AuditFilter, socket: &Path) -> Result<Vec<Line>, Failed> {
    let mut lines = Vec::new();
    Client::connect(socket)?.records(&Request::AuditList { filter }, |line| {
        lines.push(parse(line)?);
        Ok(())
    })?;
    Ok(lines)
}

/// At most two records make a line, so twice as many are enough for any limit.
fn folded(filter: AuditFilter, socket: &Path) -> Result<Vec<Line>, Failed> {
    let limit = filter.limit;
    let filter = AuditFilter { limit: limit.map(|limit| limit.saturating_mul(2)), ..filter };
    let mut lines = fold(read(filter, socket)?);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    Ok(lines.split_off(lines.len().saturating_sub(limit)))
}

/// Puts each outcome into the line of its attempt.
fn fold(lines: Vec<Line>) -> Vec<Line> {
    let mut folded: Vec<Line> = Vec::new();
    let mut attempts = HashMap::new();
    for line in lines {
        let attempt = attempt_of(&line).and_then(|of| attempts.remove(&of));
        if let Some(begun) = attempt.and_then(|index: usize| folded.get_mut(index)) {
            end(begun, &line);
            continue;
        }
        if line.entry.event().kind == Kind::Attempt {
            attempts.insert(line.seq, folded.len());
        }
        folded.push(line);
    }
    folded
}

/// The sequence number of the attempt that a line ends.
fn attempt_of(line: &Line) -> Option<u64> {
    let event = line.entry.event();
    event.of.filter(|_| event.kind == Kind::Outcome)
}

fn end(begun: &mut Line, ended: &Line) {
    let ended = ended.entry.event();
    if let Entry::Record(event) = &mut begun.entry {
        event.outcome = ended.outcome;
        if !ended.detail.is_empty() {
            event.detail.clone_from(&ended.detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtwarden_core::object::Uuid;
    use virtwarden_core::record::{Event, Outcome};
    use virtwarden_core::trail::digest::Digest;
    use virtwarden_core::trail::entry::of_trail;
    use virtwarden_core::trail::line::Stamp;
    use virtwarden_core::trail::time::Time;

    fn line(seq: u64, kind: Kind, outcome: Outcome, of: Option<u64>, detail: &str) -> Line {
        let event = Event { kind, of, ..of_trail("DOMAIN_CREATE", outcome, detail.to_owned()) };
        let stamp = Stamp { time: Time::from_micros(seq), boot: Uuid([0; 16]), up: 0 };
        Line { seq, stamp, entry: Entry::Record(Box::new(event)), hash: Digest::START }
    }

    fn told(lines: Vec<Line>) -> Vec<(u64, Outcome, String)> {
        let tell = |line: Line| (line.seq, line.entry.event().outcome, line.entry.event().detail.clone());
        fold(lines).into_iter().map(tell).collect()
    }

    #[test]
    fn an_attempt_and_its_outcome_are_one_line_in_the_attempts_place() {
        let lines = vec![
            line(1, Kind::Attempt, Outcome::Pending, None, "to red"),
            line(2, Kind::Attempt, Outcome::Pending, None, ""),
            line(3, Kind::Denial, Outcome::Denied, None, "no"),
            line(4, Kind::Outcome, Outcome::Failure, Some(2), "no such network"),
            line(5, Kind::Outcome, Outcome::Success, Some(1), ""),
        ];
        assert_eq!(
            told(lines),
            [
                (1, Outcome::Success, "to red".to_owned()),
                (2, Outcome::Failure, "no such network".to_owned()),
                (3, Outcome::Denied, "no".to_owned()),
            ]
        );
    }

    #[test]
    fn an_outcome_whose_attempt_is_not_listed_is_a_line_of_its_own() {
        let lines = vec![
            line(5, Kind::Outcome, Outcome::Success, Some(1), ""),
            line(6, Kind::Repeated, Outcome::Denied, Some(5), "many"),
            line(7, Kind::Attempt, Outcome::Pending, None, ""),
        ];
        assert_eq!(told(lines).len(), 3);
    }
}
