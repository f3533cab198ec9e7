// SPDX-License-Identifier: Apache-2.0
//! What happens to sessions. Pure: the moment comes in, in seconds since 1970.

use std::sync::Arc;

use virtwarden_core::subject::Account;

use super::kind::Kind;
use super::table::{Acceptance, End, Over, Raised, Session, Table};

/// For how many seconds a session that is over is kept to be looked at.
const KEPT: u64 = 60 * 60;
/// So many of those are kept at most.
const MOST_KEPT: usize = 1024;

impl Table {
    /// A session is over. None if there is no such session, or it was over already.
    pub(super) fn close(&mut self, id: u32, why: Over, now: u64) -> Option<Arc<Session>> {
        let session = self.open_session(id)?;
        session.end = Some(End { at: now, why });
        session.raised = None;
        let session = self.sessions.get(&id)?.clone();
        self.abandon_managers(&session.account);
        Some(session)
    }

    /// With an account's last login, its user manager is nobody's again: what lingers in it must not find
    /// itself raised when the account logs in the next time.
    fn abandon_managers(&mut self, account: &Account) {
        if self.newest_login(account).is_some() {
            return;
        }
        let managers = self
            .sessions
            .values_mut()
            .filter(|session| session.kind == Kind::Manager && session.account == *account)
            .filter(|session| session.raised.is_some() || session.accepted == Acceptance::Given);
        for manager in managers {
            let manager = Arc::make_mut(manager);
            manager.raised = None;
            manager.accepted = Acceptance::Open;
        }
    }

    /// Its account's Administrator roles count in a session, for as long as the policy says.
    pub(super) fn raise(&mut self, id: u32, now: u64) -> Option<Arc<Session>> {
        let until = now.saturating_add(self.requirements.raised);
        self.open_session(id)?.raised = Some(Raised { since: now, until });
        self.sessions.get(&id).cloned()
    }

    /// They do not any more. None if they did not.
    pub(super) fn lower(&mut self, id: u32) -> Option<Arc<Session>> {
        self.sessions.get(&id).filter(|session| session.raised.is_some())?;
        self.open_session(id)?.raised = None;
        self.sessions.get(&id).cloned()
    }

    /// The banner was accepted in a session.
    pub(super) fn accept(&mut self, id: u32) -> Option<Arc<Session>> {
        self.open_session(id)?.accepted = Acceptance::Given;
        self.sessions.get(&id).cloned()
    }

    /// Sessions whose time to be raised is over, also where the clock was set back.
    pub(super) fn expired(&self, now: u64) -> Vec<u32> {
        let over = |raised: &Raised| !(raised.since..raised.until).contains(&now);
        let sessions = self.sessions.values();
        sessions
            .filter(|session| session.raised.as_ref().is_some_and(over))
            .map(|session| session.id)
            .collect()
    }

    /// When the next session's time to be raised is over.
    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.sessions.values().filter_map(|session| session.raised).map(|raised| raised.until).min()
    }

    /// Sessions that have been over for long enough, and the oldest beyond those that are kept.
    pub(super) fn stale(&self, now: u64) -> Vec<u32> {
        let mut over: Vec<_> = self.sessions.values().filter_map(|s| Some((s.end?.at, s.id))).collect();
        over.sort_unstable();
        let excess = over.len().saturating_sub(MOST_KEPT);
        let stale =
            |(index, (at, _)): &(usize, (u64, u32))| *index < excess || at.saturating_add(KEPT) <= now;
        over.into_iter().enumerate().filter(stale).map(|(_, (_, id))| id).collect()
    }

    fn open_session(&mut self, id: u32) -> Option<&mut Session> {
        self.sessions.get_mut(&id).filter(|session| session.is_open()).map(Arc::make_mut)
    }
}
