// SPDX-License-Identifier: Apache-2.0
//! What the trail says of logins.

use std::time::Instant;

use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::table3::Function;

use super::Logins;
use super::claimed::Claimed;
use crate::monitor::actor;
use crate::peer::Peer;

/// How a record goes to the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// By itself, whatever else happens.
    Each,
    /// Counted together with alike ones when there are too many: anybody can make more of them.
    Bounded,
}

impl Logins {
    /// What happened to a claim.
    pub(super) fn event(
        &self,
        peer: &Peer,
        claimed: &Claimed,
        operation: &str,
        outcome: Outcome,
        detail: &str,
    ) -> Event {
        let subject = peer.subject(&self.accounts, self.monitor.sessions(), Instant::now());
        // Names the account, so that alike records of different accounts are never counted as one.
        let detail = format!("`{}` by {}: {detail}", claimed.name, claimed.service);
        Event {
            kind: Kind::Login,
            outcome,
            actor: subject.ok().map(|subject| actor(&subject, &[])),
            operation: operation.to_owned(),
            functions: Vec::new(),
            targets: vec![Target {
                kind: "account".to_owned(),
                name: Some(claimed.name.clone()),
                uuid: None,
                ..Target::default()
            }],
            origin: Some(claimed.origin.clone()),
            detail,
            of: None,
            count: None,
        }
    }

    /// The same about the limit on failures.
    pub(super) fn limit_event(&self, peer: &Peer, claimed: &Claimed, operation: &str, detail: &str) -> Event {
        let event = self.event(peer, claimed, operation, Outcome::Denied, detail);
        Event { functions: vec![Function::LockoutPolicy], ..event }
    }

    /// Writes it.
    pub(super) fn record(&self, event: Event, keeping: Keeping) {
        match keeping {
            Keeping::Each => self.monitor.ledger().note(event),
            Keeping::Bounded => self.monitor.ledger().deny(event),
        }
    }
}
