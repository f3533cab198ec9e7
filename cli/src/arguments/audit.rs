// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use virtwarden_core::control::{AuditFilter, AuditRange, Before, Marks};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::SettingName;
use virtwarden_core::table3::Function;

use super::ChangeArguments;
use super::object::parse_function;
use super::setting::NAMES as SETTINGS;
use super::word::words;
use crate::time::{Moment, parse_moment};

const KINDS: [(&str, Kind); 9] = [
    ("attempt", Kind::Attempt),
    ("outcome", Kind::Outcome),
    ("denial", Kind::Denial),
    ("repeated", Kind::Repeated),
    ("connection", Kind::Connection),
    ("observation", Kind::Observation),
    ("trail", Kind::Trail),
    ("change", Kind::Change),
    ("login", Kind::Login),
];

const OUTCOMES: [(&str, Outcome); 5] = [
    ("pending", Outcome::Pending),
    ("success", Outcome::Success),
    ("failure", Outcome::Failure),
    ("denied", Outcome::Denied),
    ("unknown", Outcome::Unknown),
];

const VERIFY_CODES: &str = "\
Exit codes:
   0  intact: whole, unchanged and sealed
  10  changed: a line is not as it was written
  11  gap: lines or segments are missing
  12  truncated: the end is missing
  13  resealed: a seal is not by the right key, or the trail is another one than its head says
  14  unsealed: more lines than allowed were never sealed
  15  unreadable: a file could not be read, or there is none
Without --directory also 1, 3: the check could not be asked for.";

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// List records, oldest first; an attempt and its outcome are one line.
    List(ListArguments),
    /// Show one record in full.
    Show {
        /// Its sequence number.
        sequence: u64,
    },
    /// Print records as they are written.
    Follow {
        /// Which records.
        #[command(flatten)]
        filter: FilterArguments,
    },
    /// Check that nothing was changed, removed, cut off or sealed again.
    #[command(after_help = VERIFY_CODES)]
    Verify(VerifyArguments),
    /// Write records exactly as they are stored, one JSON object per line; or the whole trail as an archive.
    Export(ExportArguments),
    /// Delete whole old segments. The trail says who did, and `verify` finds what anybody else removes.
    Delete(DeleteArguments),
}

/// Which records, and in which form.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    filter: FilterArguments,
    /// Show attempts, outcomes and the trail's own marks as the separate records they are.
    #[arg(long)]
    raw: bool,
    /// Print comma-separated values, one record each.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// How attempts and outcomes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folding {
    /// As the records they are.
    Raw,
    /// As one line.
    Folded,
}

impl ListArguments {
    /// The filter as policyd knows it. `now` is in microseconds since 1970 UTC.
    pub(crate) fn filter(&self, now: u64) -> AuditFilter {
        let marks = if self.raw { Marks::Shown } else { Marks::Hidden };
        AuditFilter { marks, ..self.filter.filter(now) }
    }

    /// How attempts and outcomes are shown.
    pub(crate) fn folding(&self) -> Folding {
        if self.raw { Folding::Raw } else { Folding::Folded }
    }
}

/// Which records.
#[derive(Clone, Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only those of this person. For logins this is also the account that was to be entered.
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username)]
    person: Option<String>,
    /// Only those of this kind; `login` has logins, sessions and locks.
    #[arg(long, value_parser = words(KINDS))]
    kind: Option<Kind>,
    /// Only those about this VM.
    #[arg(long, value_name = "NAME|UUID")]
    vm: Option<String>,
    /// Only those about this removable medium, by its id; `virtwarden media list` shows the ids.
    #[arg(long, value_name = "ID")]
    medium: Option<String>,
    /// Only those about this setting.
    #[arg(long, value_parser = words(SETTINGS))]
    setting: Option<SettingName>,
    /// Only those of this function of Table 3, by slug or number.
    #[arg(long, value_parser = parse_function)]
    function: Option<Function>,
    /// Only those that ended so.
    #[arg(long, value_parser = words(OUTCOMES))]
    outcome: Option<Outcome>,
    /// Not before: `2026-11-21`, `2026-11-21T09:30` (UTC), or an age such as `90m`, `12h`, `7d`.
    #[arg(long, value_parser = parse_moment, value_name = "TIME")]
    since: Option<Moment>,
    /// Not after: as --since.
    #[arg(long, value_parser = parse_moment, value_name = "TIME")]
    until: Option<Moment>,
    /// Only the last so many.
    #[arg(long, short = 'n', value_name = "COUNT")]
    limit: Option<u32>,
}

impl FilterArguments {
    /// The filter as policyd knows it. `now` is in microseconds since 1970 UTC.
    pub(crate) fn filter(&self, now: u64) -> AuditFilter {
        AuditFilter {
            person: self.person.clone(),
            kind: self.kind,
            vm: self.vm.clone(),
            medium: self.medium.clone(),
            setting: self.setting,
            function: self.function,
            outcome: self.outcome,
            since: self.since.map(|moment| moment.first(now)),
            until: self.until.map(|moment| moment.last(now)),
            limit: self.limit,
            marks: Marks::Hidden,
        }
    }
}

/// Which trail to check, and against what.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Check an archive that `virtwarden audit export --archive` wrote, on any machine.
    #[arg(conflicts_with_all = ["directory", "head", "stopped"], value_hint = ValueHint::FilePath)]
    pub(crate) archive: Option<PathBuf>,
    /// Check this copy of a trail instead of asking policyd about its own.
    #[arg(long, requires = "key")]
    pub(crate) directory: Option<PathBuf>,
    /// The public key that seals must carry. An archive has its own beside it, which proves nothing by itself.
    #[arg(long)]
    pub(crate) key: Option<PathBuf>,
    /// A file with a checkpoint line that was kept elsewhere (policyd keeps one in `trail.head`): the
    /// trail must still contain it.
    #[arg(long, requires = "directory", value_name = "FILE")]
    pub(crate) head: Option<PathBuf>,
    /// The trail was stopped in good order, so that its last line must be sealed.
    #[arg(long, requires = "directory")]
    pub(crate) stopped: bool,
}

/// Which records to write, and in which form.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExportArguments {
    /// The first sequence number.
    #[arg(long)]
    from: Option<u64>,
    /// The last sequence number.
    #[arg(long)]
    to: Option<u64>,
    /// Print comma-separated values instead of the stored lines.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Write the whole trail with its seals and public key into this new file, for `virtwarden audit verify FILE`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "csv"], value_hint = ValueHint::FilePath)]
    pub(crate) archive: Option<PathBuf>,
}

/// What to delete.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeleteArguments {
    /// Everything in whole segments before this one, or older: a segment's number, `2026-11-21`, or an age such as `90d`.
    #[arg(long, value_parser = parse_point, value_name = "SEGMENT|TIME")]
    before: Point,
    /// Do not ask.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}

/// A place in the trail, as it is typed.
#[derive(Clone, Copy, Debug)]
enum Point {
    Segment(u64),
    Moment(Moment),
}

fn parse_point(text: &str) -> Result<Point, String> {
    let number = text.parse().map(Point::Segment);
    number
        .or_else(|_| parse_moment(text).map(Point::Moment))
        .map_err(|why| format!("{why}, or a segment's number"))
}

impl DeleteArguments {
    /// The point as policyd knows it. `now` is in microseconds since 1970 UTC.
    pub(crate) fn before(&self, now: u64) -> Before {
        match self.before {
            Point::Segment(number) => Before::Segment(number),
            Point::Moment(moment) => Before::Time(moment.first(now)),
        }
    }
}

impl ExportArguments {
    /// The range as policyd knows it.
    pub(crate) fn range(&self) -> AuditRange {
        AuditRange { from: self.from, to: self.to }
    }
}
