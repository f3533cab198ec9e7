// SPDX-License-Identifier: Apache-2.0
//! Updates: judged and recorded here, carried out by root's command on the same connection. FPT_TUD_EXT.1.
//!
//! If whoever carries it out dies on the way, the trail says that the end is unknown.

use virtwarden_core::control::{Change, Failure, Mode, Reply, Request};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

use super::conclude::prefix;
use super::failure::usage;
use super::roles::Announced;
use super::{Control, Pending};

impl Control {
    /// Decides, and records that it begins.
    pub(super) fn update(
        &self,
        subject: &Subject,
        request: &Request,
        (what, mode): (&str, Mode),
        pending: &mut Pending,
    ) -> Result<Reply, Failure> {
        if pending.is_some() {
            return Err(usage("say first how the change before this one went"));
        }
        let attempt = self.begin(subject, request, &format!("{}{what}", prefix(mode)))?;
        *pending = Some(Box::new(Announced::new(attempt, what.to_owned())));
        Ok(Reply::Proceed)
    }
}

/// Ends it in the words of whoever carried it out.
pub(super) fn done(pending: &mut Pending, outcome: Outcome, detail: &str) -> Result<Reply, Failure> {
    match outcome {
        Outcome::Success | Outcome::Failure => {}
        Outcome::Pending | Outcome::Denied | Outcome::Unknown => {
            return Err(usage("an update ends in success or failure"));
        }
    }
    let announced = pending.take().ok_or_else(|| usage("no update was announced on this connection"))?;
    announced.finish(outcome, detail);
    Ok(Reply::Changed(Change { mode: Mode::Apply, differences: Vec::new() }))
}
