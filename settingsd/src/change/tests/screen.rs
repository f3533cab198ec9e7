// SPDX-License-Identifier: Apache-2.0
//! Two settings that have some files in common: what both need stays until the last one goes.

use virtwarden_core::setting::{Locking, OwnIdle, ScreenIdle, ScreenLock, ScreenLockTimeout};

use super::*;
use crate::provider::give_profile;

fn scene() -> (Scene, [Setting; 2]) {
    let idle = ScreenIdle::After { seconds: 600, delay: 20 };
    let lock = Setting::ScreenLock(ScreenLock { locking: Locking::Enabled });
    (Scene::new(), [lock, Setting::ScreenLockTimeout(ScreenLockTimeout::everybody(idle))])
}

#[test]
fn what_two_settings_share_goes_with_the_last_of_them() {
    let (scene, both) = scene();
    let before = scene.etc();
    for (set, unset) in [([0, 1], [0, 1]), ([0, 1], [1, 0]), ([1, 0], [0, 1])] {
        for at in set {
            assert!(matches!(scene.apply(&both[at]), Report::Done(_)));
        }
        assert_eq!(both.each_ref().map(|setting| scene.drift(setting)), [const { Vec::<String>::new() }; 2]);
        let [first, last] = unset.map(|at| both[at].clone());
        assert!(matches!(scene.withdraw(first.name()), Report::Done(_)));
        assert_eq!(scene.drift(&last), Vec::<String>::new(), "{first} took it away");
        assert!(matches!(scene.withdraw(last.name()), Report::Done(_)));
        assert_eq!(scene.etc(), before, "{set:?} {unset:?}");
    }
}

#[test]
fn what_fails_takes_nothing_from_the_other() {
    let (scene, [lock, timeout]) = scene();
    scene.apply(&lock);
    let before = scene.etc();
    scene.fail(Some("/bin/bash -lic"));
    assert!(matches!(scene.apply(&timeout), Report::Failed(_)));
    scene.fail(None);
    assert_eq!(scene.etc(), before);
    assert_eq!(scene.drift(&lock), Vec::<String>::new());
}

#[test]
fn a_key_that_everybody_can_change_and_other_desktops_are_named() {
    let (scene, [lock, _]) = scene();
    scene.apply(&lock);
    scene.write("usr/share/xsessions/plasma.desktop", "");
    scene.write("usr/share/wayland-sessions/gnome.desktop", "");
    scene.write("etc/dconf/db/local.d/locks/90-virtwarden-screen-lock", "");
    let drift = scene.drift(&lock).join("\n");
    for part in ["changed by hand", "lock-enabled` is not locked", "desktop `plasma`"] {
        assert!(drift.contains(part), "{drift}");
    }
    assert!(!drift.contains("`gnome`"), "{drift}");
}

#[test]
fn without_a_desktop_there_is_no_lock_to_set_but_a_console_to_end() {
    let (scene, [lock, timeout]) = scene();
    fs::remove_file(scene.root.path().join("usr/bin/dconf")).unwrap();
    let Report::Failed(why) = scene.apply(&lock) else { panic!("set") };
    assert!(why.contains("install dconf-cli"), "{why}");
    assert!(matches!(scene.apply(&timeout), Report::Done(_)));
    assert!(!scene.root.path().join("etc/dconf").exists());
    assert!(scene.read("etc/profile.d/virtwarden-console.sh").contains("TMOUT=600"));
}

/// Accounts 1001 and 1002 are logged in, and 1001 has the times of `own`.
fn with_own(scene: &Scene, own: (u32, u32)) -> Setting {
    for account in ["1001", "1002"] {
        scene.write(&format!("run/systemd/users/{account}"), "");
    }
    let own = OwnIdle { account: "bob".into(), seconds: own.0, delay: own.1 };
    let idle = ScreenIdle::After { seconds: 600, delay: 20 };
    Setting::ScreenLockTimeout(ScreenLockTimeout { idle, own: [(1001, own)].into() })
}

/// What the unit of each account does.
fn log_in(scene: &Scene) {
    [1001, 1002].into_iter().for_each(|account| give_profile(&scene.host, account).unwrap());
}

#[test]
fn ones_own_database_comes_last_and_goes_with_what_is_in_it() {
    let scene = Scene::new();
    let before = scene.etc();
    let mine = with_own(&scene, (300, 20));
    assert!(matches!(scene.apply(&mine), Report::Done(_)));
    assert!(scene.read("etc/dconf/virtwarden-screen-lock-timeouts").ends_with("delay\n1001 300 20\n"));
    log_in(&scene);
    let lines = |account| {
        scene
            .read(&format!("run/dconf/user/{account}"))
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let everybodys = ["user-db:user", "system-db:local"];
    assert_eq!(lines(1001), [&everybodys[..], &["file-db:/run/virtwarden/desktop/1001"]].concat());
    assert_eq!(lines(1002), everybodys);
    assert!(scene.read("run/virtwarden/desktop/1001").contains("idle-delay=uint32 300\n"));
    assert!(
        scene
            .read("run/virtwarden/desktop/1001.d/locks/own")
            .contains("/org/gnome/desktop/session/idle-delay\n")
    );
    assert_eq!(scene.drift(&mine), Vec::<String>::new());
    assert!(matches!(scene.apply(&with_own(&scene, (900, 60))), Report::Done(_)));
    log_in(&scene);
    assert_eq!(lines(1001), everybodys);
    assert!(matches!(scene.withdraw(mine.name()), Report::Done(_)));
    assert_eq!(scene.etc(), before);
}

#[test]
fn a_desktop_that_does_not_have_ones_own_is_drift_and_a_damaged_list_leaves_everybodys() {
    let scene = Scene::new();
    let mine = with_own(&scene, (300, 20));
    scene.apply(&mine);
    log_in(&scene);
    scene.write("run/virtwarden/desktop/1001", "");
    let drift = scene.drift(&mine).join("\n");
    assert!(drift.contains("account 1001: `/org/gnome/desktop/session/idle-delay` is uint32 600"), "{drift}");
    for damaged in ["1001 300\n", "1001 300 20 9\n", "bob 300 20\n", "1001 -1 20\n", "\n"] {
        scene.write("etc/dconf/virtwarden-screen-lock-timeouts", damaged);
        let why = give_profile(&scene.host, 1001).unwrap_err();
        assert!(why.contains("is no line of it"), "{why}");
        assert!(!scene.read("run/dconf/user/1001").contains("file-db"), "{damaged}");
    }
    scene.fail(Some("/usr/bin/dconf compile"));
    scene.write("etc/dconf/virtwarden-screen-lock-timeouts", "1001 300 20\n");
    assert!(give_profile(&scene.host, 1001).unwrap_err().contains("it says no"));
    assert!(scene.read("run/dconf/user/1001").ends_with("system-db:local\n"));
    fs::remove_file(scene.root.path().join("etc/dconf/profile/user")).unwrap();
    assert!(give_profile(&scene.host, 1001).unwrap_err().contains("there is no"));
}
