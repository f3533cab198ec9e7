// SPDX-License-Identifier: Apache-2.0
//! Sessions, locks, and who authenticated.

use virtwarden_core::authentication::{Absence, Authenticated, Authentication, Factor, Origin};
use virtwarden_core::control::{
    FailureKind, Lock, LockoutRow, Mode, OriginClass, Reply, Request, SessionRow, SessionState, Status,
    Whoami,
};
use virtwarden_core::subject::Account;

use crate::scene::{Scene, changed, failure};

fn account(name: &str) -> Account {
    Account { name: name.to_owned(), uid: 1000 }
}

fn remote() -> Origin {
    Origin::Remote { address: "192.0.2.7".to_owned() }
}

fn by_key() -> Authenticated {
    let factors = vec![Factor::PublicKey { key: "ssh-ed25519 SHA256:abc".to_owned() }];
    Authenticated { origin: remote(), service: "sshd".to_owned(), factors }
}

fn session(id: u32, state: SessionState) -> SessionRow {
    SessionRow {
        id,
        account: account("alice"),
        authenticated: Some(by_key()),
        service: "sshd".to_owned(),
        origin: remote(),
        leader: 4711,
        since: 1_795_253_415,
        until: None,
        raised_until: None,
        active: None,
        state,
    }
}

#[test]
fn sessions_are_a_table_or_json() {
    let over = SessionRow { until: Some(1_795_253_500), ..session(2, SessionState::Closed) };
    let rows = || {
        vec![
            over.clone(),
            session(3, SessionState::Active),
            session(5, SessionState::Plain(Absence::NotRaised)),
        ]
    };
    let list = |options: &[&str]| {
        let scene = Scene::new();
        let policyd = scene.policyd(vec![vec![Reply::Sessions(rows())]]);
        let run = scene.run(&[&["session", "list"], options].concat());
        assert_eq!(policyd.join().unwrap(), [Request::SessionList]);
        assert_eq!(run.code(), 0, "{}", run.err());
        run.out()
    };
    let table = list(&[]);
    for said in ["SESSION", "192.0.2.7", "key (sshd)", "2026-11-21 09:30:15", "not raised"] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert_eq!(list(&["--no-headers"]).lines().count(), 2);
    let of_json = |options: &[&str]| serde_json::from_str::<Vec<SessionRow>>(&list(options)).unwrap();
    assert_eq!(of_json(&["--json", "--all"]), rows());
    assert_eq!(of_json(&["--json"]), rows()[1..]);
}

#[test]
fn a_session_that_is_shown_says_what_to_do() {
    for (typed, id) in [(&["session", "show"][..], None), (&["session", "show", "5"], Some(5))] {
        let scene = Scene::new();
        let row = session(5, SessionState::Plain(Absence::BannerNotAccepted));
        let policyd = scene.policyd(vec![vec![Reply::Sessions(vec![row])]]);
        let run = scene.run(typed);
        assert_eq!(policyd.join().unwrap(), [Request::SessionShow { session: id }]);
        assert!(run.out().contains("virtwarden banner accept"), "{}", run.out());
    }
}

#[test]
fn ending_and_lowering_ask_for_just_that() {
    for (typed, request, mode) in [
        (&["session", "end", "5"][..], Request::SessionEnd { session: 5, mode: Mode::Apply }, Mode::Apply),
        (
            &["session", "end", "5", "--dry-run"],
            Request::SessionEnd { session: 5, mode: Mode::DryRun },
            Mode::DryRun,
        ),
        (&["session", "elevate", "--lower"], Request::SessionLower, Mode::Apply),
        (&["banner", "accept"], Request::BannerAccept, Mode::Apply),
    ] {
        let scene = Scene::new();
        let policyd = scene.policyd(changed(mode, "session 5 of alice"));
        let run = scene.run(typed);
        assert_eq!(policyd.join().unwrap(), [request]);
        assert_eq!(run.code(), 0, "{}", run.err());
        assert!(run.out().ends_with(": session 5 of alice\n"), "{}", run.out());
    }
}

#[test]
fn locks_are_listed_and_shown_with_what_ends_them() {
    let row = |class, lock| LockoutRow {
        account: "al\u{1b}ice".to_owned(),
        class,
        failures: 5,
        last: 1_795_253_415,
        origin: remote(),
        lock,
    };
    let rows = vec![row(OriginClass::Local, Lock::Open), row(OriginClass::Remote, Lock::UntilUnlocked)];
    let scene = Scene::new();
    let policyd = scene.policyd(vec![vec![Reply::Lockouts(rows)]]);
    let run = scene.run(&["lockout", "list"]);
    assert_eq!(policyd.join().unwrap(), [Request::LockoutList]);
    let table = run.out();
    assert!(table.contains("remote  5") && table.contains("until unlocked"), "{table}");
    assert!(!table.contains('\u{1b}') && table.contains("al\\u{1b}ice"), "{table}");

    let scene = Scene::new();
    let policyd = scene.policyd(vec![vec![Reply::Lockouts(Vec::new())]]);
    let run = scene.run(&["lockout", "show", "bob"]);
    assert_eq!(policyd.join().unwrap(), [Request::LockoutShow { account: "bob".into() }]);
    assert_eq!((run.code(), run.out().as_str()), (0, "`bob` has no failures and no lock\n"));
}

#[test]
fn unlocking_names_the_logins_that_are_meant() {
    for (options, class) in [
        (&[][..], None),
        (&["--local"], Some(OriginClass::Local)),
        (&["--remote"], Some(OriginClass::Remote)),
    ] {
        let scene = Scene::new();
        let policyd = scene.policyd(changed(Mode::Apply, "alice unlocked"));
        let run = scene.run(&[&["lockout", "unlock", "alice"], options].concat());
        let request = Request::LockoutUnlock { account: "alice".into(), class, mode: Mode::Apply };
        assert_eq!(policyd.join().unwrap(), [request]);
        assert_eq!(run.code(), 0, "{}", run.err());
    }
    let scene = Scene::new();
    let policyd = scene.policyd(failure(FailureKind::Denied));
    let run = scene.run(&["lockout", "unlock", "alice"]);
    policyd.join().unwrap();
    assert_eq!((run.code(), run.out().as_str()), (3, ""));
}

#[test]
fn who_is_told_how_he_authenticated_or_why_not() {
    let whoami = |authentication| Whoami {
        account: account("alice"),
        login: Some(account("alice")),
        authentication,
        withheld: vec!["operator".to_owned()],
        groups: Vec::new(),
        roles: vec!["administrator".to_owned()],
        functions: Vec::new(),
    };
    for (authentication, said) in [
        (Authentication::Person(by_key()), "by key ssh-ed25519 SHA256:abc (sshd) from 192.0.2.7"),
        (Authentication::Nobody(Absence::NoSession), "no: nobody authenticated for this process; log in"),
    ] {
        let scene = Scene::new();
        let policyd = scene.policyd(vec![vec![Reply::Whoami(whoami(authentication.clone()))]]);
        let run = scene.run(&["whoami"]);
        policyd.join().unwrap();
        assert!(
            run.out().contains(said) && run.out().contains("do not count here  operator"),
            "{}",
            run.out()
        );

        let status = Status { version: "1".to_owned(), roles: Vec::new(), details: None };
        let scene = Scene::new();
        let answers = vec![vec![Reply::Status(status)], vec![Reply::Whoami(whoami(authentication))]];
        let policyd = scene.policyd(answers);
        let run = scene.run(&["status"]);
        assert_eq!(policyd.join().unwrap(), [Request::Status, Request::Whoami]);
        assert!(run.out().contains(said), "{}", run.out());
    }
}

#[test]
fn records_of_logins_can_be_asked_for() {
    use virtwarden_core::record::Kind;

    let scene = Scene::new();
    let policyd = scene.policyd(vec![vec![Reply::End { replies: 0 }]]);
    let run = scene.run(&["audit", "list", "--kind", "login", "--person", "alice"]);
    let asked = policyd.join().unwrap();
    let [Request::AuditList { filter }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((filter.kind, filter.person.as_deref()), (Some(Kind::Login), Some("alice")));
    assert_eq!(run.code(), 0, "{}", run.err());
}
