// SPDX-License-Identifier: Apache-2.0
//! What the trail says of sessions.

use virtwarden_core::authentication::{Authenticated, Factor, Origin};
use virtwarden_core::record::{Actor, Event, Kind, Outcome, Target};
use virtwarden_core::subject::{Account, Door, Login, Process};

use super::kind;
use super::table::{Over, Session};

/// Somebody's session, as a record names it.
pub(super) fn event(operation: &str, session: &Session, outcome: Outcome, detail: String) -> Event {
    let login = Login { account: session.account.clone(), session: session.id };
    let who = Who {
        account: session.account.clone(),
        login: Some(login),
        authenticated: session.authenticated.clone(),
        process: session.leader,
    };
    let target =
        Target { kind: "session".to_owned(), name: Some(session.id.to_string()), ..Target::default() };
    who.did(operation, target, session.origin.clone(), outcome, detail)
}

/// Who did it.
pub(super) struct Who {
    pub(super) account: Account,
    pub(super) login: Option<Login>,
    pub(super) authenticated: Option<Authenticated>,
    pub(super) process: Process,
}

impl Who {
    pub(super) fn did(
        self,
        operation: &str,
        target: Target,
        origin: Origin,
        outcome: Outcome,
        detail: String,
    ) -> Event {
        Event {
            kind: Kind::Login,
            outcome,
            actor: Some(Actor {
                account: self.account,
                login: self.login,
                authenticated: self.authenticated,
                roles: Vec::new(),
                process: self.process,
                door: Door::Login,
            }),
            operation: operation.to_owned(),
            functions: Vec::new(),
            targets: vec![target],
            origin: Some(origin),
            detail,
            of: None,
            count: None,
        }
    }
}

/// How a session began.
pub(super) fn beginning(session: &Session) -> String {
    let service = &session.service;
    let proof = session.authenticated.as_ref().map(|person| proofs(&person.factors));
    match (session.kind, proof) {
        (kind::Kind::Login | kind::Kind::Within, Some(proof)) => format!("{service}, by {proof}"),
        (kind::Kind::Login | kind::Kind::Within, None) => format!("{service}, nobody authenticated"),
        (kind::Kind::Manager, _) => format!("{service}, the account's user manager"),
        (kind::Kind::Job, _) => format!("{service}, a job that nobody is there for"),
    }
}

fn proofs(factors: &[Factor]) -> String {
    let word = |factor: &Factor| match factor {
        Factor::Pam => "what PAM asked for".to_owned(),
        Factor::Password => "password".to_owned(),
        Factor::PublicKey { key } => format!("key {key}"),
        Factor::Other { name } => name.clone(),
    };
    factors.iter().map(word).collect::<Vec<_>>().join(" and ")
}

/// Why a session is over.
pub(super) fn ending(why: Over) -> &'static str {
    match why {
        Over::Closed => "closed",
        Over::Gone => "the process that led it is gone",
        Over::Idle => "nobody used it (Table 3, 15)",
        Over::Ended => "ended by `virtwarden session end`",
    }
}
