// SPDX-License-Identifier: Apache-2.0
//! The plan and the findings, for people.

use std::fmt::Write;

use crate::takeover::change::Change;
use crate::takeover::finding::{Finding, Severity};
use crate::takeover::journal::Journal;
use crate::takeover::plan::{Purpose, Step};
use crate::takeover::standing::Standing;

/// What enabling will do, grouped by purpose: `+` is new, `~` replaces something, `=` is in place.
pub(crate) fn plan(steps: &[Step]) -> String {
    let mut text = String::new();
    for group in steps.chunk_by(|one, next| one.purpose == next.purpose) {
        if let Some(first) = group.first() {
            heading(&mut text, first.purpose);
        }
        lines(&mut text, group);
    }
    text
}

fn heading(text: &mut String, purpose: Purpose) {
    let _ = writeln!(text, "{}\n    (undone by `virtwarden disable`: {})", purpose.why(), purpose.undo());
}

fn lines(text: &mut String, group: &[Step]) {
    let (absent, others): (Vec<&Step>, Vec<&Step>) = group.iter().partition(|step| is_for_later(step));
    for step in others {
        let _ = writeln!(text, "  {} {}", sign(step.standing), step.change);
        if let (Change::File { content, .. }, true) = (&step.change, step.standing != Standing::InPlace) {
            for line in content.lines().filter(|line| !is_comment(line)) {
                let _ = writeln!(text, "        {line}");
            }
        }
    }
    if let Some(first) = absent.first() {
        let _ = writeln!(
            text,
            "  {} the same for {} emulators that are not installed",
            sign(first.standing),
            absent.len()
        );
    }
    text.push('\n');
}

/// Emulators that are closed before they are installed would fill the screen.
fn is_for_later(step: &Step) -> bool {
    match &step.change {
        Change::Override { path, .. } => !std::path::Path::new(path).exists(),
        Change::File { .. }
        | Change::Link { .. }
        | Change::Device { .. }
        | Change::Member { .. }
        | Change::Logins { .. } => false,
    }
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#') || line.starts_with("//")
}

fn sign(standing: Standing) -> char {
    match standing {
        Standing::InPlace => '=',
        Standing::Missing => '+',
        Standing::Different => '~',
    }
}

/// What disabling will put back.
pub(crate) fn giving_back(journal: &Journal) -> String {
    let mut text = String::from("put back as it was:\n");
    for entry in journal.entries.iter().rev() {
        let _ = writeln!(text, "  - {}", entry.change);
    }
    text
}

/// What doctor found, with what to do.
pub(crate) fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Good => "ok      ",
            Severity::Warning => "warning ",
            Severity::Problem => "PROBLEM ",
        };
        let _ = writeln!(text, "{word}{}", finding.what);
        if !finding.remedy.is_empty() {
            let _ = writeln!(text, "        {}", finding.remedy);
        }
    }
    text
}
