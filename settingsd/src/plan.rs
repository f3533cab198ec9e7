// SPDX-License-Identifier: Apache-2.0
//! What is to be written where: planned, shown, then made, or undone.

use crate::file::{self, Content};
use crate::host::Host;

/// The most lines of one file that are shown as going, or as coming.
const MOST: usize = 20;

/// One file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The file.
    pub(crate) path: String,
    /// What it is now.
    pub(crate) from: Option<Content>,
    /// What it shall be.
    pub(crate) to: Option<Content>,
}

/// All files that change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan(pub(crate) Vec<Step>);

impl Plan {
    /// Compares what shall be with what is; files that are so already are left out.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn of(host: &Host, wanted: Vec<(String, Option<Content>)>) -> Result<Self, String> {
        let mut steps = Vec::new();
        for (path, to) in wanted {
            let from = file::read(host, &path)?;
            if from != to {
                steps.push(Step { path, from, to });
            }
        }
        Ok(Self(steps))
    }

    /// Whether every file can be written where it belongs. systemd opens directories to us when we start: one that has
    /// come since, as with a component that was missing a moment ago, is closed until we start anew.
    ///
    /// # Errors
    /// Which directory is read-only.
    pub(crate) fn can_be_made(&self, host: &Host) -> Result<(), String> {
        let closed = self.0.iter().find_map(|step| host.closed_directory(&step.path));
        closed.map_or(Ok(()), |directory| {
            host.start_anew();
            Err(format!(
                "`{directory}` is read-only for the settings service, as is what was installed since it started; it starts \
                 anew now, so try again"
            ))
        })
    }

    /// Makes it, up to the first failure.
    ///
    /// # Errors
    /// A file could not be written.
    pub(crate) fn make(&self, host: &Host) -> Result<(), String> {
        self.0.iter().try_for_each(|step| file::put(host, &step.path, step.to.as_ref()))
    }

    /// Makes it undone, as far as that can be done.
    ///
    /// # Errors
    /// What could not.
    pub(crate) fn undo(&self, host: &Host) -> Result<(), String> {
        let put_back = |step: &Step| file::put(host, &step.path, step.from.as_ref()).err();
        let failures: Vec<_> = self.0.iter().rev().filter_map(put_back).collect();
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }

    /// For people: each file, and below it the lines that go and come.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().flat_map(Step::lines).collect()
    }
}

impl Step {
    fn lines(&self) -> Vec<String> {
        let lines = |content: &Option<Content>| content.as_ref().map(Content::lines).unwrap_or_default();
        let (old, new) = (lines(&self.from), lines(&self.to));
        let fate = match (&self.from, &self.to) {
            (None, _) => "new",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        let title = std::iter::once(format!("{}: {fate}", self.path));
        title.chain(differing(&old, &new, '-')).chain(differing(&new, &old, '+')).collect()
    }
}

/// The lines that the other side has not; of many, the first.
fn differing(these: &[String], those: &[String], sign: char) -> Vec<String> {
    let differing: Vec<_> = these.iter().filter(|line| !those.contains(line)).collect();
    let mut lines: Vec<_> = differing.iter().take(MOST).map(|line| format!("  {sign} {line}")).collect();
    if let Some(more) = differing.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("  {sign} ... and {more} lines more"));
    }
    lines
}
