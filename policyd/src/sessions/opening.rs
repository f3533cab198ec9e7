// SPDX-License-Identifier: Apache-2.0
//! What a login program's claim comes to.

use virtwarden_core::authentication::{Authenticated, Origin};
use virtwarden_core::subject::Login;
use virtwarden_login::{Claim, Factors};

use super::factors::factors;
use super::kind::Kind;
use super::table::{Acceptance, Session};
use super::words::word;
use crate::peer::Peer;

/// A login session of its own, if that is what the claim's service opens and the kernel's word on the leader
/// agrees: its audit session is a login of the very account that is claimed.
pub(super) fn session(
    leader: &Peer,
    claim: &Claim,
    seen: &Factors,
    ticket: u64,
    since: u64,
) -> Option<Session> {
    let login = leader.login.as_ref()?;
    let service = word(&claim.service);
    let kind = Kind::of(&service);
    if kind == Kind::Within || !is_account(claim, login) {
        return None;
    }
    let origin = origin(claim);
    Some(Session {
        id: login.session,
        ticket,
        account: login.account.clone(),
        authenticated: authenticated(kind, &service, &origin, seen),
        kind,
        service,
        origin,
        leader: leader.process,
        since,
        end: None,
        raised: None,
        accepted: Acceptance::Open,
    })
}

/// A directory may know an account by more than one spelling.
fn is_account(claim: &Claim, login: &Login) -> bool {
    let named = |name| nix::unistd::User::from_name(name).ok().flatten();
    claim.account == login.account.name.as_bytes()
        || std::str::from_utf8(&claim.account)
            .ok()
            .and_then(named)
            .is_some_and(|user| user.uid.as_raw() == login.account.uid)
}

fn authenticated(kind: Kind, service: &str, origin: &Origin, seen: &Factors) -> Option<Authenticated> {
    let factors = factors(service, seen);
    if kind != Kind::Login || factors.is_empty() {
        return None;
    }
    Some(Authenticated { origin: origin.clone(), service: service.to_owned(), factors })
}

/// Where a claim comes from, by the login program's word.
pub fn origin(claim: &Claim) -> Origin {
    if claim.remote_host.is_empty() {
        Origin::Local { terminal: word(&claim.tty) }
    } else {
        Origin::Remote { address: word(&claim.remote_host) }
    }
}
