// SPDX-License-Identifier: Apache-2.0
//! Two settings that have some files in common: what both need stays until the last one goes.

use virtwarden_core::setting::{Locking, ScreenIdle, ScreenLock, ScreenLockTimeout};

use super::*;

fn scene() -> (Scene, [Setting; 2]) {
    let idle = ScreenIdle::After { seconds: 600, delay: 20 };
    let lock = Setting::ScreenLock(ScreenLock { locking: Locking::Enabled });
    (Scene::new(), [lock, Setting::ScreenLockTimeout(ScreenLockTimeout { idle })])
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
