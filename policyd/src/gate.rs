// SPDX-License-Identifier: Apache-2.0
//! The libvirt gate: every call between a client and libvirtd is decoded, judged and recorded here.
//!
//! What is mediated: everything that passes between a client and libvirtd, in both directions. What is
//! trusted: the kernel's word on who the peer is, libvirtd's answers, the policy, the registry and the trail.
//! The default is no: what is unknown, malformed, not judged or not recorded does not reach libvirtd.

mod afterwards;
mod answer;
mod ask;
mod away;
pub mod budget;
mod call;
mod conduct;
mod connection;
mod course;
mod end;
pub mod errand;
mod fault;
mod interface;
pub mod judge;
mod link;
mod listed;
mod lists;
mod moving;
mod names;
mod nics;
mod objects;
mod overlong;
mod parked;
mod pending;
mod question;
mod reply;
mod sensitive;
pub mod turns;
pub mod upstream;
mod visible;
pub mod wake;
pub mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::request::Right;
use virtwarden_core::subject::{Door, Subject};

use crate::accounts::Accounts;
use crate::confirmations::Confirmations;
use crate::monitor::Monitor;
use crate::peer::{Peer, PeerError};
use crate::settings::Settings;
use away::Farewells;
use budget::{Budget, Whose};
use call::on_host;
use connection::Connection;
pub use end::End;
use errand::Errand;
use link::Link;
use turns::Turns;
use upstream::Place;
use wake::Wake;
use wire::Wire;

/// The stack that [`Gate::serve`] needs, with room to spare: nothing on it grows with what a client sends, and
/// XML nests no deeper than `core::xml` lets it.
pub const STACK: usize = 256 * 1024;

/// What all connections share.
#[derive(Debug)]
pub struct Gate {
    monitor: Arc<Monitor>,
    accounts: Arc<Accounts>,
    place: Place,
    turns: Arc<Turns>,
    budget: Arc<Budget>,
    guests: Mutex<HashMap<u64, Guest>>,
    next: AtomicU64,
    stopping: AtomicBool,
    farewells: Farewells,
    confirmations: Arc<Confirmations>,
    settings: Option<Arc<Settings>>,
}

/// An open connection, as others see it.
#[derive(Debug)]
struct Guest {
    uid: u32,
    bell: Weak<Wake>,
}

/// Why a client is turned away at the door.
#[derive(Debug)]
pub enum TurnedAway {
    /// Too many connections, of everybody or of this account; in words.
    Full(String),
    /// The kernel does not say who it is.
    Peer(PeerError),
    /// No descriptor or buffer is left.
    Io(std::io::Error),
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TurnedAway::Full(why) => f.write_str(why),
            TurnedAway::Peer(error) => error.fmt(f),
            TurnedAway::Io(error) => error.fmt(f),
        }
    }
}

impl Gate {
    /// A gate in front of the libvirtd at `place`.
    pub fn new(monitor: Arc<Monitor>, accounts: Arc<Accounts>, place: Place) -> Self {
        Self {
            turns: Arc::new(Turns::of(monitor.belongings().clone())),
            monitor,
            accounts,
            place,
            budget: Arc::default(),
            guests: Mutex::new(HashMap::new()),
            next: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            farewells: Farewells::default(),
            confirmations: Arc::default(),
            settings: None,
        }
    }

    /// The same, by what Administrators have set.
    #[must_use]
    pub fn with_settings(self, settings: Arc<Settings>) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// The template that new VMs follow where their definition says nothing: as it is set, else as the policy says.
    fn template(&self) -> Option<String> {
        let set = self.settings.as_ref().and_then(|settings| settings.default_vm().template);
        set.map(String::from).or_else(|| self.monitor.policy().policy.vm().template.clone())
    }

    /// Where libvirtd is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The turns on VMs: whoever changes one by another door takes its turn, too.
    pub fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }

    /// The transfers of media that wait to be confirmed.
    pub fn confirmations(&self) -> &Arc<Confirmations> {
        &self.confirmations
    }

    /// How many clients are connected.
    pub fn connections(&self) -> usize {
        self.guests().len()
    }

    /// Lets a client in and serves it until it leaves.
    ///
    /// # Errors
    /// It is turned away.
    pub fn serve(self: &Arc<Self>, socket: UnixStream, door: Door) -> Result<End, TurnedAway> {
        let peer = Peer::of(&socket, door, &self.accounts, Instant::now()).map_err(TurnedAway::Peer)?;
        self.serve_peer(socket, &peer, None)
    }

    /// Serves whoever is known to be at the other end.
    fn serve_peer(
        self: &Arc<Self>,
        socket: UnixStream,
        peer: &Peer,
        errand: Option<Errand>,
    ) -> Result<End, TurnedAway> {
        let bell = Arc::new(Wake::new().map_err(TurnedAway::Io)?);
        let whose = self.whose(peer);
        let _seat = match self.seat(peer, whose, &bell) {
            Ok(seat) => seat,
            Err(why) => {
                self.turn_away(peer, socket, &why);
                return Err(TurnedAway::Full(why));
            }
        };
        let purse = self.budget.purse(whose);
        let mut client = Wire::new(socket).map_err(TurnedAway::Io)?;
        client.charge(purse.clone());
        let link = Link { client, upstream: None, bell, purse };
        let mut connection = Connection::new(self.clone(), peer.clone(), link);
        connection.errand = errand;
        let end = connection.serve();
        if let End::ClientBroke(how) = &end {
            self.record_break(peer, how);
        }
        connection.see_to_the_end();
        Ok(end)
    }

    /// Makes all connections look again: at the policy, or whether we are stopping.
    pub fn ring(&self) {
        self.guests().values().filter_map(|guest| guest.bell.upgrade()).for_each(|bell| bell.ring());
    }

    /// Ends all connections soon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.ring();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The subject behind a client at this moment.
    fn who(&self, peer: &Peer, now: Instant) -> Result<Subject, PeerError> {
        peer.subject(&self.accounts, self.monitor.sessions(), now)
    }

    /// A place for one more connection, or which limit leaves none.
    fn seat(self: &Arc<Self>, peer: &Peer, whose: Whose, bell: &Arc<Wake>) -> Result<Seat, String> {
        let policy = self.monitor.policy();
        let limits = policy.policy.gate();
        let kept = match whose {
            Whose::Administrator => 0,
            Whose::Account(_) => limits.connections / 8,
        };
        let (uid, room) = (peer.uid, limits.connections - kept);
        let mut guests = self.guests();
        let own = guests.values().filter(|guest| guest.uid == uid).count();
        if own as u64 >= limits.per_account {
            return Err(full(limits.per_account, "your account", "per-account"));
        }
        if guests.len() as u64 >= room {
            return Err(full(room, "this host", "connections"));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        guests.insert(number, Guest { uid, bell: Arc::downgrade(bell) });
        Ok(Seat { gate: self.clone(), number })
    }

    /// Of what is bounded, a part is kept for those who administer, so that others together cannot keep them
    /// out: an eighth of the places, a quarter of the room.
    fn whose(&self, peer: &Peer) -> Whose {
        let administers = |subject| self.monitor.would_allow(&subject, &[on_host(Right::Administer)]);
        match self.who(peer, Instant::now()).map(administers) {
            Ok(true) => Whose::Administrator,
            Ok(false) | Err(_) => Whose::Account(peer.uid),
        }
    }

    fn turn_away(&self, peer: &Peer, socket: UnixStream, why: &str) {
        if let Ok(subject) = self.who(peer, Instant::now()) {
            self.monitor.turn_away(&subject, "CONNECTION", why);
        }
        self.farewells.tell(socket, why);
    }

    fn record_break(&self, peer: &Peer, how: &str) {
        if let Ok(subject) = self.who(peer, Instant::now()) {
            let _told_nobody =
                self.monitor.forbid(&subject, "CONNECTION", Reason::Malformed(how.to_owned()), vec![]);
        }
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<u64, Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(limit: u64, whose: &str, setting: &str) -> String {
    format!(
        "too many connections: {whose} has {limit} open, which is the limit (`{setting}` in [gate] of the policy); \
         close some and try again"
    )
}

/// A place among the connections, given back when the connection ends, however it ends.
struct Seat {
    gate: Arc<Gate>,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.gate.guests().remove(&self.number);
    }
}
