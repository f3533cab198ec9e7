// SPDX-License-Identifier: Apache-2.0
//! Sessions that the tests share, and stories of whole sessions with real processes as their leaders.

use std::process::{Child, Command};
use std::time::Duration;

use virtwarden_core::authentication::{Authenticated, Factor};
use virtwarden_core::policy::settings;
use virtwarden_core::record::{Event, Kind as EventKind};
use virtwarden_core::setting::{Acknowledgement, IdleLimit};
use virtwarden_core::subject::{Door, Process};
use virtwarden_login::Proof;

use super::kind::Kind;
use super::table::{Acceptance, End, Raised};
use super::*;

pub(super) fn account(name: &str, uid: u32) -> Account {
    Account { name: name.to_owned(), uid }
}

/// alice logged in at the machine itself, with a password.
pub(super) fn alices(id: u32) -> Session {
    let origin = Origin::Local { terminal: "tty1".to_owned() };
    Session {
        id,
        ticket: u64::from(id) * 1000,
        account: account("alice", 1000),
        kind: Kind::Login,
        service: "login".to_owned(),
        authenticated: Some(Authenticated {
            origin: origin.clone(),
            service: "login".to_owned(),
            factors: vec![Factor::Pam],
        }),
        origin,
        leader: Process { pid: 1, start_time: 1 },
        since: 1000,
        end: None,
        raised: None,
        accepted: Acceptance::Open,
    }
}

/// The same from elsewhere.
pub(super) fn remote(session: Session) -> Session {
    let origin = Origin::Remote { address: "192.0.2.7".to_owned() };
    let authenticated = session.authenticated.map(|person| Authenticated {
        origin: origin.clone(),
        service: "sshd".to_owned(),
        ..person
    });
    Session { origin, service: "sshd".to_owned(), authenticated, ..session }
}

pub(super) fn shipped() -> Requirements {
    Requirements {
        activation: settings::Activation::Login,
        raised: 900,
        acknowledgement: Acknowledgement::NotAsked,
    }
}

pub(super) fn table(sessions: impl IntoIterator<Item = Session>) -> Table {
    let sessions = sessions.into_iter().map(|session| (session.id, Arc::new(session))).collect();
    Table { sessions, ..Table::new(shipped()) }
}

fn login_of(session: &Session) -> Login {
    Login { account: session.account.clone(), session: session.id }
}

fn told(table: &Table, who: &Account, session: &Session) -> Result<(), Absence> {
    match table.authentication(who, Some(&login_of(session))) {
        Authentication::Person(person) => {
            assert!(!person.factors.is_empty());
            Ok(())
        }
        Authentication::Nobody(absence) => Err(absence),
    }
}

#[test]
fn who_stands_behind_a_process() {
    let (alice, bob, root) = (account("alice", 1000), account("bob", 1001), account("root", 0));
    let base = || alices(5);
    let over = |why| Session { end: Some(End { at: 1500, why }), ..base() };
    for (what, session, who, expected) in [
        ("her own", base(), &alice, Ok(())),
        ("from elsewhere", remote(base()), &alice, Ok(())),
        ("sudo -i", base(), &root, Ok(())),
        ("su - bob", base(), &bob, Err(Absence::OtherAccount)),
        ("automatic", Session { authenticated: None, ..base() }, &alice, Err(Absence::Unproved)),
        ("sudo -i there", Session { authenticated: None, ..base() }, &root, Err(Absence::Unproved)),
        ("cron", Session { kind: Kind::Job, authenticated: None, ..base() }, &alice, Err(Absence::NoSession)),
        ("cron that says so", Session { kind: Kind::Job, ..base() }, &alice, Err(Absence::NoSession)),
        ("closed", over(Over::Closed), &alice, Err(Absence::Ended)),
        ("leader killed", over(Over::Gone), &alice, Err(Absence::Ended)),
        ("ended", over(Over::Ended), &alice, Err(Absence::Ended)),
        ("idle", over(Over::Idle), &alice, Err(Absence::Idle)),
        ("root, idle", over(Over::Idle), &root, Err(Absence::Idle)),
        ("bob, idle", over(Over::Idle), &bob, Err(Absence::Idle)),
        ("the manager alone", Session { kind: Kind::Manager, ..base() }, &alice, Err(Absence::NoSession)),
    ] {
        assert_eq!(told(&table([session.clone()]), who, &session), expected, "{what}");
    }
}

#[test]
fn what_is_not_known_is_nobodys() {
    let table = table([alices(5)]);
    let alice = account("alice", 1000);
    let nobody = Authentication::Nobody(Absence::NoSession);
    assert_eq!(table.authentication(&alice, None), nobody);
    let elsewhere = Login { account: alice.clone(), session: 6 };
    assert_eq!(table.authentication(&alice, Some(&elsewhere)), nobody);
    let reused = Login { account: account("alice", 1007), session: 5 };
    assert_eq!(table.authentication(&account("alice", 1007), Some(&reused)), nobody);
}

fn manager() -> Session {
    Session { kind: Kind::Manager, service: "systemd-user".to_owned(), authenticated: None, ..alices(9) }
}

#[test]
fn a_user_manager_is_its_accounts_open_login_if_there_is_one() {
    let alice = account("alice", 1000);
    let closed = Session { end: Some(End { at: 1500, why: Over::Closed }), ..alices(5) };
    let automatic = Session { authenticated: None, ..alices(5) };
    let bobs = Session { account: account("bob", 1001), ..alices(5) };
    for (what, login, expected) in [
        ("logged in", alices(5), Ok(())),
        ("lingers", closed, Err(Absence::NoSession)),
        ("automatic", automatic, Err(Absence::NoSession)),
        ("somebody else's login", bobs, Err(Absence::NoSession)),
    ] {
        assert_eq!(told(&table([login, manager()]), &alice, &manager()), expected, "{what}");
    }
    let later = Session { since: 2000, ..remote(alices(6)) };
    let both = table([alices(5), later, manager()]);
    let Authentication::Person(person) = both.authentication(&alice, Some(&login_of(&manager()))) else {
        panic!("nobody")
    };
    assert_eq!(person.service, "sshd", "the newest login stands behind it");
}

#[test]
fn where_the_policy_wants_sessions_raised_each_is_raised_by_itself() {
    let alice = account("alice", 1000);
    let raised = Some(Raised { since: 1000, until: 1900 });
    let raise = Requirements { activation: settings::Activation::Raise, ..shipped() };
    let all = |login: Session, manager: Session| Table {
        requirements: raise,
        ..table([login, manager, alices(6)])
    };
    let up = |session: Session| Session { raised, ..session };
    let plain = all(alices(5), manager());
    for session in [alices(5), alices(6), manager()] {
        assert_eq!(told(&plain, &alice, &session), Err(Absence::NotRaised));
    }
    let login_raised = all(up(alices(5)), manager());
    assert_eq!(told(&login_raised, &alice, &alices(5)), Ok(()));
    assert_eq!(told(&login_raised, &account("root", 0), &alices(5)), Ok(()));
    assert_eq!(told(&login_raised, &alice, &alices(6)), Err(Absence::NotRaised));
    assert_eq!(told(&login_raised, &alice, &manager()), Err(Absence::NotRaised), "only from inside it");
    let manager_raised = all(alices(5), up(manager()));
    assert_eq!(told(&manager_raised, &alice, &manager()), Ok(()));
    assert_eq!(told(&manager_raised, &alice, &alices(5)), Err(Absence::NotRaised));
}

#[test]
fn a_banner_that_must_be_accepted_comes_before_anything_else() {
    let alice = account("alice", 1000);
    let must = Requirements { acknowledgement: Acknowledgement::Required, ..shipped() };
    let given = |session: Session| Session { accepted: Acceptance::Given, ..session };
    let open = Table { requirements: must, ..table([alices(5), manager()]) };
    assert_eq!(told(&open, &alice, &alices(5)), Err(Absence::BannerNotAccepted));
    assert_eq!(told(&open, &alice, &manager()), Err(Absence::BannerNotAccepted));
    let accepted = Table { requirements: must, ..table([given(alices(5)), alices(6), manager()]) };
    assert_eq!(told(&accepted, &alice, &alices(5)), Ok(()));
    assert_eq!(told(&accepted, &alice, &alices(6)), Err(Absence::BannerNotAccepted), "in each session");
}

#[test]
fn a_manager_is_lowered_with_its_accounts_last_login() {
    let raised =
        Session { raised: Some(Raised { since: 1, until: 9999 }), accepted: Acceptance::Given, ..manager() };
    let mut table = table([alices(5), alices(6), raised]);
    table.close(5, Over::Closed, 1500).unwrap();
    assert!(table.sessions[&9].raised.is_some());
    table.close(6, Over::Gone, 1600).unwrap();
    assert_eq!((table.sessions[&9].raised, table.sessions[&9].accepted), (None, Acceptance::Open));
    assert!(table.close(6, Over::Closed, 1700).is_none(), "it is over already");
    assert_eq!(table.sessions[&6].end.map(|end| end.at), Some(1600));
}

#[test]
fn what_is_over_is_kept_for_an_hour_and_no_more_than_a_thousand_of_it() {
    let over = |id: u32, at| Session { end: Some(End { at, why: Over::Closed }), ..alices(id) };
    let few = table([alices(1), over(2, 1000), over(3, 2000)]);
    assert_eq!(few.stale(1000 + 3599), [0; 0]);
    assert_eq!(few.stale(1000 + 3600), [2]);
    let many = table((1..=1030).map(|id| over(id, 1000 + u64::from(id))));
    assert_eq!(many.stale(2031), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_clock_that_was_set_back_raises_nobody_for_longer() {
    let raised = Session { raised: Some(Raised { since: 1000, until: 1900 }), ..alices(5) };
    let table = table([raised]);
    assert_eq!(table.next_expiry(), Some(1900));
    for (now, expired) in [(1000, false), (1899, false), (1900, true), (999, true)] {
        assert_eq!(table.expired(now) == [5], expired, "{now}");
    }
}

/// A ledger that keeps what it is told.
#[derive(Debug, Default)]
pub(super) struct Notebook(Mutex<Vec<Event>>);

impl Ledger for Notebook {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        self.note(event);
        Ok(1)
    }
    fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
    fn deny(&self, event: Event) {
        self.note(event);
    }
}

impl Default for Sessions {
    fn default() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Sessions::open(directory.path(), Arc::<Notebook>::default(), shipped(), UNIX_EPOCH).unwrap()
    }
}

impl Sessions {
    /// Sessions in which everybody who asks is this.
    pub(crate) fn presuming(authentication: Authentication) -> Self {
        let sessions = Self::default();
        let presumed = Some(authentication);
        sessions.publish(Table { presumed, ..Table::clone(&sessions.table()) });
        sessions
    }
}

/// A host with one leader after the other.
struct Scene {
    directory: tempfile::TempDir,
    notebook: Arc<Notebook>,
    sessions: Arc<Sessions>,
    leaders: Vec<Child>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        for leader in &mut self.leaders {
            let _gone = leader.kill();
            let _gone = leader.wait();
        }
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn claim(account: &str, service: &str, remote_host: &str) -> Claim {
    Claim {
        account: account.into(),
        service: service.into(),
        tty: b"pts/1".to_vec(),
        remote_host: remote_host.into(),
        remote_user: Vec::new(),
    }
}

fn seen() -> Factors {
    Factors { proof: Proof::Seen, exposed: Vec::new() }
}

impl Scene {
    fn set() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let notebook = Arc::<Notebook>::default();
        let sessions = open(&directory, &notebook);
        Self { directory, notebook, sessions, leaders: Vec::new() }
    }

    /// A process of root's that leads an audit session of alice's.
    fn leader(&mut self, session: u32) -> Peer {
        let child = Command::new("sleep").arg("300").spawn().unwrap();
        let pid = child.id();
        self.leaders.push(child);
        Peer {
            uid: 0,
            process: Process { pid, start_time: crate::peer::start_time(pid).unwrap() },
            login: Some(Login { account: account("alice", 1000), session }),
            door: Door::Login,
        }
    }

    fn kill_leaders(&mut self) {
        for leader in &mut self.leaders {
            leader.kill().unwrap();
            leader.wait().unwrap();
        }
    }

    fn asks(&self, who: &str, uid: u32, session: u32) -> Authentication {
        let login = Login { account: account("alice", 1000), session };
        self.sessions.authentication(&account(who, uid), Some(&login))
    }

    fn alice(&self, session: u32) -> Result<String, Absence> {
        match self.asks("alice", 1000, session) {
            Authentication::Person(person) => Ok(person.service),
            Authentication::Nobody(absence) => Err(absence),
        }
    }

    fn told(&self) -> Vec<(String, Outcome, String)> {
        let events = self.notebook.0.lock().unwrap();
        assert!(events.iter().all(|event| event.kind == EventKind::Login && event.actor.is_some()));
        events.iter().map(|event| (event.operation.clone(), event.outcome, event.detail.clone())).collect()
    }

    /// policyd dies without a word and comes back.
    fn restart(&mut self) {
        self.sessions = open(&self.directory, &self.notebook);
    }
}

fn open(directory: &tempfile::TempDir, notebook: &Arc<Notebook>) -> Arc<Sessions> {
    Arc::new(Sessions::open(directory.path(), notebook.clone(), shipped(), at(1000)).unwrap())
}

#[test]
fn a_login_is_a_person_until_it_is_closed() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    let before = scene.sessions.generation();
    let ticket = scene.sessions.begin(&leader, &claim("alice", "login", ""), &seen(), at(1000)).unwrap();
    assert_ne!(scene.sessions.generation(), before);
    assert_eq!(scene.alice(5), Ok("login".to_owned()));
    assert!(matches!(scene.asks("root", 0, 5), Authentication::Person(_)));
    let login = leader.login.as_ref();
    assert_eq!(scene.sessions.origin_of(login), Some(Origin::Local { terminal: "pts/1".to_owned() }));
    scene.sessions.end(ticket, &leader, at(1100));
    assert_eq!(scene.alice(5), Err(Absence::Ended));
    assert_eq!(
        scene.told(),
        [
            ("session begin".to_owned(), Outcome::Success, "login, by what PAM asked for".to_owned()),
            ("session end".to_owned(), Outcome::Success, "closed".to_owned())
        ]
    );
}

#[test]
fn su_and_sudo_within_a_session_neither_replace_nor_end_it() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    let begin = |peer: &Peer, claim: &Claim| scene.sessions.begin(peer, claim, &seen(), at(1000)).unwrap();
    begin(&leader, &claim("alice", "sshd", "192.0.2.7"));
    for (account, service) in
        [("root", "sudo"), ("bob", "su-l"), ("alice", "su"), ("alice", "login"), ("bob", "sshd")]
    {
        let ticket = begin(&leader, &claim(account, service, ""));
        assert_eq!(scene.alice(5), Ok("sshd".to_owned()), "{service}");
        scene.sessions.end(ticket, &leader, at(1001));
        assert_eq!(scene.alice(5), Ok("sshd".to_owned()), "{service}");
    }
    let remote = Some(Origin::Remote { address: "192.0.2.7".to_owned() });
    assert_eq!(scene.sessions.origin_of(leader.login.as_ref()), remote, "sudo within ssh is remote");
    assert!(scene.notebook.0.lock().unwrap().iter().all(|event| event.origin == remote), "and on record so");
    assert_eq!(scene.told().len(), 11);
}

#[test]
fn what_opens_no_session_of_the_claimed_account_registers_none() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    let nobody = Peer { login: None, ..leader.clone() };
    for (peer, claim) in [
        (&leader, claim("bob", "sshd", "192.0.2.7")),
        (&leader, claim("alice", "su", "")),
        (&leader, claim("", "login", "")),
        (&nobody, claim("alice", "login", "")),
    ] {
        scene.sessions.begin(peer, &claim, &seen(), at(1000)).unwrap();
        assert_eq!(scene.alice(5), Err(Absence::NoSession), "{claim:?}");
    }
    assert!(scene.sessions.rows().is_empty());
}

#[test]
fn no_proof_is_no_person() {
    let none = Factors::default();
    let exposed = |text: &str| Factors { proof: Proof::Absent, exposed: text.into() };
    for (service, factors, expected) in [
        ("login", none.clone(), Err(Absence::Unproved)),
        ("gdm-autologin", none.clone(), Err(Absence::Unproved)),
        ("sshd", none.clone(), Err(Absence::Unproved)),
        ("sshd", exposed("none\n"), Err(Absence::Unproved)),
        ("sshd", exposed("hostbased ssh-ed25519 AAAA\n"), Err(Absence::Unproved)),
        ("sshd", exposed("publickey ssh-ed25519 AAAA\n"), Ok("sshd".to_owned())),
        ("sshd", exposed("password\n"), Ok("sshd".to_owned())),
        ("sshd", exposed("keyboard-interactive/pam\n"), Ok("sshd".to_owned())),
        ("login", exposed("password\n"), Err(Absence::Unproved)),
        ("cron", seen(), Err(Absence::NoSession)),
        ("systemd-user", seen(), Err(Absence::NoSession)),
    ] {
        let mut scene = Scene::set();
        let leader = scene.leader(5);
        scene.sessions.begin(&leader, &claim("alice", service, ""), &factors, at(1000)).unwrap();
        assert_eq!(scene.alice(5), expected, "{service} {factors:?}");
    }
}

#[test]
fn sessions_outlive_policyd_but_not_their_leader() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    scene.sessions.begin(&leader, &claim("alice", "sshd", "192.0.2.7"), &seen(), at(1000)).unwrap();
    scene.restart();
    assert_eq!(scene.alice(5), Ok("sshd".to_owned()));
    scene.kill_leaders();
    scene.restart();
    assert_eq!(scene.alice(5), Err(Absence::Ended));
    scene.restart();
    assert_eq!(scene.alice(5), Err(Absence::Ended), "and stays so");
    assert_eq!(scene.told().last().unwrap().2, "the process that led it is gone");
}

#[test]
fn a_killed_leader_ends_its_session_and_rings_the_bell() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    scene.sessions.begin(&leader, &claim("alice", "sshd", "192.0.2.7"), &seen(), at(1000)).unwrap();
    let (rung, rings) = std::sync::mpsc::channel();
    let settings = Arc::new(crate::settings::Settings::open(scene.directory.path()).unwrap());
    let bell = Mutex::new(rung);
    scene
        .sessions
        .watch(settings, Box::new(move || bell.lock().unwrap().send(()).unwrap_or_default()))
        .unwrap();
    scene.kill_leaders();
    rings.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(scene.alice(5), Err(Absence::Ended));
}

#[test]
fn a_session_is_raised_by_its_own_account_once_for_a_time() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    scene.sessions.begin(&leader, &claim("alice", "login", ""), &seen(), at(1000)).unwrap();
    let raise = Requirements { activation: settings::Activation::Raise, ..shipped() };
    scene.sessions.require(raise);
    assert_eq!(scene.alice(5), Err(Absence::NotRaised));
    let login = leader.login.as_ref();
    let wish = |name, uid| scene.sessions.wish_to_raise(&account(name, uid), login, at(1001));
    assert_eq!(wish("root", 0), Err(Absence::OtherAccount));
    assert_eq!(wish("bob", 1001), Err(Absence::OtherAccount));
    let ticket = wish("alice", 1000).unwrap();
    let bob = scene.sessions.raise(ticket, &claim("bob", "virtwarden", ""), at(1002));
    assert!(bob.unwrap_err().contains("session elevate"));
    let used = scene.sessions.raise(ticket, &claim("alice", "virtwarden", ""), at(1002));
    assert!(used.is_err(), "one try");
    let ticket = wish("alice", 1000).unwrap();
    scene.sessions.redeem(ticket, &claim("alice", "virtwarden", ""), at(1002)).unwrap();
    scene.sessions.raise(ticket, &claim("alice", "virtwarden", ""), at(1002)).unwrap();
    assert_eq!(scene.alice(5), Ok("login".to_owned()));
    scene.restart();
    scene.sessions.require(raise);
    assert_eq!(scene.alice(5), Ok("login".to_owned()), "policyd may die meanwhile");
    scene.sessions.pass(at(1901));
    assert_eq!(scene.alice(5), Ok("login".to_owned()));
    scene.sessions.pass(at(1902));
    assert_eq!(scene.alice(5), Err(Absence::NotRaised));
    let operations: Vec<_> =
        scene.told().into_iter().map(|(operation, outcome, _)| (operation, outcome)).collect();
    assert_eq!(
        operations[1..],
        [
            ("session raise".to_owned(), Outcome::Denied),
            ("session raise".to_owned(), Outcome::Denied),
            ("session raise".to_owned(), Outcome::Success),
            ("session lower".to_owned(), Outcome::Success)
        ]
    );
}

#[test]
fn a_helper_in_nobodys_session_serves_whoever_waits_and_the_network_counts_first() {
    let mut scene = Scene::set();
    let (near, far) = (scene.leader(5), scene.leader(6));
    scene.sessions.begin(&near, &claim("alice", "login", ""), &seen(), at(1000)).unwrap();
    let local = Some(Origin::Local { terminal: "pts/1".to_owned() });
    let remote = Some(Origin::Remote { address: "192.0.2.7".to_owned() });
    assert_eq!(scene.sessions.origin_for("bob"), None);
    assert_eq!(scene.sessions.origin_for("alice"), local);
    scene.sessions.begin(&far, &claim("alice", "sshd", "192.0.2.7"), &seen(), at(1000)).unwrap();
    assert_eq!(scene.sessions.origin_for("alice"), remote, "as soon as one is");
    scene.sessions.require(Requirements { activation: settings::Activation::Raise, ..shipped() });
    let wish = |leader: &Peer| {
        scene.sessions.wish_to_raise(&account("alice", 1000), leader.login.as_ref(), at(1001)).unwrap();
        scene.sessions.origin_for("alice")
    };
    assert_eq!(wish(&near), local, "the one that waits");
    assert_eq!(wish(&far), remote, "of two that wait, the remote one");
}

#[test]
fn an_idle_remote_session_ends_and_what_is_asked_keeps_it() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    scene.sessions.begin(&leader, &claim("alice", "sshd", "192.0.2.7"), &seen(), at(1000)).unwrap();
    let idle = |now| scene.sessions.end_idle(IdleLimit::After(60), at(now)).len();
    assert_eq!(scene.sessions.end_idle(IdleLimit::Never, at(9_999_999)).len(), 0);
    assert_eq!(idle(1059), 0);
    scene.sessions.touch(leader.login.as_ref(), at(1050));
    assert_eq!(idle(1109), 0);
    assert_eq!(idle(1110), 1);
    assert_eq!(scene.alice(5), Err(Absence::Idle));
    assert_eq!(idle(2000), 0, "once");
    assert_eq!(scene.told().last().unwrap().2, "nobody used it (Table 3, 15)");
}

#[test]
fn the_names_in_a_record_are_the_kernels_and_the_login_programs() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    let key = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n";
    let factors = Factors { proof: Proof::Absent, exposed: key.into() };
    scene.sessions.begin(&leader, &claim("alice", "sshd", "192.0.2.7"), &factors, at(1000)).unwrap();
    let events = scene.notebook.0.lock().unwrap().clone();
    let actor = events[0].actor.as_ref().unwrap();
    assert_eq!(actor.account, account("alice", 1000));
    assert_eq!(actor.login.as_ref().map(|login| login.session), Some(5));
    assert_eq!(actor.process, leader.process);
    assert_eq!(events[0].origin, Some(Origin::Remote { address: "192.0.2.7".to_owned() }));
    let print = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
    assert_eq!(events[0].detail, format!("sshd, by key ssh-ed25519 {print}"));
}

#[test]
fn the_end_of_a_su_is_known_though_policyd_died_meanwhile() {
    let mut scene = Scene::set();
    let leader = scene.leader(5);
    scene.sessions.begin(&leader, &claim("alice", "login", ""), &seen(), at(1000)).unwrap();
    let su = scene.sessions.begin(&leader, &claim("root", "su", ""), &seen(), at(1001)).unwrap();
    scene.restart();
    scene.sessions.end(su, &leader, at(1002));
    let told = scene.told();
    assert!(
        matches!(told.last(), Some((operation, Outcome::Success, _)) if operation == "session end"),
        "{told:?}"
    );
    let ends = told.len();
    scene.sessions.end(su, &leader, at(1003));
    assert_eq!(scene.told().len(), ends, "once");
}
