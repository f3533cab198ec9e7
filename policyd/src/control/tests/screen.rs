// SPDX-License-Identifier: Apache-2.0
//! One's own screen: anybody with a role locks it sooner, nobody later, and what alice sets for everybody stays hers.

use virtwarden_core::control::{FailureKind, Mode, Order, Reply, Report, Request, ScreenRow, ScreenWish};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::{OwnIdle, ScreenIdle, ScreenLockTimeout, Setting, SettingName};
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;

use super::scene::{Scene, alice, bob, carol};
use super::settings::{set, shown, unset};

const NAME: SettingName = SettingName::ScreenLockTimeout;

fn after(seconds: u32, delay: u32) -> ScreenIdle {
    ScreenIdle::After { seconds, delay }
}

fn everybody(idle: ScreenIdle) -> Setting {
    Setting::ScreenLockTimeout(ScreenLockTimeout::everybody(idle))
}

/// alice has set 10 minutes and 20 seconds for everybody.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.change(&alice(), &set(everybody(after(600, 20)), Mode::Apply)).unwrap();
    scene
}

fn shorten(seconds: u32, delay: Option<u32>, mode: Mode) -> Request {
    Request::ScreenOwn { wish: Some(ScreenWish { seconds, delay }), mode }
}

fn restore() -> Request {
    Request::ScreenOwn { wish: None, mode: Mode::Apply }
}

fn row(scene: &Scene, subject: &Subject) -> ScreenRow {
    let Reply::Screen(row) = scene.ask(subject, &Request::ScreenShow).unwrap() else {
        panic!("another answer")
    };
    row
}

#[test]
fn bob_locks_his_own_screen_sooner_and_nobody_elses() {
    let scene = scene();
    let (source, told) = (shown(&scene, NAME).source, scene.told().len());
    let change = scene.change(&bob(), &shorten(300, None, Mode::Apply)).unwrap();
    assert_eq!(change.differences, ["bob: after 600 s and 20 s more -> after 300 s and 20 s more"]);
    let own = OwnIdle { account: "bob".into(), seconds: 300, delay: 20 };
    let timeout = scene.control.settings.screen_lock_timeout();
    assert_eq!(timeout.own.into_iter().collect::<Vec<_>>(), [(bob().account.uid, own)]);
    assert_eq!((row(&scene, &bob()).holds, row(&scene, &alice()).holds), (after(300, 20), after(600, 20)));
    let kept = Order::Apply { setting: scene.control.settings.value(NAME), mode: Mode::Apply };
    assert_eq!(scene.orders().pop().unwrap(), kept);
    let [attempt, outcome] = scene.told().split_off(told).try_into().unwrap();
    assert_eq!(shown(&scene, NAME).source, source, "alice has set everybody's, not bob");
    assert_eq!((attempt.kind, attempt.operation.as_str()), (Kind::Attempt, "screen shorten"));
    assert_eq!(attempt.functions, [Function::ScreenLockTimeout]);
    assert_eq!(attempt.targets[0].kind, "own-setting");
    assert_eq!((outcome.outcome, outcome.detail), (Outcome::Success, change.differences.concat()));
}

#[test]
fn longer_than_everybodys_is_denied_as_what_it_would_be() {
    for (seconds, delay) in [(601, None), (86_400, None), (300, Some(21)), (u32::MAX, Some(u32::MAX))] {
        let scene = scene();
        let told = scene.told().len();
        let failure = scene.ask(&bob(), &shorten(seconds, delay, Mode::Apply)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied);
        let words = "(Table 3, 14): it is after 600 s and 20 s more for everybody";
        assert!(failure.message.ends_with(words), "{}", failure.message);
        assert_eq!((scene.orders().len(), row(&scene, &bob()).own), (1, None));
        let [denial] = scene.told().split_off(told).try_into().unwrap();
        assert_eq!((denial.kind, denial.functions), (Kind::Denial, vec![Function::ScreenLockTimeout]));
    }
    let scene = scene();
    let failure = scene.ask(&alice(), &shorten(900, None, Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert!(failure.message.contains("`virtwarden setting set screen-lock-timeout`"), "{}", failure.message);
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Failure);
}

#[test]
fn a_wish_counts_again_when_everybodys_is_longer_than_it_again() {
    let scene = scene();
    scene.change(&bob(), &shorten(300, None, Mode::Apply)).unwrap();
    for (idle, bobs) in [
        (after(120, 0), after(120, 0)),
        (after(1200, 60), after(300, 20)),
        (ScreenIdle::Personal, ScreenIdle::Personal),
        (after(600, 20), after(300, 20)),
    ] {
        scene.change(&alice(), &set(everybody(idle), Mode::Apply)).unwrap();
        assert_eq!(row(&scene, &bob()).holds, bobs);
    }
    scene.change(&alice(), &unset(NAME, Mode::Apply)).unwrap();
    assert_eq!(row(&scene, &bob()).own, None, "with the setting goes what hangs on it");
}

#[test]
fn who_sets_everybodys_changes_nobodys_own() {
    let scene = scene();
    scene.change(&bob(), &shorten(300, None, Mode::Apply)).unwrap();
    let told = |own: &[(u32, u32)]| {
        let own = own.iter().map(|(account, seconds)| {
            (*account, OwnIdle { account: "bob".into(), seconds: *seconds, delay: 0 })
        });
        Setting::ScreenLockTimeout(ScreenLockTimeout { idle: after(900, 20), own: own.collect() })
    };
    for said in [told(&[]), told(&[(bob().account.uid, 60)]), told(&[(4242, 60)])] {
        scene.change(&alice(), &set(said, Mode::Apply)).unwrap();
        assert_eq!(row(&scene, &bob()).holds, after(300, 20));
        assert_eq!(scene.control.settings.screen_lock_timeout().own.len(), 1);
    }
}

#[test]
fn restored_is_as_everybodys_and_twice_is_once() {
    let scene = scene();
    scene.change(&bob(), &shorten(300, Some(0), Mode::Apply)).unwrap();
    assert_eq!(scene.change(&bob(), &restore()).unwrap().differences.len(), 1);
    assert_eq!((row(&scene, &bob()).own, row(&scene, &bob()).holds), (None, after(600, 20)));
    let orders = scene.orders().len();
    assert!(scene.change(&bob(), &restore()).unwrap().differences.is_empty());
    assert_eq!(scene.orders().len(), orders, "nothing to do for the host");
}

#[test]
fn a_dry_run_keeps_nothing() {
    let scene = scene();
    assert_eq!(scene.change(&bob(), &shorten(300, None, Mode::DryRun)).unwrap().differences.len(), 1);
    assert_eq!(row(&scene, &bob()).own, None);
    assert!(matches!(scene.orders().pop().unwrap(), Order::Apply { mode: Mode::DryRun, .. }));
}

#[test]
fn where_nobody_set_a_time_there_is_nothing_to_shorten() {
    let scene = Scene::new();
    let failure = scene.ask(&bob(), &shorten(300, None, Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert!(failure.message.contains("your desktop's settings"), "{}", failure.message);
    assert!(scene.orders().is_empty() && scene.told().is_empty());
}

#[test]
fn who_holds_no_role_and_what_cannot_be_recorded_or_done_changes_nothing() {
    let scene = scene();
    let nobody = Subject { groups: Default::default(), ..carol() };
    let refused = scene.ask(&nobody, &shorten(300, None, Mode::Apply)).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Denied);
    for (seconds, words) in [(59, "1 minute"), (0, "1 minute")] {
        let failure = scene.ask(&bob(), &shorten(seconds, None, Mode::Apply)).unwrap_err();
        assert!(failure.message.contains(words), "{}", failure.message);
        assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Failure);
    }
    scene.settingsd_says(Ok(Report::Failed("dconf says no".into())));
    let failure = scene.ask(&bob(), &shorten(300, None, Mode::Apply)).unwrap_err();
    assert_eq!(failure.message, "dconf says no");
    scene.shut_trail();
    let failure = scene.ask(&bob(), &shorten(300, None, Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(scene.control.settings.screen_lock_timeout().own.is_empty());
}
