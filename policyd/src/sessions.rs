// SPDX-License-Identifier: Apache-2.0
//! Login sessions: who came in, how he proved himself, and whether he is still there.
//!
//! Trusted: the kernel's word on the asking process (its audit session, its login account, whether it still
//! runs), and root's login programs' word on service, terminal and remote host. What is not known here is
//! nobody's: then Administrator roles do not count (FIA_UIA_EXT.1).

mod factors;
mod kind;
mod table;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use virtwarden_core::authentication::{Authenticated, Authentication, Origin};
use virtwarden_core::setting::Acknowledgement;
use virtwarden_core::subject::{Account, Login};
use virtwarden_login::{Claim, Factors, Ticket};

use crate::peer::Peer;
use factors::factors;
use kind::Kind;
pub use table::Requirements;
use table::{Acceptance, End, Over, Session, Table};
use words::word;

/// So many sessions are known at once; far more than a host has people.
const MOST: usize = 4096;

/// The sessions of this host.
#[derive(Debug)]
pub struct Sessions {
    /// What readers see: replaced whole, so that nobody waits for a change.
    table: RwLock<Arc<Table>>,
    /// Counts the tables, so that who keeps an answer knows when it is old.
    generation: AtomicU64,
    /// Held by the one who makes the next table.
    changing: Mutex<()>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new(Requirements::of(
            &virtwarden_core::policy::settings::Session::default(),
            Acknowledgement::default(),
        ))
    }
}

impl Sessions {
    /// Nobody is logged in yet.
    pub fn new(requirements: Requirements) -> Self {
        let table = Table::new(requirements);
        Self { table: RwLock::new(Arc::new(table)), generation: AtomicU64::new(0), changing: Mutex::new(()) }
    }

    /// Registers a session that its leader, one of root's processes, has opened.
    ///
    /// # Errors
    /// There are too many, or the host has no random numbers; in words.
    pub fn begin(
        &self,
        leader: &Peer,
        claim: &Claim,
        seen: &Factors,
        now: SystemTime,
    ) -> Result<Ticket, String> {
        let ticket = random()?;
        let Some(session) = session(leader, claim, seen, ticket, seconds(now)) else {
            return Ok(Ticket(ticket));
        };
        let _changing = self.changing();
        let mut table = Table::clone(&self.table());
        if table.sessions.contains_key(&session.id) {
            return Ok(Ticket(ticket));
        }
        if table.sessions.len() >= MOST {
            return Err(format!("more than {MOST} login sessions"));
        }
        table.sessions.insert(session.id, Arc::new(session));
        self.publish(table);
        Ok(Ticket(ticket))
    }

    /// A session's leader closed it.
    pub fn end(&self, ticket: Ticket, leader: &Peer, now: SystemTime) {
        let _changing = self.changing();
        let mut table = Table::clone(&self.table());
        let Some(id) = leader.login.as_ref().map(|login| login.session) else { return };
        let Some(session) = table.sessions.get_mut(&id).filter(|session| session.ticket == ticket.0) else {
            return;
        };
        if session.is_open() {
            Arc::make_mut(session).end = Some(End { at: seconds(now), why: Over::Closed });
            self.publish(table);
        }
    }

    /// A person authenticated in order to raise the session to which this ticket was given.
    ///
    /// # Errors
    /// The ticket is not good, or not this account's; in words for the person.
    pub fn raise(&self, _ticket: Ticket, _claim: &Claim, _now: SystemTime) -> Result<(), String> {
        Err("no session waits to be raised; begin again with `virtwarden session elevate`".to_owned())
    }

    /// Who stands behind a process of an account, by the login that the kernel names for it.
    pub fn authentication(&self, account: &Account, login: Option<&Login>) -> Authentication {
        self.table().authentication(account, login)
    }

    /// Where the session came from in which a process runs.
    pub fn origin_of(&self, login: Option<&Login>) -> Option<Origin> {
        let id = login?.session;
        self.table().sessions.get(&id).map(|session| session.origin.clone())
    }

    /// Another number whenever what [`Sessions::authentication`] answers may have changed.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What a session must be from now on.
    pub fn require(&self, requirements: Requirements) {
        let _changing = self.changing();
        let table = Table { requirements, ..Table::clone(&self.table()) };
        self.publish(table);
    }

    /// Sessions in which everybody who asks is this.
    #[cfg(test)]
    pub(crate) fn presuming(authentication: Authentication) -> Self {
        let sessions = Self::default();
        let presumed = Some(authentication);
        sessions.publish(Table { presumed, ..Table::clone(&sessions.table()) });
        sessions
    }

    fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table first, then its number: whoever sees the number sees the table.
    fn publish(&self, table: Table) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// A session of its own, if the process leads one.
fn session(leader: &Peer, claim: &Claim, seen: &Factors, ticket: u64, since: u64) -> Option<Session> {
    let login = leader.login.as_ref()?;
    let service = word(&claim.service);
    let kind = Kind::of(&service);
    if kind == Kind::Within || claim.account != login.account.name.as_bytes() {
        return None;
    }
    let origin = origin(claim);
    let factors = factors(&service, seen);
    let authenticated = (kind == Kind::Login && !factors.is_empty()).then(|| Authenticated {
        origin: origin.clone(),
        service: service.clone(),
        factors,
    });
    Some(Session {
        id: login.session,
        ticket,
        account: login.account.clone(),
        kind,
        service,
        origin,
        authenticated,
        leader: leader.process,
        since,
        end: None,
        raised: None,
        accepted: Acceptance::Open,
    })
}

/// Where a claim comes from, by the login program's word.
pub fn origin(claim: &Claim) -> Origin {
    if claim.remote_host.is_empty() {
        Origin::Local { terminal: word(&claim.tty) }
    } else {
        Origin::Remote { address: word(&claim.remote_host) }
    }
}

/// Not to be guessed.
fn random() -> Result<u64, String> {
    let mut bytes = [0; 8];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(u64::from_ne_bytes(bytes))
}

/// Seconds since 1970.
fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
