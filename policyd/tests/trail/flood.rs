// SPDX-License-Identifier: Apache-2.0
//! One account floods the trail with refusals: others lose nothing, the disk does not fill.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::record::{Event, Kind};

use crate::scene::{Scene, attempt, denial};

const FLOOD: usize = 50_000;

#[test]
fn a_flood_costs_nobody_else_a_record_and_little_space() {
    let scene = Scene::new();
    let trail = Arc::new(scene.open());
    let eve = {
        let trail = Arc::clone(&trail);
        thread::spawn(move || {
            for number in 0..FLOOD {
                let detail = format!("may not touch {}\u{1b}{}", "x".repeat(5000), number);
                trail.deny(Event { detail, ..denial("eve", 1003, &format!("ACT_{}", number % 100)) });
            }
        })
    };
    let mut slowest = Duration::ZERO;
    let mut acknowledged = Vec::new();
    for _ in 0..100 {
        let begun = Instant::now();
        acknowledged.push(trail.attempt(attempt("DOMAIN_CREATE")).unwrap());
        slowest = slowest.max(begun.elapsed());
        trail.deny(denial("carol", 1002, "DOMAIN_DEFINE_XML"));
        thread::sleep(Duration::from_millis(2));
    }
    eve.join().unwrap();
    trail.close();

    scene.assert_intact();
    let events = scene.events();
    for seq in acknowledged {
        assert!(events.iter().any(|(at, event)| *at == seq && event.kind == Kind::Attempt));
    }
    assert_eq!(refusals(&events, "carol"), 100, "counted or not, none is missing");
    assert_eq!(refusals(&events, "eve"), FLOOD as u64);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let size: u64 = scene.files().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(size < 1_000_000, "{size}");
}

/// All refusals of an account, each recorded one counted once, repeated ones as often as they say.
fn refusals(events: &[(u64, Event)], name: &str) -> u64 {
    let by = |event: &&Event| event.actor.as_ref().is_some_and(|actor| actor.account.name == name);
    let times = |event: &Event| match event.kind {
        Kind::Denial => 1,
        Kind::Repeated => event.count.unwrap(),
        _ => 0,
    };
    events.iter().map(|(_, event)| event).filter(by).map(times).sum()
}

#[test]
fn counts_are_recorded_while_it_goes_on_and_name_the_last_single_refusal() {
    let scene = Scene::new();
    let trail = scene.open();
    for _ in 0..310 {
        trail.deny(denial("eve", 1003, "DOMAIN_CREATE"));
    }
    let begun = Instant::now();
    let repeated = loop {
        let found = scene.events().into_iter().find(|(_, event)| event.kind == Kind::Repeated);
        if let Some((_, event)) = found {
            break event;
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(50));
    };
    let events = scene.events();
    let last = events.iter().rfind(|(_, event)| event.kind == Kind::Denial).unwrap().0;
    assert_eq!((repeated.of, repeated.count), (Some(last), Some(10)));
    assert_eq!(repeated.operation, "DOMAIN_CREATE");
    drop(trail);
}
