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
