// SPDX-License-Identifier: Apache-2.0
//! Stories of `lockout list`, `show` and `unlock`.

use virtwarden_core::authentication::Origin;
use virtwarden_core::control::{FailureKind, Lock, LockoutRow, Mode, OriginClass, Reply, Request};
use virtwarden_core::lockout::{Counted, Name, Spare, Try, Verdict};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;

use super::scene::{Scene, alice, bob};
use super::unlock;

/// So many wrong passwords for root over the network.
fn fail(scene: &Scene, times: u32) -> Vec<Counted> {
    let policy = scene.control.settings.lockout();
    let origin = Origin::Remote { address: "192.0.2.7".to_owned() };
    let lockouts = &scene.control.logins.lockouts;
    let attempt = || Try {
        account: "root",
        name: Name::Account,
        class: OriginClass::Remote,
        origin: &origin,
        spare: Spare::Nobody,
        now: lockouts.now(),
        policy: &policy,
    };
    let counted = (0..times).map(|_| {
        let (counted, kept) = lockouts.failed(&attempt());
        kept.unwrap();
        counted
    });
    let counted = counted.collect();
    let locked = lockouts.begin(&attempt()) != Verdict::Go;
    assert_eq!(locked, times >= 5);
    counted
}

fn rows(scene: &Scene, request: &Request) -> Vec<LockoutRow> {
    let Reply::Lockouts(rows) = scene.ask(&alice(), request).unwrap() else { panic!("another answer") };
    rows
}

#[test]
fn an_administrator_sees_who_is_locked_from_where_and_until_when() {
    let scene = Scene::new();
    assert!(rows(&scene, &Request::LockoutList).is_empty());
    assert!(matches!(fail(&scene, 5).last(), Some(Counted::LimitMet(_))));
    let listed = rows(&scene, &Request::LockoutList);
    assert_eq!(listed, rows(&scene, &Request::LockoutShow { account: "root".into() }));
    assert_eq!(
        (listed[0].account.as_str(), listed[0].class, listed[0].failures),
        ("root", OriginClass::Remote, 5)
    );
    assert_eq!(listed[0].origin, Origin::Remote { address: "192.0.2.7".to_owned() });
    let Lock::Until(end) = listed[0].lock else { panic!("{listed:?}") };
    assert!((599..=601).contains(&(end - listed[0].last)), "{listed:?}");
}

#[test]
fn an_administrator_unlocks_and_it_is_recorded_twice() {
    let scene = Scene::new();
    fail(&scene, 5);
    let local =
        Request::LockoutUnlock { account: "root".into(), class: Some(OriginClass::Local), mode: Mode::Apply };
    assert!(scene.change(&alice(), &local).unwrap().differences.is_empty());
    let planned = Request::LockoutUnlock { account: "root".into(), class: None, mode: Mode::DryRun };
    assert_eq!(scene.change(&alice(), &planned).unwrap().differences.len(), 1);
    assert_eq!(rows(&scene, &Request::LockoutList).len(), 1, "a dry run unlocks nobody");
    let before = scene.told().len();
    let change = scene.change(&alice(), &unlock("root")).unwrap();
    assert!(change.differences[0].starts_with("-lock of root (remote) until 2"), "{change:?}");
    assert!(rows(&scene, &Request::LockoutList).is_empty());
    let told = scene.told();
    let [attempt, login, outcome] = &told[before..before + 3] else { panic!("{told:?}") };
    assert_eq!((attempt.kind, attempt.operation.as_str()), (Kind::Attempt, "lockout unlock"));
    assert_eq!(attempt.functions, [Function::LockoutPolicy]);
    assert_eq!((login.kind, login.operation.as_str()), (Kind::Login, "login unlocked"));
    assert_eq!(login.targets[0].name.as_deref(), Some("root"));
    assert!(login.detail.ends_with("192.0.2.7"), "{login:?}");
    assert_eq!((outcome.kind, outcome.outcome), (Kind::Outcome, Outcome::Success));
}

#[test]
fn a_user_unlocks_nobody() {
    let scene = Scene::new();
    fail(&scene, 5);
    let failure = scene.ask(&bob(), &unlock("root")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.message.contains("(Table 3, 16)"), "{}", failure.message);
    assert_eq!(scene.told().pop().unwrap().kind, Kind::Denial);
    assert_eq!(rows(&scene, &Request::LockoutList).len(), 1);
}

#[test]
fn an_unlock_that_cannot_be_recorded_does_not_happen() {
    let scene = Scene::new();
    fail(&scene, 5);
    scene.shut_trail();
    assert_eq!(scene.ask(&alice(), &unlock("root")).unwrap_err().kind, FailureKind::Unavailable);
    let policy = scene.control.settings.lockout();
    assert!(scene.control.logins.lockouts.lock("root", OriginClass::Remote, &policy).is_some());
}

#[test]
fn nobody_is_invented() {
    let scene = Scene::new();
    for request in [unlock("no-such-account"), Request::LockoutShow { account: "no-such-account".into() }] {
        let failure = scene.ask(&alice(), &request).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound);
        assert!(failure.message.contains("`no-such-account`"), "{}", failure.message);
    }
}
