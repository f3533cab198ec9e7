// SPDX-License-Identifier: Apache-2.0
//! Where the people are on whose behalf processes run. Pure.
//!
//! Nobody sits at a user manager or at what runs at a time, and either takes orders from a session over the
//! network. Were that taken for the machine itself, whoever is far away could guess from there, where the
//! rules may count otherwise or not at all.

use virtwarden_core::authentication::Origin;
use virtwarden_core::subject::Login;

use super::kind::Kind;
use super::table::{Session, Table};

/// Shown for a process whose account is logged in nowhere: at the machine nobody is.
const UNKNOWN: &str = "unknown";

impl Table {
    /// Where a process with a login behind it is ordered from; over the network, where that cannot be told.
    pub(super) fn origin_of(&self, login: &Login) -> Origin {
        let session = self.sessions.get(&login.session).filter(|session| session.account == login.account);
        let origin = match session {
            Some(session) => self.origin(session),
            None => self.whereabouts(&login.account.name),
        };
        origin.unwrap_or_else(|| Origin::Remote { address: UNKNOWN.to_owned() })
    }

    /// Where a session is ordered from. None for what runs while its account is logged in nowhere.
    pub(super) fn origin(&self, session: &Session) -> Option<Origin> {
        match session.kind {
            Kind::Login | Kind::Within => Some(session.origin.clone()),
            Kind::Manager | Kind::Job => self.whereabouts(&session.account.name),
        }
    }

    /// Where an account is logged in; over the network as soon as one login is.
    fn whereabouts(&self, account: &str) -> Option<Origin> {
        let open = self.sessions.values().filter(|session| session.is_open() && session.kind == Kind::Login);
        farthest(open.filter(|session| session.account.name == account).map(|each| each.origin.clone()))
    }
}

/// One over the network, if there is one.
pub(super) fn farthest(origins: impl IntoIterator<Item = Origin>) -> Option<Origin> {
    origins.into_iter().max_by_key(|origin| matches!(origin, Origin::Remote { .. }))
}

#[cfg(test)]
mod tests {
    use virtwarden_core::subject::Account;

    use super::super::table::{End, Over};
    use super::super::tests::{alices, remote, table};
    use super::*;

    fn of(sessions: impl IntoIterator<Item = Session>, session: u32) -> Option<String> {
        let login = Login { account: Account { name: "alice".to_owned(), uid: 1000 }, session };
        match table(sessions).origin_of(&login) {
            Origin::Remote { address } => Some(address),
            Origin::Local { .. } => None,
        }
    }

    #[test]
    fn nobody_hides_the_network_behind_a_user_manager_or_a_job() {
        for kind in [Kind::Manager, Kind::Job] {
            let own = || Session { kind, authenticated: None, ..alices(9) };
            let over = Session { end: Some(End { at: 1, why: Over::Closed }), ..alices(5) };
            assert_eq!(of([own(), alices(5)], 9), None, "{kind:?}");
            for sessions in [vec![own(), remote(alices(6))], vec![own(), alices(5), remote(alices(6))]] {
                let Origin::Remote { address } = remote(alices(6)).origin else { panic!("not remote") };
                assert_eq!(of(sessions, 9), Some(address), "{kind:?}");
            }
            assert_eq!(of([own()], 9).as_deref(), Some(UNKNOWN), "{kind:?}");
            assert_eq!(of([own(), over], 9).as_deref(), Some(UNKNOWN), "{kind:?}");
        }
    }

    #[test]
    fn a_session_that_is_not_known_is_where_its_account_is() {
        assert_eq!(of([], 7).as_deref(), Some(UNKNOWN));
        assert_eq!(of([alices(5)], 7), None);
        assert_eq!(of([alices(5)], 5), None);
    }
}
