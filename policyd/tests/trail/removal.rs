// SPDX-License-Identifier: Apache-2.0
//! Old segments are deleted by order: only they go, the trail says so, and what anybody else removes is still found.

use std::fs;
use std::time::Duration;

use virtwarden_core::control::Before;
use virtwarden_core::trail::verify::Verdict;
use virtwarden_policyd::trail::{Config, Trail, TrailError};

use crate::scene::{Scene, attempt};

impl Scene {
    /// A trail of several segments, open.
    fn with_segments(&self, count: usize) -> Trail {
        let trail = self.open();
        while self.files().len() < count {
            trail.attempt(attempt("DOMAIN_RESUME")).unwrap();
        }
        trail
    }
}

fn remove(trail: &Trail, before: Before) -> u64 {
    let removable = trail.removable(before).unwrap().unwrap();
    trail.remove(removable.through, "alice, audit delete").unwrap();
    removable.last
}

#[test]
fn what_was_deleted_by_order_is_told_and_the_rest_is_whole() {
    let scene = Scene::new();
    let trail = scene.with_segments(5);
    let last = remove(&trail, Before::Segment(4));
    trail.close();
    assert_eq!(scene.files().len(), 2);
    let report = scene.assert_intact();
    assert_eq!(report.first, Some(last + 1));
    let removed = report.removed.unwrap();
    assert_eq!((removed.from, removed.through, removed.last), (3, 3, Some(last)), "one record for each");
    assert!(removed.to_string().contains("alice"), "{removed}");
}

#[test]
fn what_somebody_else_removes_besides_is_still_found() {
    let scene = Scene::new();
    let trail = scene.with_segments(5);
    remove(&trail, Before::Segment(3));
    trail.close();
    fs::remove_file(&scene.files()[0]).unwrap();
    let report = scene.verify();
    assert_eq!((report.verdict, report.removed), (Verdict::Gap, None), "{}", report.reason);
}

#[test]
fn without_any_order_a_missing_segment_is_a_gap() {
    let scene = Scene::new();
    scene.with_segments(3).close();
    fs::remove_file(&scene.files()[0]).unwrap();
    assert_eq!(scene.verify().verdict, Verdict::Gap);
}

#[test]
fn a_deletion_that_was_interrupted_leaves_a_whole_trail() {
    let scene = Scene::new();
    let trail = scene.with_segments(4);
    let kept = fs::read(&scene.files()[1]).unwrap();
    let path = scene.files()[1].clone();
    remove(&trail, Before::Segment(3));
    trail.close();
    // The record of segment 2 was written, but the machine died before the file went.
    fs::write(path, kept).unwrap();
    scene.assert_intact();
    scene.open().close();
    scene.assert_intact();
}

#[test]
fn the_segment_that_is_written_stays_and_what_is_newer_than_asked_too() {
    let scene = Scene::new();
    let trail = scene.with_segments(3);
    let (all, none) = (Before::Segment(u64::MAX), Before::Time(0));
    assert_eq!(trail.removable(none).unwrap(), None);
    assert_eq!(trail.removable(Before::Segment(1)).unwrap(), None);
    let all = trail.removable(all).unwrap().unwrap();
    assert_eq!((all.from, all.through), (1, 2));
    assert_eq!(trail.removable(Before::Time(u64::MAX)).unwrap().unwrap(), all);
    let first = trail.removable(Before::Time(all.until.micros())).unwrap().unwrap();
    assert_eq!(first.through, 1, "the second may have a line of that very moment");
}

#[test]
fn a_full_trail_takes_the_order_that_makes_room_and_goes_on() {
    let mut scene = Scene::new();
    let retry_after = Duration::from_secs(60);
    scene.config = Config { total_bytes: 4 * (256 << 10), retry_after, ..scene.config };
    let trail = scene.open();
    let error = loop {
        if let Err(error) = trail.attempt(attempt("DOMAIN_RESUME")) {
            break error;
        }
    };
    assert!(matches!(error, TrailError::Full), "{error}");
    assert!(matches!(trail.attempt(attempt("DOMAIN_DESTROY")), Err(TrailError::Full)));
    let order = trail.attempt_to_make_room(attempt("audit delete")).unwrap();
    remove(&trail, Before::Segment(3));
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    let report = scene.assert_intact();
    assert!(report.removed.is_some());
    assert!(scene.events().iter().any(|(seq, event)| *seq == order && event.operation == "audit delete"));
    assert!(!scene.operations().contains(&"DOMAIN_DESTROY".to_owned()));
}

#[test]
fn whoever_copies_a_full_trail_leaves_room_for_the_order_to_delete() {
    let mut scene = Scene::new();
    scene.config = Config { total_bytes: 4 * (256 << 10), ..scene.config };
    let trail = scene.open();
    while trail.attempt(attempt("DOMAIN_RESUME")).is_ok() {}
    let copies = (0..1000).take_while(|_| trail.attempt_to_save(attempt("audit export")).is_ok()).count();
    assert!((4..100).contains(&copies), "{copies}");
    trail.attempt_to_make_room(attempt("audit delete")).unwrap();
    remove(&trail, Before::Segment(3));
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    scene.assert_intact();
    assert_eq!(scene.operations().iter().filter(|operation| *operation == "audit export").count(), copies);
}

#[test]
fn a_full_trail_does_not_give_its_last_room_away() {
    let mut scene = Scene::new();
    scene.config = Config { total_bytes: 2 * (256 << 10), ..scene.config };
    let trail = scene.open();
    while trail.attempt(attempt("DOMAIN_RESUME")).is_ok() {}
    let orders =
        (0..1000).take_while(|_| trail.attempt_to_make_room(attempt("audit delete")).is_ok()).count();
    assert!((1..100).contains(&orders), "{orders}");
    let longest = scene.files().iter().map(|file| fs::metadata(file).unwrap().len()).max();
    assert!(longest <= Some(256 << 10), "{longest:?}");
}
