// SPDX-License-Identifier: Apache-2.0
//! The end of every change that is planned and then made, or only shown.

use virtwarden_core::control::{Change, Failure, Mode, Reply};
use virtwarden_core::record::Outcome;

use crate::monitor::Attempt;

/// How it ended if it did not end well: what the record says, and what the person is told.
pub(super) type Trouble = (Outcome, Failure);

/// Records how it ended and answers.
pub(super) fn conclude(
    attempt: Attempt,
    made: Result<Vec<String>, Failure>,
    mode: Mode,
) -> Result<Reply, Failure> {
    let told = made.as_ref().map(|differences| differences.join(", ")).unwrap_or_default();
    end(attempt, &told, made.map_err(|failure| (Outcome::Failure, failure)), mode)
}

/// As [`conclude`], where the record says less than the person is told, or nobody knows how it ended.
pub(super) fn end(
    attempt: Attempt,
    told: &str,
    made: Result<Vec<String>, Trouble>,
    mode: Mode,
) -> Result<Reply, Failure> {
    match made {
        Ok(differences) => {
            attempt.finish(Outcome::Success, &format!("{}{told}", prefix(mode)));
            Ok(Reply::Changed(Change { mode, differences }))
        }
        Err((outcome, failure)) => {
            attempt.finish(outcome, &failure.message);
            Err(failure)
        }
    }
}

/// Stands before what a record says of a change that is only shown.
pub(super) const fn prefix(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "",
        Mode::DryRun => "dry run: ",
    }
}
