// SPDX-License-Identifier: Apache-2.0
//! What shells ask while somebody types.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use virtwarden_core::control::{Reply, Request};

use super::scene::Scene;
use super::vm;

fn offered(scene: &Scene, words: &[&str]) -> String {
    let run = scene.run(&[&["complete", "--"], words].concat());
    assert_eq!((run.code(), run.err().as_str()), (0, ""), "{words:?}");
    run.out()
}

#[test]
fn vms_are_those_that_policyd_lists_and_the_shell_can_hold() {
    let scene = Scene::new();
    let names = ["bobvm", "bobs own", "bo$(reboot)", "finance", "bob\u{1b}[2J"];
    let rows = names.iter().map(|name| Reply::Vm(vm(name, 1, None))).chain([Reply::End { replies: 5 }]);
    let policyd = scene.policyd(vec![rows.collect()]);
    assert_eq!(offered(&scene, &["vm", "show", "bo"]), "bobvm\n");
    assert_eq!(policyd.join().unwrap(), [Request::VmList]);
}

#[test]
fn a_user_who_may_connect_no_media_is_not_refused_by_a_key() {
    let scene = Scene::new();
    let policyd = scene.policyd(vec![vec![]]);
    assert_eq!(offered(&scene, &["media", "insert", "bobvm", ""]), "");
    assert_eq!(policyd.join().unwrap(), [Request::Whoami]);
}

#[test]
fn keys_and_words_of_a_setting_need_no_policyd() {
    let scene = Scene::new();
    assert_eq!(offered(&scene, &["setting", "set", "time-servers", ""]), "proof=\nservers=\n");
    assert_eq!(offered(&scene, &["setting", "set", "time-servers", "proof=n"]), "proof=nothing\nproof=nts\n");
    assert_eq!(offered(&scene, &["setting", "set", "screen-lock", "lock=e"]), "lock=enabled\n");
    assert_eq!(offered(&scene, &["setting", "show", "host"]), "host-media\n");
    assert_eq!(offered(&scene, &["policy", "explain", "bob", "checkp"]), "checkpoint\n");
    for nothing in
        [&["vm", "sh"][..], &["vm", "list", "x"], &["no", "such", "noun"], &["vm", "show", "--js"], &[""]]
    {
        assert_eq!(offered(&scene, nothing), "", "{nothing:?}");
    }
}

#[test]
fn a_policyd_that_does_not_answer_is_not_waited_for() {
    let scene = Scene::new();
    let _silent = UnixListener::bind(scene.socket()).unwrap();
    let begun = Instant::now();
    assert_eq!(offered(&scene, &["vm", "show", ""]), "");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
