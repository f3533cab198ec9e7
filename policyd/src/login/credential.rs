// SPDX-License-Identifier: Apache-2.0
//! Passwords and other factors that somebody changes: row 12. Whoever changes an Administrator's becomes that
//! Administrator, so nobody but himself and who may change authorization factors can.

use std::time::Instant;

use virtwarden_core::authentication::Authentication;
use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::record::{Event, Outcome};
use virtwarden_core::subject::{Door, Subject};
use virtwarden_core::table3::Function;
use virtwarden_login::{Answer, Change, Claim};

use super::claimed::Claimed;
use super::event::Keeping;
use super::{Logins, refused};
use crate::lockout::Role;
use crate::peer::Peer;

impl Logins {
    /// Answers for one half of a change.
    pub(super) fn credential(&self, peer: &Peer, change: Change, claim: &Claim) -> Answer {
        let claimed = self.claimed(peer, claim);
        match (change, self.may_change(peer, &claimed)) {
            (Change::Wanted, Ok(())) => Answer::Go { banner: None },
            (Change::Wanted, Err(why)) => {
                let event = self.event(peer, &claimed, "credential change", Outcome::Denied, why);
                self.record(of_row_12(event), Keeping::Bounded);
                refused(format!("access denied: {why}"))
            }
            // It has happened: that is told as it is.
            (Change::Done, _) => {
                let event = self.event(peer, &claimed, "credential change", Outcome::Success, "changed");
                self.record(of_row_12(event), Keeping::Bounded);
                Answer::Go { banner: None }
            }
        }
    }

    /// The person behind the process counts, not the process: `passwd` is root whoever runs it.
    fn may_change(&self, peer: &Peer, claimed: &Claimed) -> Result<(), &'static str> {
        let Some(target) = &claimed.account else { return Ok(()) };
        let own = peer.login.as_ref().is_some_and(|login| login.account.uid == target.uid);
        if own || self.role(target) == Role::Other {
            return Ok(());
        }
        let Some(person) = self.person(peer) else {
            return Err("nobody is logged in here who could change an Administrator's password; \
                        log in as an Administrator and change it there");
        };
        let right = Right::Function(Function::AuthorizationFactors);
        let authenticated = matches!(person.authentication, Authentication::Person(_));
        if authenticated && self.monitor.would_allow(&person, &[Need { right, object: Object::Host }]) {
            Ok(())
        } else {
            Err(
                "only the Administrator himself or another one, logged in, may change an Administrator's password \
                 (Table 3, 12)",
            )
        }
    }

    /// The login account with its own groups, as if it had asked without becoming anybody else.
    fn person(&self, peer: &Peer) -> Option<Subject> {
        let login = peer.login.clone()?;
        let membership = self.accounts.of_uid(login.account.uid, Instant::now())?;
        let authentication = self.monitor.sessions().authentication(&membership.account, Some(&login));
        Some(Subject {
            account: membership.account.clone(),
            groups: membership.groups.clone(),
            login: Some(login),
            authentication,
            process: peer.process,
            door: Door::Login,
        })
    }
}

fn of_row_12(event: Event) -> Event {
    Event { functions: vec![Function::AuthorizationFactors], ..event }
}
