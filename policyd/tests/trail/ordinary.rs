// SPDX-License-Identifier: Apache-2.0
//! Ordinary days: records go in, the trail verifies, runs follow each other.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::verify::{Expectation, Verdict};
use virtwarden_policyd::trail::{News, Trail, TrailError};

use crate::scene::{Scene, attempt, denial, outcome};

#[test]
fn what_is_done_stands_in_the_trail_between_start_and_stop() {
    let scene = Scene::new();
    let trail = scene.open();
    let of = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.note(outcome(of, "DOMAIN_CREATE")).unwrap();
    trail.deny(denial("bob", 1001, "DOMAIN_DEFINE_XML"));
    trail.close();

    let operations = ["trail start", "DOMAIN_CREATE", "DOMAIN_CREATE", "DOMAIN_DEFINE_XML", "trail stop"];
    assert_eq!(scene.operations(), operations);
    assert!(scene.events().contains(&(of, attempt("DOMAIN_CREATE"))));
    let report = scene.assert_intact();
    assert_eq!(report.unsealed, 0);
    assert_eq!(report.first, Some(1));
}

#[test]
fn an_attempt_is_on_disk_when_the_call_returns() {
    let scene = Scene::new();
    let trail = scene.open();
    for _ in 0..20 {
        let seq = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
        assert!(scene.events().iter().any(|(at, _)| *at == seq));
    }
}

#[test]
fn many_writers_over_many_segments_and_runs_make_one_chain() {
    let scene = Scene::new();
    for _ in 0..3 {
        let trail = Arc::new(scene.open());
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let trail = Arc::clone(&trail);
                thread::spawn(move || {
                    for _ in 0..200 {
                        let of = trail.attempt(attempt("DOMAIN_SUSPEND")).unwrap();
                        trail.note(outcome(of, "DOMAIN_SUSPEND")).unwrap();
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        trail.close();
    }
    let report = scene.assert_intact();
    assert!(report.segments > 6, "{report:?}");
    let attempts = scene.events().iter().filter(|(_, event)| event.kind == Kind::Attempt).count();
    assert_eq!(attempts, 3 * 8 * 200);
    assert!(!scene.events().iter().any(|(_, event)| event.outcome == Outcome::Unknown));
}

#[test]
fn nothing_stays_unsealed_for_long_and_silence_is_sealed_too() {
    let mut scene = Scene::new();
    scene.config.heartbeat = Duration::from_millis(300);
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    thread::sleep(Duration::from_millis(1000));
    let strict = Expectation { unsealed: 0, ..scene.expectation() };
    let report = scene.verify_against(&strict);
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
    assert!(report.checkpoints >= 3, "{report:?}");
    drop(trail);
}

#[test]
fn checkpoints_name_the_policy_that_was_in_force() {
    let mut scene = Scene::new();
    let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
    scene.config.policy = old;
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.adopt_policy(new).unwrap();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    let lines = scene.lines();
    let policies: Vec<_> = lines
        .iter()
        .filter_map(|line| match &line.entry {
            Entry::Checkpoint(checkpoint) => Some(checkpoint.policy),
            _ => None,
        })
        .collect();
    assert_eq!(policies, [old, old, new]);
}

#[test]
fn a_new_key_takes_over_and_the_old_one_vouches_for_it() {
    let scene = Scene::new();
    let trail = scene.open();
    let first = Expectation { anchor: None, ..scene.expectation() };
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.change_key().unwrap();
    trail.attempt(attempt("DOMAIN_DESTROY")).unwrap();
    trail.close();
    scene.open().close();
    assert_eq!((first.keys.len(), scene.keys().len()), (1, 2));
    scene.assert_intact();
    let report = scene.verify_against(&first);
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
}

#[test]
fn followers_see_each_durable_line() {
    let scene = Scene::new();
    let trail = scene.open();
    let follower = trail.follow();
    let seq = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    let News::Line(text) = follower.next(Duration::from_secs(5)) else { panic!("no news") };
    assert!(text.starts_with(format!("{{\"seq\":{seq},").as_bytes()) && text.ends_with(b"}\n"));
    trail.close();
    let mut last = follower.next(Duration::from_secs(5));
    while let News::Line(_) = last {
        last = follower.next(Duration::from_secs(5));
    }
    assert_eq!(last, News::Closed);
}

#[test]
fn a_closed_trail_takes_nothing() {
    let scene = Scene::new();
    let trail = scene.open();
    trail.close();
    assert!(matches!(trail.attempt(attempt("DOMAIN_CREATE")), Err(TrailError::Closed)));
    assert!(matches!(trail.note(attempt("DOMAIN_CREATE")), Err(TrailError::Closed)));
}

#[test]
fn one_trail_has_one_writer() {
    let scene = Scene::new();
    let trail = scene.open();
    assert!(matches!(Trail::open(scene.config.clone()), Err(TrailError::Busy(_))));
    drop(trail);
    scene.open();
}

#[test]
fn the_anchor_soon_follows_the_last_checkpoint() {
    let scene = Scene::new();
    let trail = scene.open();
    assert_eq!(trail.verify().unwrap().verdict, Verdict::Intact, "there is an anchor from the start");
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.seal().unwrap();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    let last = trail.seal().unwrap();
    thread::sleep(Duration::from_millis(600));
    assert_eq!(scene.expectation().anchor.unwrap().seq, last);
}

#[test]
fn followers_see_what_the_trail_says_of_itself() {
    let scene = Scene::new();
    let trail = scene.open();
    let follower = trail.follow();
    trail.close();
    let lines = std::iter::from_fn(|| match follower.next(Duration::from_secs(5)) {
        News::Line(line) => Some(String::from_utf8_lossy(&line).into_owned()),
        News::Quiet | News::Lagged | News::Closed => None,
    });
    assert!(lines.collect::<String>().contains("\"operation\":\"trail stop\""));
}

#[test]
fn a_change_of_keys_that_cannot_be_made_leaves_the_old_key() {
    let scene = Scene::new();
    let trail = scene.open();
    std::fs::create_dir(scene.config.state.join("trail.key.next")).unwrap();
    assert!(trail.change_key().is_err());
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    assert_eq!(scene.keys().len(), 1);
    scene.assert_intact();
}

#[test]
fn files_are_for_their_owner_alone_but_for_the_public_ones() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    scene.open().close();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scene.config.directory), 0o700);
    assert_eq!(mode(&scene.files()[0]), 0o600);
    assert_eq!(mode(&scene.config.key()), 0o600);
    assert_eq!(mode(&scene.config.public_key()), 0o644);
    assert_eq!(mode(&scene.config.anchor()), 0o644);
}

#[test]
fn hostile_names_show_nothing_odd_in_the_file() {
    let scene = Scene::new();
    let trail = scene.open();
    let mut event = attempt("DOMAIN_CREATE");
    event.targets[0].name = Some("\u{1b}]0;pwned\u{7}\u{202e}\nres=success\u{9b}".to_owned());
    let seq = trail.attempt(event.clone()).unwrap();
    trail.close();
    let bytes = std::fs::read(&scene.files()[0]).unwrap();
    assert!(bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
    assert!(scene.events().contains(&(seq, event)));
}

#[test]
fn under_load_the_lines_between_two_checkpoints_are_bounded() {
    let mut scene = Scene::new();
    (scene.config.seal_lines, scene.config.seal_after) = (10, Duration::from_secs(3600));
    let trail = scene.open();
    for _ in 0..35 {
        trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    }
    let report = scene.assert_intact();
    assert!(report.unsealed < 10 && report.checkpoints >= 4, "{report:?}");
}
