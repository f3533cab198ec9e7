// SPDX-License-Identifier: Apache-2.0
//! Sessions as they are shown.

use virtwarden_core::authentication::{Absence, Authentication};
use virtwarden_core::control::{SessionRow, SessionState};
use virtwarden_core::subject::Login;

use super::table::{Session, Table};

impl Table {
    /// A session as it stands, with the moment when somebody last did something in it.
    pub(super) fn row(&self, session: &Session, active: Option<u64>) -> SessionRow {
        SessionRow {
            id: session.id,
            account: session.account.clone(),
            authenticated: session.authenticated.clone(),
            service: session.service.clone(),
            origin: session.origin.clone(),
            leader: session.leader.pid,
            since: session.since,
            until: session.end.map(|end| end.at),
            raised_until: session.raised.map(|raised| raised.until),
            active,
            state: self.state(session),
        }
    }

    fn state(&self, session: &Session) -> SessionState {
        let login = Login { account: session.account.clone(), session: session.id };
        match self.authentication(&session.account, Some(&login)) {
            Authentication::Person(_) => SessionState::Active,
            Authentication::Nobody(Absence::Ended) => SessionState::Closed,
            Authentication::Nobody(absence) => SessionState::Plain(absence),
        }
    }
}
