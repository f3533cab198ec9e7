// SPDX-License-Identifier: Apache-2.0
//! The end of every change that is planned and then made, or only shown.

use virtwarden_core::control::{Change, Failure, Mode, Reply};
use virtwarden_core::record::Outcome;

use crate::monitor::Attempt;

/// Records how it ended and answers.
pub(super) fn conclude(
    attempt: Attempt,
    made: Result<Vec<String>, Failure>,
    mode: Mode,
) -> Result<Reply, Failure> {
    match made {
        Ok(differences) => {
            attempt.finish(Outcome::Success, &format!("{}{}", prefix(mode), differences.join(", ")));
            Ok(Reply::Changed(Change { mode, differences }))
        }
        Err(failure) => {
            attempt.finish(Outcome::Failure, &failure.message);
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
