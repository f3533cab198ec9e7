// SPDX-License-Identifier: Apache-2.0
//! The host under the policy: what else must be so for a cell to hold, looked at and left alone. A policy that answers well
//! is worth nothing on a host where libvirtd's own socket is open.

mod files;
mod reach;
mod settings;
mod trail;

use std::path::Path;

use virtwarden_core::policy::Policy;

use crate::evaluate::plan::host::reach::Reach;
use crate::evaluate::report::{Cell, Door, State, Step, Verdict};
use crate::exit::Failed;
use crate::takeover::looks;

/// One look, and which cells do not hold if it goes wrong.
struct Look {
    reach: Reach,
    /// What was looked at, in a sentence.
    what: String,
    /// How somebody can look himself; empty where there is no one command.
    command: &'static str,
    verdict: Verdict,
    /// What was found, line by line.
    found: Vec<String>,
}

impl Look {
    /// A look that finds what is wrong.
    fn new(reach: Reach, what: impl Into<String>, command: &'static str, wrong: Vec<String>) -> Self {
        let verdict = wrong.first().map_or(Verdict::Pass, Verdict::fail);
        Self { reach, what: what.into(), command, verdict, found: wrong }
    }

    fn step(&self) -> Step {
        Step {
            what: self.what.clone(),
            who: "root".to_owned(),
            door: Door::Host,
            command: self.command.to_owned(),
            exit: None,
            output: self.found.join("\n"),
            state: State::NotCompared,
            records: Vec::new(),
            verdict: self.verdict.clone(),
        }
    }
}

/// Adds to each cell what it depends on; whatever is wrong there is wrong with the cell.
pub(super) fn add(cells: &mut [Cell], policy: &Policy, socket: &Path) -> Result<(), Failed> {
    let mut looks: Vec<Look> = looks::all().into_iter().map(taken_over).collect();
    looks.extend(files::looks(policy));
    looks.extend(settings::looks(socket)?);
    looks.push(trail::look(socket)?);
    for cell in cells {
        let steps: Vec<_> = looks.iter().filter(|look| look.reach.covers(cell)).map(Look::step).collect();
        steps.into_iter().for_each(|step| hold(cell, step));
    }
    Ok(())
}

fn taken_over(look: looks::Look) -> Look {
    Look::new(Reach::of(look.about), look.what, "virtwarden doctor", look.wrong)
}

/// A cell that failed already keeps its first reason.
fn hold(cell: &mut Cell, step: Step) {
    let fails = |verdict: &Verdict| matches!(verdict, Verdict::Fail { .. });
    if fails(&step.verdict) && !fails(&cell.verdict) {
        cell.verdict = step.verdict.clone();
    }
    cell.steps.push(step);
}
