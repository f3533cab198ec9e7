// SPDX-License-Identifier: Apache-2.0
//! The login socket: what the PAM module asks while somebody logs in.
//!
//! Mediated: every attempt of every stack that the module stands in. Trusted: root's login programs for the
//! name that was typed, the service, the terminal and the remote host; the kernel for the asking process and
//! the login behind it. Only root's processes are answered. FIA_UIA_EXT.1, FIA_AFL_EXT.1, rows 12 and 16.

mod attempt;
mod banner;
mod claimed;
mod credential;
mod directory;
mod event;
mod keepers;
mod rejected;
mod server;
mod snapshot;
mod under_way;

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use virtwarden_login::{Answer, Claim, Factors, Question, Refusal, Ticket};

use crate::accounts::Accounts;
use crate::lockout::Lockouts;
use crate::monitor::Monitor;
use crate::peer::Peer;
use crate::settings::Settings;
pub use directory::{Directory, Found, HostDirectory};
pub use server::{Places, admit};
pub use snapshot::Snapshot;
pub use under_way::UnderWay;

/// Everything that logins are answered from.
pub struct Logins {
    /// Decides and records.
    pub monitor: Arc<Monitor>,
    /// Who is who on this host.
    pub accounts: Arc<Accounts>,
    /// Failures and locks.
    pub lockouts: Arc<Lockouts>,
    /// The same for the module while policyd is away.
    pub snapshot: Snapshot,
    /// What is being tried within sessions.
    pub under_way: UnderWay,
    /// The typed settings.
    pub settings: Arc<Settings>,
    /// The account database, asked by name.
    pub directory: Arc<dyn Directory>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("lockouts", &self.lockouts).finish_non_exhaustive()
    }
}

impl Logins {
    /// Answers one of root's processes.
    pub fn answer(&self, peer: &Peer, question: &Question, now: SystemTime) -> Answer {
        match question {
            Question::Authenticate(phase, claim) => self.authenticate(peer, *phase, claim),
            // Locks are for passwords: whoever has a key comes in, and clears nothing by it.
            Question::Admit(_, _) => Answer::Go { banner: None },
            Question::Open(claim, factors) => self.open(peer, claim, factors, now),
            Question::Close(ticket) => self.close(peer, *ticket, now),
            Question::Credential(change, claim) => self.credential(peer, *change, claim),
            Question::Rejected(claim, reason) => self.rejected(peer, claim, reason),
            Question::Redeem(ticket, claim) => self.redeem(*ticket, claim, now),
            Question::Raise(ticket, claim) => self.raise(*ticket, claim, now),
        }
    }

    /// Refuses and records somebody who is not root.
    pub fn turn_away(&self, peer: &Peer) -> Answer {
        const WHY: &str = "only root's login programs may ask policyd about logins";
        if let Ok(subject) = peer.subject(&self.accounts, self.monitor.sessions(), Instant::now()) {
            self.monitor.turn_away(&subject, "login", WHY);
        }
        Answer::Refuse(Refusal::Because(format!("access denied: {WHY}")))
    }

    fn open(&self, peer: &Peer, claim: &Claim, factors: &Factors, now: SystemTime) -> Answer {
        self.settle(peer);
        match self.monitor.sessions().begin(peer, claim, factors, now) {
            Ok(ticket) => Answer::Opened(ticket),
            Err(why) => refused(why),
        }
    }

    fn close(&self, peer: &Peer, ticket: Ticket, now: SystemTime) -> Answer {
        self.monitor.sessions().end(ticket, peer, now);
        Answer::Go { banner: None }
    }

    fn redeem(&self, ticket: Ticket, claim: &Claim, now: SystemTime) -> Answer {
        let redeemed = self.monitor.sessions().redeem(ticket, claim, now);
        redeemed.map_or_else(refused, |()| Answer::Go { banner: None })
    }

    fn raise(&self, ticket: Ticket, claim: &Claim, now: SystemTime) -> Answer {
        let raised = self.monitor.sessions().raise(ticket, claim, now);
        raised.map_or_else(refused, |()| Answer::Go { banner: None })
    }
}

fn refused(why: String) -> Answer {
    Answer::Refuse(Refusal::Because(why))
}

#[cfg(test)]
mod tests;
