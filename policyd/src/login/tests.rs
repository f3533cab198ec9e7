// SPDX-License-Identifier: Apache-2.0
//! Stories of the login socket's answers, on a host of the test's own making.

mod people;
mod scene;
mod served;
mod under_way;

use std::sync::Arc;

use virtwarden_core::authentication::Origin;
use virtwarden_core::control::OriginClass;
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::{Counted, Disclosure, Limit, Lockout, Unlocking};
use virtwarden_core::table3::Function;
use virtwarden_login::{Answer, Change, Phase, Question, Refusal, Span};

use self::scene::{Scene, at_console, over_ssh};
use crate::trail::{Config, Kernel, Trail};

const GO: Answer = Answer::Go { banner: None };

/// What both a failure and a success get once the lock has fallen.
const TOO_LATE: Answer = Answer::Refuse(Refusal::Locked(None));
const UNTIL_UNLOCKED: Answer = Answer::Refuse(Refusal::Locked(Some(Span::Open)));

fn locked(seconds: u32) -> Answer {
    Answer::Refuse(Refusal::Locked(Some(Span::Seconds(seconds))))
}

fn limit(failures: u32, unlocking: Unlocking) -> Lockout {
    Lockout { limit: Limit::Attempts { failures, period: 900, unlocking }, ..Lockout::default() }
}

#[test]
fn every_attempt_is_on_record_with_who_from_where_and_how_it_ended() {
    let scene = Scene::new(limit(2, Unlocking::After(600)));
    assert_eq!(scene.step(Phase::Begin, &over_ssh("alice")), GO);
    assert_eq!(scene.step(Phase::Failed, &over_ssh("alice")), GO);
    assert_eq!(scene.step(Phase::Passed, &over_ssh("alice")), GO);
    assert_eq!(scene.step(Phase::Failed, &over_ssh("alice")), GO);
    assert_eq!(scene.step(Phase::Failed, &over_ssh("alice")), TOO_LATE);
    assert_eq!(scene.step(Phase::Begin, &over_ssh("alice")), locked(600));
    assert_eq!(scene.step(Phase::Passed, &over_ssh("alice")), TOO_LATE, "too late, in the same words");
    let told = scene.told();
    let words: Vec<_> = told.iter().map(|event| (event.operation.as_str(), event.outcome)).collect();
    assert_eq!(
        words,
        [
            ("login failed", Outcome::Failure),
            ("login passed", Outcome::Success),
            ("login failed", Outcome::Failure),
            ("login failed", Outcome::Failure),
            ("login locked", Outcome::Denied),
            ("login begin", Outcome::Denied),
            ("login passed", Outcome::Denied),
        ]
    );
    for event in &told {
        assert_eq!(event.kind, Kind::Login);
        assert_eq!(event.origin, Some(Origin::Remote { address: "192.0.2.7".to_owned() }));
        assert_eq!(
            (event.targets[0].kind.as_str(), event.targets[0].name.as_deref()),
            ("account", Some("alice"))
        );
        assert!(event.detail.starts_with("`alice` by sshd: "), "{}", event.detail);
    }
    assert!(told[4].detail.contains("limit met, locked until 20"), "{}", told[4].detail);
    assert!(told[4..].iter().all(|event| event.functions == [Function::LockoutPolicy]));
}

#[test]
fn what_sshd_refused_by_itself_is_on_record_and_counts_for_nothing() {
    let scene = Scene::new(limit(1, Unlocking::ByAdministrator));
    let rejected = Question::Rejected(over_ssh("alice"), b"publickey does not fit \x1b[2J".to_vec());
    for _ in 0..3 {
        assert_eq!(scene.logins.answer(&scene.peer(None), &rejected, std::time::SystemTime::now()), GO);
    }
    assert_eq!(scene.step(Phase::Begin, &over_ssh("alice")), GO);
    let told = scene.told();
    assert_eq!(told.len(), 3);
    for event in told {
        assert_eq!((event.operation.as_str(), event.outcome), ("login rejected", Outcome::Failure));
        assert_eq!(event.origin, Some(Origin::Remote { address: "192.0.2.7".to_owned() }));
        assert_eq!(event.detail, "`alice` by sshd: publickey does not fit \\x1b[2J");
    }
}

#[test]
fn a_name_in_other_letters_is_the_same_account() {
    let scene = Scene::new(limit(2, Unlocking::ByAdministrator));
    assert_eq!(scene.step(Phase::Failed, &over_ssh("alice")), GO);
    assert_eq!(scene.step(Phase::Failed, &over_ssh("ALICE")), TOO_LATE);
    assert_eq!(scene.step(Phase::Begin, &over_ssh("alice")), UNTIL_UNLOCKED);
}

#[test]
fn nothing_tells_an_unknown_name_from_an_account() {
    let scene = Scene::new(limit(2, Unlocking::After(600)));
    let steps = [Phase::Begin, Phase::Failed, Phase::Begin, Phase::Failed, Phase::Begin, Phase::Passed];
    let answers = |name: &str| steps.map(|phase| scene.step(phase, &over_ssh(name)));
    let of_alice = answers("alice");
    for name in ["nobody-here", "", "*", "\u{1b}[2J\0alice", &"x".repeat(4096)] {
        assert_eq!(answers(name), of_alice, "{name}");
    }
    assert_eq!(scene.step(Phase::Begin, &over_ssh("carol")), GO, "`*` locks nobody else");
    let told = scene.told();
    let names: Vec<_> = told.iter().filter_map(|event| event.targets[0].name.as_deref()).collect();
    assert!(names.contains(&"\\x1b[2J\\x00alice"), "{names:?}");
    assert!(names.iter().all(|name| name.len() < 300));
}

#[test]
fn whoever_is_locked_out_is_told_nothing_where_that_is_wanted() {
    let scene =
        Scene::new(Lockout { disclosure: Disclosure::Nothing, ..limit(1, Unlocking::ByAdministrator) });
    assert_eq!(scene.step(Phase::Failed, &over_ssh("alice")), TOO_LATE);
    assert_eq!(scene.step(Phase::Begin, &over_ssh("alice")), Answer::Refuse(Refusal::Locked(None)));
}

#[test]
fn a_lock_over_the_network_leaves_the_console_open_and_the_other_way_round() {
    let scene = Scene::new(limit(1, Unlocking::ByAdministrator));
    assert_eq!(scene.step(Phase::Failed, &over_ssh("bob")), TOO_LATE);
    assert_eq!(scene.step(Phase::Passed, &at_console("bob")), GO);
    assert_eq!(scene.step(Phase::Begin, &over_ssh("bob")), UNTIL_UNLOCKED, "the console cleared nothing");
    assert_eq!(scene.step(Phase::Failed, &at_console("bob")), TOO_LATE);
    let scene = Scene::new(Lockout { counted: Counted::Remote, ..limit(1, Unlocking::ByAdministrator) });
    assert_eq!(scene.step(Phase::Failed, &at_console("bob")), GO);
    assert_eq!(scene.step(Phase::Begin, &at_console("bob")), GO);
}

/// alice and carol are the Administrators, and root, who may have no password.
#[test]
fn the_last_administrator_gets_in_at_the_console_and_nowhere_else() {
    let scene = Scene::new(limit(1, Unlocking::ByAdministrator));
    assert_eq!(scene.step(Phase::Passed, &at_console("carol")), GO);
    assert_eq!(scene.step(Phase::Failed, &at_console("alice")), TOO_LATE);
    assert_eq!(scene.step(Phase::Begin, &at_console("alice")), UNTIL_UNLOCKED, "carol could unlock her");
    assert_eq!(scene.step(Phase::Failed, &at_console("carol")), TOO_LATE);
    assert_eq!(scene.step(Phase::Begin, &at_console("carol")), locked(10), "the last one only waits");
    scene.pass(10);
    assert_eq!(scene.step(Phase::Begin, &at_console("carol")), GO);
    let guess = scene::claim("carol", "su", "pts/1", "");
    assert_eq!(
        scene.step(Phase::Begin, &guess),
        UNTIL_UNLOCKED,
        "not for who is logged in already and guesses"
    );
    assert_eq!(scene.step(Phase::Failed, &at_console("carol")), TOO_LATE);
    scene.pass(10);
    assert_eq!(scene.step(Phase::Passed, &at_console("carol")), GO);
    assert_eq!(
        scene.step(Phase::Begin, &at_console("alice")),
        UNTIL_UNLOCKED,
        "carol is there to unlock her"
    );
    scene.logins.lockouts.unlock("alice", Some(OriginClass::Local)).unwrap();
    assert_eq!(scene.step(Phase::Begin, &at_console("alice")), GO);
    assert_eq!(scene.step(Phase::Failed, &at_console("bob")), TOO_LATE, "a User waits for an Administrator");
    assert_eq!(scene.step(Phase::Begin, &at_console("bob")), UNTIL_UNLOCKED);
}

#[test]
fn the_module_can_read_who_is_locked_while_policyd_is_away() {
    let scene = Scene::new(limit(1, Unlocking::After(600)));
    scene.logins.keep_snapshot();
    assert_eq!(scene.snapshot(), "virtwarden-locked 1\n");
    for claim in [over_ssh("alice"), at_console("alice"), at_console("bob"), over_ssh("nobody-here")] {
        assert_eq!(scene.step(Phase::Failed, &claim), TOO_LATE);
    }
    // alice is the last Administrator who is known to have a password: her lock at the console only delays.
    assert_eq!(scene.snapshot(), "virtwarden-locked 1\nremote 1800000600 alice\nlocal 1800000600 bob\n");
    scene.pass(600);
    assert_eq!(scene.step(Phase::Passed, &over_ssh("alice")), GO);
    assert_eq!(scene.snapshot(), "virtwarden-locked 1\n");
}

#[test]
fn a_hundred_logins_at_once_are_counted_exactly() {
    let scene = Scene::new(limit(5, Unlocking::ByAdministrator));
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| scene.step(Phase::Failed, &over_ssh("alice")));
        }
    });
    assert_eq!(scene.step(Phase::Passed, &over_ssh("alice")), TOO_LATE);
    let told = scene.told();
    let met = told.iter().filter(|event| event.operation == "login locked").count();
    let counted = told.iter().filter(|event| event.detail.contains("more and the account is locked")).count();
    assert_eq!((met, counted), (1, 4));
}

#[test]
fn an_administrators_password_is_changed_by_himself_or_an_administrator_who_is_logged_in() {
    let scene = Scene::new(Lockout::default());
    let passwd = |name| scene::claim(name, "passwd", "", "");
    let nobody = scene.peer(None);
    let (alice, bob) = (scene.peer(Some("alice")), scene.peer(Some("bob")));
    for (peer, target, may) in [
        (&bob, "bob", true),
        (&bob, "carol", false),
        (&bob, "root", false),
        (&bob, "dave", true),
        (&bob, "nobody-here", true),
        (&alice, "alice", true),
        (&nobody, "bob", true),
        (&nobody, "alice", false),
        // alice's login is not registered: nobody is known to have authenticated.
        (&alice, "carol", false),
    ] {
        let before = scene.told().len();
        let answer = scene.credential(peer, Change::Wanted, &passwd(target));
        assert_eq!(answer == GO, may, "{target} {answer:?}");
        let told = scene.told().split_off(before);
        assert_eq!(told.len(), usize::from(!may), "{target}");
        if let Some(denied) = told.first() {
            assert_eq!(
                (denied.outcome, denied.functions.as_slice()),
                (Outcome::Denied, &[Function::AuthorizationFactors][..])
            );
            assert_eq!(denied.targets[0].name.as_deref(), Some(target));
        }
    }
    scene.log_in("alice", &alice);
    assert_eq!(scene.credential(&alice, Change::Wanted, &passwd("carol")), GO, "an Administrator's session");
    assert_eq!(scene.credential(&alice, Change::Done, &passwd("carol")), GO);
    let done = scene.told().pop().unwrap();
    assert_eq!((done.outcome, done.operation.as_str()), (Outcome::Success, "credential change"));
    scene.log_in("bob", &bob);
    assert_ne!(scene.credential(&bob, Change::Wanted, &passwd("carol")), GO, "a User's session");
}

#[test]
fn sudo_in_a_session_over_the_network_is_over_the_network() {
    let scene = Scene::new(limit(1, Unlocking::ByAdministrator));
    let alice = scene.peer(Some("alice"));
    scene.log_in("alice", &alice);
    let sudo = scene::claim("alice", "sudo", "pts/0", "");
    assert_ne!(scene.step_of(&alice, Phase::Failed, &sudo), GO);
    assert_eq!(scene.step(Phase::Begin, &at_console("alice")), GO);
    assert_ne!(scene.step(Phase::Begin, &over_ssh("alice")), GO);
}

#[test]
fn who_is_not_root_is_refused_and_recorded() {
    let scene = Scene::new(Lockout::default());
    let Answer::Refuse(Refusal::Because(why)) = scene.logins.turn_away(&scene.stranger()) else { panic!() };
    assert!(why.starts_with("access denied: only root's login programs"), "{why}");
    let told = scene.told().pop().unwrap();
    assert_eq!((told.kind, told.operation.as_str()), (Kind::Denial, "login"));
}

#[test]
fn a_flood_of_failures_is_counted_and_a_lock_in_the_midst_of_it_is_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { kernel: Kernel::Silent, ..Config::new(directory.path(), directory.path()) };
    let trail = Arc::new(Trail::open(Config { reserve_bytes: 0, ..config }).unwrap());
    let scene = Scene::with(limit(3, Unlocking::ByAdministrator), trail.clone());
    for number in 0..4000 {
        let _refused = scene.step(Phase::Failed, &over_ssh(&format!("nobody-{}", number % 20)));
    }
    for _ in 0..3 {
        scene.step(Phase::Failed, &over_ssh("alice"));
    }
    trail.close();
    let (mut records, mut failures, mut locks) = (0, 0, Vec::new());
    for record in trail.read().forwards().unwrap() {
        let record = record.unwrap();
        let event = record.line.entry.event();
        records += 1;
        failures += if event.operation == "login failed" { event.count.unwrap_or(1) } else { 0 };
        if event.operation == "login locked" && event.kind == Kind::Login {
            locks.push(event.targets[0].name.clone().unwrap());
        }
    }
    assert!(records < 500, "{records}");
    assert_eq!(failures, 4003, "counted or not, none is missing");
    assert!(locks.contains(&"alice".to_owned()), "{locks:?}");
}
