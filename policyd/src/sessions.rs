// SPDX-License-Identifier: Apache-2.0
//! Login sessions: who came in, how he proved himself, and whether he is still there.
//!
//! Trusted: the kernel's word on the asking process (its audit session, its login account, whether it still
//! runs), and root's login programs' word on service, terminal and remote host. What is not known here is
//! nobody's: then roles of the Administrator column do not count (FIA_UIA_EXT.1).

mod changes;
mod factors;
mod idle;
mod kind;
mod opening;
mod origins;
mod records;
mod rows;
mod store;
mod table;
mod terminals;
mod watch;
mod wishes;
mod within;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use virtwarden_core::authentication::{Absence, Authentication, Origin};
use virtwarden_core::control::SessionRow;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::{Account, Login};
use virtwarden_login::{Claim, Class, Factors, Ticket};

use crate::monitor::Ledger;
use crate::peer::Peer;
use crate::processes::Processes;
pub use opening::origin;
use origins::farthest;
use records::{beginning, ending, event};
use store::Store;
pub use table::Requirements;
use table::{Over, Session, Table};
use wishes::Wishes;
use within::Within;

/// So many sessions are known at once; far more than a host has people.
const MOST: usize = 4096;

/// Told whenever somebody may have lost a right.
pub type Bell = Box<dyn Fn() + Send + Sync>;

/// The sessions of this host.
pub struct Sessions {
    /// What readers see: replaced whole, so that nobody waits for a change.
    table: RwLock<Arc<Table>>,
    /// Counts the tables, so that who keeps an answer knows when it is old.
    generation: AtomicU64,
    /// Held by the one who makes the next table.
    desk: Mutex<Desk>,
    /// When somebody last did something in a session that is more than looking.
    activity: Mutex<BTreeMap<u32, u64>>,
    leaders: Processes<u32>,
    ledger: Arc<dyn Ledger>,
    bell: OnceLock<Bell>,
}

/// What only changes need.
#[derive(Debug)]
struct Desk {
    store: Store,
    wishes: Wishes,
    within: Within,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Sessions {
    /// The sessions that were known when policyd last ran in this boot, less those whose leaders are gone.
    ///
    /// # Errors
    /// The directory, which must be our own, cannot be made or read.
    pub fn open(
        directory: &Path,
        ledger: Arc<dyn Ledger>,
        requirements: Requirements,
        now: SystemTime,
    ) -> std::io::Result<Self> {
        let (store, kept) = Store::open(directory)?;
        let table = Table { sessions: kept, ..Table::new(requirements) };
        let sessions = Self {
            activity: Mutex::new(table.sessions.keys().map(|id| (*id, seconds(now))).collect()),
            table: RwLock::new(Arc::new(table)),
            generation: AtomicU64::new(0),
            desk: Mutex::new(Desk { store, wishes: Wishes::default(), within: Within::of(directory) }),
            leaders: Processes::new()?,
            ledger,
            bell: OnceLock::new(),
        };
        sessions.find_leaders(now);
        Ok(sessions)
    }

    fn find_leaders(&self, now: SystemTime) {
        let table = self.table();
        for session in table.sessions.values().filter(|session| session.is_open()) {
            if self.leaders.watch(session.id, session.leader).is_err() {
                self.close(session.id, Over::Gone, now);
            }
        }
    }

    /// Registers a session that its leader, one of root's processes, has opened.
    ///
    /// # Errors
    /// There are too many, the leader is gone, or the host has no random numbers; in words.
    pub fn begin(
        &self,
        leader: &Peer,
        claim: &Claim,
        seen: &Factors,
        now: SystemTime,
    ) -> Result<Ticket, String> {
        let ticket = random()?;
        let known = |session: &Session| self.table().sessions.contains_key(&session.id);
        match opening::session(leader, claim, seen, ticket, seconds(now)).filter(|session| !known(session)) {
            Some(session) => self.register(session)?,
            None => {
                let from = outermost(claim, self.origin_of(leader.login.as_ref()));
                self.ledger.deny(self.desk().within.begin(ticket, leader, claim, from));
            }
        }
        Ok(Ticket(ticket))
    }

    fn register(&self, session: Session) -> Result<(), String> {
        let (id, leader) = (session.id, session.leader);
        let began = event("session begin", &session, Outcome::Success, beginning(&session));
        self.change(|table, _| {
            if table.sessions.contains_key(&id) {
                return Err(format!("the login session {id} is open already"));
            }
            if table.sessions.len() >= MOST {
                return Err(format!("more than {MOST} login sessions are open"));
            }
            self.leaders.watch(id, leader)?;
            table.sessions.insert(id, Arc::new(session));
            Ok(())
        })?;
        self.ledger.deny(began);
        Ok(())
    }

    /// A session's program closed it.
    pub fn end(&self, ticket: Ticket, leader: &Peer, now: SystemTime) {
        if let Some(ended) = self.desk().within.end(ticket.0) {
            return self.ledger.deny(ended);
        }
        let Some(id) = leader.login.as_ref().map(|login| login.session) else { return };
        let own = |session: &Arc<Session>| session.ticket == ticket.0;
        if self.table().sessions.get(&id).is_some_and(own) {
            self.close(id, Over::Closed, now);
        }
    }

    fn close(&self, id: u32, why: Over, now: SystemTime) -> Option<Arc<Session>> {
        self.leaders.forget(id);
        let closed = self.change(|table, _| table.close(id, why, seconds(now)))?;
        self.ledger.deny(event("session end", &closed, Outcome::Success, ending(why).to_owned()));
        Some(closed)
    }

    /// Somebody ended a session: from now on nobody who counts stands behind its processes. None if it was
    /// over, or there is no such session. Its leader, to be ended by who can.
    pub fn end_for(&self, id: u32, now: SystemTime) -> Option<u32> {
        self.close(id, Over::Ended, now).map(|session| session.leader.pid)
    }

    /// Somebody wants his session raised. The number is for root's helper, once he has authenticated.
    ///
    /// # Errors
    /// Why raising it would not help.
    pub fn wish_to_raise(
        &self,
        account: &Account,
        login: Option<&Login>,
        now: SystemTime,
    ) -> Result<Ticket, Absence> {
        let table = self.table();
        let session = table.could_be_raised(account, login)?.id;
        let ticket = random().map_err(|_| Absence::NoSession)?;
        self.desk().wishes.make(session, account.clone(), ticket, seconds(now));
        Ok(Ticket(ticket))
    }

    /// A person authenticated in order to raise the session to which this ticket was given.
    ///
    /// # Errors
    /// The ticket is not good, or not this account's; in words for the person.
    pub fn raise(&self, ticket: Ticket, claim: &Claim, now: SystemTime) -> Result<(), String> {
        let raised = self.change(|table, desk| {
            let session = desk.wishes.fulfil(ticket.0, &claim.account, seconds(now))?;
            table.raise(session, seconds(now))
        });
        let Some(session) = raised else { return Err(self.no_wish(claim)) };
        let detail = format!("for {} s", self.table().requirements.raised);
        self.ledger.note(event("session raise", &session, Outcome::Success, detail));
        self.leaders.wake();
        Ok(())
    }

    /// Whether somebody may be authenticated for this ticket; a number that nobody has is on record.
    ///
    /// # Errors
    /// The ticket is not good, or not this account's, or somebody is being authenticated for it; in words.
    pub fn redeem(&self, ticket: Ticket, claim: &Claim, now: SystemTime) -> Result<(), String> {
        let good = self.desk().wishes.redeem(ticket.0, &claim.account, seconds(now));
        if good { Ok(()) } else { Err(self.no_wish(claim)) }
    }

    fn no_wish(&self, claim: &Claim) -> String {
        let account = std::str::from_utf8(&claim.account).unwrap_or_default();
        let from = outermost(claim, self.origin_for(account));
        self.ledger.deny(within::refused(
            "session raise",
            claim,
            from,
            "no session waits to be raised with this",
        ));
        "no session waits to be raised with this; begin again with `virtwarden session elevate`".to_owned()
    }

    /// A session's Administrator roles do not count any more. False if they did not.
    pub fn lower(&self, id: u32, why: &str) -> bool {
        let lowered = self.change(|table, _| table.lower(id));
        let event = lowered.map(|session| event("session lower", &session, Outcome::Success, why.to_owned()));
        event.map(|event| self.ledger.note(event)).is_some()
    }

    /// The banner was accepted in a session. False if there is no such session.
    pub fn accept_banner(&self, id: u32) -> bool {
        let accepted = self.change(|table, _| table.accept(id));
        let event = accepted.map(|session| event("banner accept", &session, Outcome::Success, String::new()));
        event.map(|event| self.ledger.note(event)).is_some()
    }

    /// Who stands behind a process of an account, by the login that the kernel names for it.
    pub fn authentication(&self, account: &Account, login: Option<&Login>) -> Authentication {
        self.table().authentication(account, login)
    }

    /// Where a process is ordered from, by the login that the kernel names for it.
    pub fn origin_of(&self, login: Option<&Login>) -> Option<Origin> {
        login.map(|login| self.table().origin_of(login))
    }

    /// Where an account's person is when a helper in nobody's session takes his password: in the session that
    /// waits to be raised, or else in any of the account's. Over the network as soon as one of these is.
    pub fn origin_for(&self, account: &str) -> Option<Origin> {
        let waiting = self.desk().wishes.waiting(account);
        let table = self.table();
        let own = table.sessions.values().filter(|each| each.is_open() && each.account.name == account);
        let meant = own.filter(|session| waiting.is_empty() || waiting.contains(&session.id));
        farthest(meant.filter_map(|session| table.origin(session)))
    }

    /// All sessions, by audit session id.
    pub fn rows(&self) -> Vec<SessionRow> {
        let (table, activity) = (self.table(), self.activity());
        table
            .sessions
            .values()
            .map(|session| table.row(session, activity.get(&session.id).copied()))
            .collect()
    }

    /// Somebody did something in a session that is more than looking.
    pub fn touch(&self, login: Option<&Login>, now: SystemTime) {
        if let Some(login) = login {
            self.activity().insert(login.session, seconds(now));
        }
    }

    /// Another number whenever what [`Sessions::authentication`] answers may have changed.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What a session must be from now on.
    pub fn require(&self, requirements: Requirements) {
        self.change(|table, _| table.requirements = requirements);
    }

    fn change<T>(&self, make: impl FnOnce(&mut Table, &mut Desk) -> T) -> T {
        let mut desk = self.desk();
        let before = self.table();
        let mut table = Table::clone(&before);
        let made = make(&mut table, &mut desk);
        desk.store.keep(&before.sessions, &table.sessions);
        self.publish(table);
        drop(desk);
        if let Some(ring) = self.bell.get() {
            ring();
        }
        made
    }

    /// The table first, then its number: whoever sees the number sees the table.
    fn publish(&self, table: Table) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn activity(&self) -> MutexGuard<'_, BTreeMap<u32, u64>> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Where a claim within a session comes from: over the network if its program says so or the session is.
fn outermost(claim: &Claim, session: Option<Origin>) -> Origin {
    match (claim.class(), session) {
        (Class::Local, Some(remote @ Origin::Remote { .. })) => remote,
        (Class::Local | Class::Remote, Some(Origin::Local { .. }) | None)
        | (Class::Remote, Some(Origin::Remote { .. })) => opening::origin(claim),
    }
}

#[cfg(test)]
pub(crate) mod tests;
