// SPDX-License-Identifier: Apache-2.0
//! The audit trail of a host, as its Administrator exports it.

use serde::Deserialize;
use virtwarden_core::record::{Event, Kind, Outcome};

use crate::host::Host;

/// One record and its place in the trail.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    /// Its sequence number.
    #[serde(rename = "seq")]
    pub sequence: u64,
    /// When it was written, in UTC: `2026-11-21T10:34:16.395324Z`.
    pub time: String,
    /// What it says.
    #[serde(rename = "record")]
    pub event: Event,
}

impl Recorded {
    /// Whether it is about this account.
    pub fn is_of(&self, person: &str) -> bool {
        self.event.actor.as_ref().is_some_and(|actor| actor.account.name == person)
    }

    /// Whether it is about this VM.
    pub fn is_about(&self, vm: &str) -> bool {
        self.event.targets.iter().any(|target| target.name.as_deref() == Some(vm))
    }

    /// Whether it is of a kind and ended so.
    pub fn is(&self, kind: Kind, outcome: Outcome) -> bool {
        self.event.kind == kind && self.event.outcome == outcome
    }
}

/// The sequence number of the last line; 0 where there is none.
pub fn end(host: &Host) -> u64 {
    let last = host.login("root", "timeout 60 virtwarden audit export | tail -n 1").out;
    let line: Option<serde_json::Value> = serde_json::from_str(&last).ok();
    line.and_then(|line| line.get("seq")?.as_u64()).unwrap_or(0)
}

/// All records after a sequence number.
pub fn after(host: &Host, sequence: u64) -> Vec<Recorded> {
    let ran = host.login("root", &format!("timeout 60 virtwarden audit export --from {}", sequence + 1));
    ran.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
