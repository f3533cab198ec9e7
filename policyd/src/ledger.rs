// SPDX-License-Identifier: Apache-2.0
//! The audit trail as the monitor's ledger.

use virtwarden_core::record::Event;

use crate::monitor::Ledger;
use crate::trail::Trail;

impl Ledger for Trail {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        Trail::attempt(self, event).map_err(|error| error.to_string())
    }

    fn attempt_to_make_room(&self, event: Event) -> Result<u64, String> {
        Trail::attempt_to_make_room(self, event).map_err(|error| error.to_string())
    }

    fn attempt_to_save(&self, event: Event) -> Result<u64, String> {
        Trail::attempt_to_save(self, event).map_err(|error| error.to_string())
    }

    /// What cannot be written now is counted by the trail, which then refuses new attempts.
    fn note(&self, event: Event) {
        let _counted_by_the_trail = Trail::note(self, event);
    }

    fn deny(&self, event: Event) {
        Trail::deny(self, event);
    }
}
