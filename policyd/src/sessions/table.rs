// SPDX-License-Identifier: Apache-2.0
//! The sessions there are, and what each is worth. Pure: time and requirements come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use virtwarden_core::authentication::{Absence, Authenticated, Authentication, Origin};
use virtwarden_core::policy::settings::{self, Activation};
use virtwarden_core::setting::Acknowledgement;
use virtwarden_core::subject::{Account, Login, Process};

use super::kind::Kind;

/// What a session must be for its Administrator's roles to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// From when on.
    pub activation: Activation,
    /// For how many seconds a session stays raised.
    pub raised: u64,
    /// Whether the banner must be accepted.
    pub acknowledgement: Acknowledgement,
}

impl Requirements {
    /// Those of a policy and a banner.
    pub fn of(session: &settings::Session, acknowledgement: Acknowledgement) -> Self {
        Self { activation: session.activation, raised: session.raised, acknowledgement }
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Over {
    /// Its program closed it.
    Closed,
    /// The process that led it is gone.
    Gone,
    /// Nobody used it for too long.
    Idle,
    /// Somebody ended it.
    Ended,
}

/// When and why a session ended. Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) at: u64,
    pub(super) why: Over,
}

/// Between when and when a session is raised. Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raised {
    pub(super) since: u64,
    pub(super) until: u64,
}

/// Whether the banner was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Acceptance {
    /// Not in this session.
    #[default]
    Open,
    /// It was.
    Given,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    pub(super) id: u32,
    pub(super) ticket: u64,
    pub(super) account: Account,
    pub(super) kind: Kind,
    pub(super) service: String,
    pub(super) origin: Origin,
    pub(super) authenticated: Option<Authenticated>,
    pub(super) leader: Process,
    pub(super) since: u64,
    pub(super) end: Option<End>,
    pub(super) raised: Option<Raised>,
    pub(super) accepted: Acceptance,
}

/// All sessions that are known, by audit session id.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) sessions: BTreeMap<u32, Arc<Session>>,
    pub(super) requirements: Requirements,
    /// Whoever runs the tests has not logged in; here he is taken for this.
    #[cfg(test)]
    pub(super) presumed: Option<Authentication>,
}

impl Session {
    pub(super) fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// A login in which somebody authenticated, and which is not over.
    fn is_persons(&self) -> bool {
        self.is_open() && self.kind == Kind::Login && self.authenticated.is_some()
    }
}

impl Table {
    pub(super) fn new(requirements: Requirements) -> Self {
        Self {
            sessions: BTreeMap::new(),
            requirements,
            #[cfg(test)]
            presumed: None,
        }
    }

    /// Who stands behind a process of an account, by the login that the kernel names for it.
    pub(super) fn authentication(&self, account: &Account, login: Option<&Login>) -> Authentication {
        #[cfg(test)]
        if let Some(presumed) = &self.presumed {
            return presumed.clone();
        }
        let person = login.ok_or(Absence::NoSession).and_then(|login| self.person(account, login));
        person.map_or_else(Authentication::Nobody, Authentication::Person)
    }

    fn person(&self, account: &Account, login: &Login) -> Result<Authenticated, Absence> {
        let (session, proof) = self.session_of(account, login)?;
        self.meets(session, proof)?;
        proof.authenticated.clone().ok_or(Absence::Unproved)
    }

    /// A session that is an Administrator's but for being raised.
    pub(super) fn could_be_raised(
        &self,
        account: &Account,
        login: Option<&Login>,
    ) -> Result<&Session, Absence> {
        let (session, _) = self.session_of(account, login.ok_or(Absence::NoSession)?)?;
        // root within somebody's session: he raises it himself, as himself.
        if session.account == *account { Ok(session) } else { Err(Absence::OtherAccount) }
    }

    /// The session of a process, and the one in which its owner proved himself.
    fn session_of(&self, account: &Account, login: &Login) -> Result<(&Session, &Session), Absence> {
        let session = self.sessions.get(&login.session).filter(|session| session.account == login.account);
        let session = session.ok_or(Absence::NoSession)?;
        let proof = self.proof(session)?;
        // root within somebody's session is that person, who became root; any other account is not.
        let own = account.uid == 0 || *account == session.account;
        if own { Ok((session, proof)) } else { Err(Absence::OtherAccount) }
    }

    /// The session in which the session's owner proved himself: itself, or for a user manager his newest login.
    fn proof<'a>(&'a self, session: &'a Session) -> Result<&'a Session, Absence> {
        match (session.end, session.kind) {
            (Some(End { why: Over::Idle, .. }), _) => Err(Absence::Idle),
            (Some(End { why: Over::Closed | Over::Gone | Over::Ended, .. }), _) => Err(Absence::Ended),
            (None, Kind::Job | Kind::Within) => Err(Absence::NoSession),
            (None, Kind::Manager) => self.newest_login(&session.account).ok_or(Absence::NoSession),
            (None, Kind::Login) if session.authenticated.is_none() => Err(Absence::Unproved),
            (None, Kind::Login) => Ok(session),
        }
    }

    pub(super) fn newest_login(&self, account: &Account) -> Option<&Session> {
        let logins = self.sessions.values().map(|session| &**session);
        logins
            .filter(|session| session.account == *account && session.is_persons())
            .max_by_key(|session| (session.since, session.id))
    }

    fn meets(&self, session: &Session, proof: &Session) -> Result<(), Absence> {
        let given = |session: &Session| session.accepted == Acceptance::Given;
        match self.requirements.acknowledgement {
            Acknowledgement::Required if !given(session) && !given(proof) => {
                return Err(Absence::BannerNotAccepted);
            }
            Acknowledgement::Required | Acknowledgement::NotAsked => {}
        }
        match self.requirements.activation {
            Activation::Raise if session.raised.is_none() => Err(Absence::NotRaised),
            Activation::Raise | Activation::Login => Ok(()),
        }
    }
}
