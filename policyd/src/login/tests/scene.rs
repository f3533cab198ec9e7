// SPDX-License-Identifier: Apache-2.0
//! policyd's part in a login, without a host.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use tempfile::TempDir;
use virtwarden_core::object::Uuid;
use virtwarden_core::record::Event;
use virtwarden_core::setting::{Acknowledgement, Lockout, Setting};
use virtwarden_core::subject::{Account, Door, Group, Login, Process};
use virtwarden_core::trail::line::Stamp;
use virtwarden_core::trail::time::Time;
use virtwarden_login::{Answer, Change, Claim, Factors, Phase, Proof, Question};

use super::people::{People, uid};
use crate::accounts::{Accounts, Membership};
use crate::lockout::Lockouts;
use crate::login::{Directory, Logins, Snapshot, UnderWay};
use crate::monitor::{Ledger, Monitor};
use crate::networks::Book;
use crate::peer::{Peer, start_time};
use crate::policies::Policies;
use crate::registry::Registry;
use crate::sessions::{Requirements, Sessions};
use crate::settings::{Chosen, Settings};
use crate::trail::Clock;

/// A ledger that keeps what it is told.
#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<Event>>);

impl Ledger for Notebook {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        self.note(event);
        Ok(7)
    }
    fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
    fn deny(&self, event: Event) {
        self.note(event);
    }
}

/// A clock that a test sets, in microseconds after boot.
#[derive(Debug, Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Stamp {
        let up = self.0.load(Ordering::Relaxed);
        Stamp { time: Time::from_micros(1_800_000_000_000_000 + up), boot: Uuid([1; 16]), up }
    }
}

fn membership(uid: u32) -> Option<Membership> {
    let name = ["root", "alice", "bob", "carol", "dave"].into_iter().find(|name| self::uid(name) == uid)?;
    let groups = People.groups(&People.find(name)?);
    let groups = groups.into_iter().map(|name| Group { name, gid: 900 }).collect();
    Some(Membership { account: Account { name: name.to_owned(), uid }, groups })
}

pub(super) struct Scene {
    directory: TempDir,
    notebook: Arc<Notebook>,
    hand: Arc<Hand>,
    pub(super) logins: Logins,
}

pub(super) fn claim(account: &str, service: &str, tty: &str, remote_host: &str) -> Claim {
    Claim {
        account: account.as_bytes().to_vec(),
        service: service.as_bytes().to_vec(),
        tty: tty.as_bytes().to_vec(),
        remote_host: remote_host.as_bytes().to_vec(),
        remote_user: Vec::new(),
    }
}

pub(super) fn over_ssh(account: &str) -> Claim {
    claim(account, "sshd", "ssh", "192.0.2.7")
}

pub(super) fn at_console(account: &str) -> Claim {
    claim(account, "login", "tty1", "")
}

impl Scene {
    pub(super) fn new(lockout: Lockout) -> Self {
        let notebook = Arc::<Notebook>::default();
        Self { notebook: notebook.clone(), ..Self::with(lockout, notebook) }
    }

    /// One that writes elsewhere.
    pub(super) fn with(lockout: Lockout, ledger: Arc<dyn Ledger>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let registry = Arc::new(Registry::open(&directory.path().join("registry.json")).unwrap());
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.d");
        let policies = Policies::open(vec![shipped.into()]).unwrap();
        let requirements = Requirements::of(policies.current().policy.session(), Acknowledgement::NotAsked);
        let sessions = Arc::new(Sessions::default());
        sessions.require(requirements);
        let networks = Arc::new(Book::open(&directory.path().join("networks.json")).unwrap());
        let monitor = Arc::new(Monitor::new(policies, registry, networks, ledger, sessions));
        let settings = Settings::open(directory.path()).unwrap();
        let setting = Setting::Lockout(lockout.clone());
        let chosen = Chosen { setting, by: "alice".to_owned(), at: 0, reason: String::new() };
        settings.change().keep(chosen).unwrap();
        let hand = Arc::<Hand>::default();
        let logins = Logins {
            monitor,
            accounts: Arc::new(Accounts::of(membership, Instant::now())),
            lockouts: Arc::new(Lockouts::open(directory.path(), &lockout, hand.clone()).unwrap()),
            snapshot: Snapshot::of(directory.path()),
            under_way: UnderWay::new().unwrap(),
            settings: Arc::new(settings),
            directory: Arc::new(People),
        };
        Self { directory, notebook: Arc::default(), hand, logins }
    }

    /// One of root's processes, with somebody's login behind it or nobody's.
    pub(super) fn peer(&self, login: Option<&str>) -> Peer {
        let login = login.map(|name| Login {
            account: Account { name: name.to_owned(), uid: uid(name) },
            session: uid(name),
        });
        let pid = std::process::id();
        let process = Process { pid, start_time: start_time(pid).unwrap() };
        Peer { uid: 0, process, login, door: Door::Login }
    }

    /// bob's own process.
    pub(super) fn stranger(&self) -> Peer {
        Peer { uid: uid("bob"), ..self.peer(Some("bob")) }
    }

    pub(super) fn step(&self, phase: Phase, claim: &Claim) -> Answer {
        self.step_of(&self.peer(None), phase, claim)
    }

    pub(super) fn step_of(&self, peer: &Peer, phase: Phase, claim: &Claim) -> Answer {
        self.logins.answer(peer, &Question::Authenticate(phase, claim.clone()), SystemTime::now())
    }

    pub(super) fn credential(&self, peer: &Peer, change: Change, claim: &Claim) -> Answer {
        self.logins.answer(peer, &Question::Credential(change, claim.clone()), SystemTime::now())
    }

    /// Somebody's session over the network begins.
    pub(super) fn log_in(&self, account: &str, leader: &Peer) {
        let factors = Factors { proof: Proof::Seen, exposed: Vec::new() };
        let opened =
            self.logins.answer(leader, &Question::Open(over_ssh(account), factors), SystemTime::now());
        assert!(matches!(opened, Answer::Opened(_)), "{opened:?}");
    }

    pub(super) fn told(&self) -> Vec<Event> {
        self.notebook.0.lock().unwrap().clone()
    }

    /// What the module would read while policyd is away.
    pub(super) fn snapshot(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("lockout/locked")).unwrap()
    }

    /// Seconds go by.
    pub(super) fn pass(&self, seconds: u64) {
        self.hand.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}
