// SPDX-License-Identifier: Apache-2.0
//! Lines handed over to somebody who comes and goes.

use std::fs;

use tempfile::TempDir;
use virtwarden_core::record::{Event, Kind};

use super::*;
use crate::trail::{Config, Kernel, Trail};

struct Scene {
    place: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    fn forward(&self) -> Forward {
        Forward { socket: self.place.path().join("records"), cursor: self.place.path().join("cursor") }
    }

    fn open(&self) -> Trail {
        let (audit, state) = (self.place.path().join("audit"), self.place.path().join("state"));
        let config = Config {
            segment_bytes: 256 << 10,
            reserve_bytes: 0,
            kernel: Kernel::Silent,
            forward: Some(self.forward()),
            ..Config::new(&audit, &state)
        };
        Trail::open(config).unwrap()
    }

    /// Waits until this is in a segment.
    fn has_recorded(&self, what: &str) {
        let segments = || fs::read_dir(self.place.path().join("audit")).unwrap().flatten();
        let holds =
            |path: PathBuf| fs::read(path).is_ok_and(|text| String::from_utf8_lossy(&text).contains(what));
        while !segments().any(|entry| holds(entry.path())) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn taker(&self) -> UnixDatagram {
        let _gone = fs::remove_file(self.forward().socket);
        let taker = UnixDatagram::bind(self.forward().socket).unwrap();
        taker.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        taker
    }
}

fn happens(trail: &Trail, what: &str) {
    trail.note(of_trail(what, Outcome::Success, String::new())).unwrap();
}

/// What arrives until something that is called so; each as its number and its operation.
fn arrives(taker: &UnixDatagram, last: &str) -> Vec<(u64, String)> {
    let mut arrived = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while arrived.last().is_none_or(|(_, operation): &(u64, String)| operation != last) {
        let length = taker.recv(&mut buffer).expect(last);
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        assert!(message.starts_with("<109>1 20"), "{message}");
        let (head, text) = message.split_once(" - {").unwrap();
        let line = Line::parse(format!("{{{text}").as_bytes()).unwrap();
        assert!(head.ends_with(&format!(" - virtwarden - {}", line.seq)), "{head}");
        if let Entry::Record(event) = line.entry {
            let Event { operation, kind, .. } = *event;
            assert_ne!(kind, Kind::Denial);
            arrived.push((line.seq, operation));
        }
    }
    arrived
}

fn operations(arrived: &[(u64, String)]) -> Vec<&str> {
    let theirs = arrived.iter().map(|(_, operation)| operation.as_str());
    theirs.filter(|operation| !operation.starts_with("trail")).collect()
}

#[test]
fn what_is_recorded_is_handed_over_and_waits_while_nobody_takes_it() {
    let scene = Scene::new();
    let trail = scene.open();
    happens(&trail, "before anybody was set");
    scene.has_recorded("before anybody was set");
    let taker = scene.taker();
    // Begins with what comes once somebody is there.
    while !scene.forward().cursor.exists() {
        thread::sleep(Duration::from_millis(20));
    }
    happens(&trail, "one");
    assert_eq!(operations(&arrives(&taker, "one")), ["one"]);
    drop(taker);
    fs::remove_file(scene.forward().socket).unwrap();
    happens(&trail, "two");
    happens(&trail, "three");
    let taker = scene.taker();
    let arrived = arrives(&taker, "three");
    assert_eq!(operations(&arrived), ["two", "three"]);
    assert!(arrived.windows(2).all(|pair| pair[0].0 < pair[1].0), "{arrived:?}");
}

#[test]
fn a_restart_leaves_nothing_out() {
    let scene = Scene::new();
    let taker = scene.taker();
    let trail = scene.open();
    while !scene.forward().cursor.exists() {
        thread::sleep(Duration::from_millis(20));
    }
    happens(&trail, "one");
    let first = arrives(&taker, "one");
    drop(trail);
    drop(taker);
    fs::remove_file(scene.forward().socket).unwrap();
    let trail = scene.open();
    happens(&trail, "two");
    let taker = scene.taker();
    happens(&trail, "three");
    let then = arrives(&taker, "three");
    assert!(operations(&then).ends_with(&["two", "three"]), "{then:?}");
    // At least once: what was handed over just before the end may come again, under its number.
    assert!(then[0].0 <= first.last().unwrap().0 + 8, "{first:?} {then:?}");
}

#[test]
fn the_first_server_gets_what_came_after_it_was_set_and_nothing_from_before() {
    let scene = Scene::new();
    let trail = scene.open();
    happens(&trail, "before");
    trail.begin_sending().unwrap();
    // Recorded before anybody takes lines, as where rsyslogd is slow to start.
    happens(&trail, "one");
    let taker = scene.taker();
    let arrived = arrives(&taker, "one");
    assert_eq!(operations(&arrived), ["one"]);
}

#[test]
fn what_came_while_there_was_no_server_is_not_sent_to_the_next() {
    let scene = Scene::new();
    let trail = scene.open();
    trail.begin_sending().unwrap();
    happens(&trail, "one");
    let taker = scene.taker();
    assert_eq!(operations(&arrives(&taker, "one")), ["one"]);
    drop(taker);
    fs::remove_file(scene.forward().socket).unwrap();
    happens(&trail, "between");
    trail.begin_sending().unwrap();
    happens(&trail, "two");
    assert_eq!(operations(&arrives(&scene.taker(), "two")), ["two"]);
}
