// SPDX-License-Identifier: Apache-2.0
//! What a login program refused by itself: sshd asks no PAM stack about a key that is not one of the account's.
//! FIA_UIA_EXT.1.
//!
//! Recorded, and not counted: a key is nothing that can be guessed. Under a name of its own, so that what PAM said of
//! the same connection is never taken for another failure.

use virtwarden_core::record::Outcome;
use virtwarden_login::{Answer, Claim};

use super::Logins;
use super::claimed::word;
use super::event::Keeping;
use crate::peer::Peer;

impl Logins {
    /// Records it. Anybody can make more of them, from anywhere.
    pub(super) fn rejected(&self, peer: &Peer, claim: &Claim, reason: &[u8]) -> Answer {
        let claimed = self.claimed(peer, claim);
        let event = self.event(peer, &claimed, "login rejected", Outcome::Failure, &word(reason));
        self.record(event, Keeping::Bounded);
        Answer::Go { banner: None }
    }
}
