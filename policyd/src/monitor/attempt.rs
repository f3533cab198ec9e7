// SPDX-License-Identifier: Apache-2.0
//! A permitted act from its record to its outcome.

use std::sync::Arc;

use virtwarden_core::policy::decision::Permit;
use virtwarden_core::record::{Event, Kind, Outcome};

use super::Ledger;

/// A permitted act that is under way. What is dropped unfinished is recorded as unknown.
#[derive(Debug)]
#[must_use = "an attempt has an outcome"]
pub struct Attempt {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) permit: Permit,
    pub(super) begun: Option<(u64, Event)>,
}

impl Attempt {
    /// What was permitted.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Whether the trail waits for its outcome.
    pub fn is_recorded(&self) -> bool {
        self.begun.is_some()
    }

    /// Records how it ended; the detail says how it failed, or nothing.
    pub fn finish(mut self, outcome: Outcome, detail: &str) {
        self.end(outcome, detail);
    }

    fn end(&mut self, outcome: Outcome, detail: &str) {
        if let Some((sequence, begun)) = self.begun.take() {
            let detail = detail.to_owned();
            self.ledger.note(Event { kind: Kind::Outcome, outcome, detail, of: Some(sequence), ..begun });
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end(Outcome::Unknown, "the link ended before the outcome was known");
    }
}
