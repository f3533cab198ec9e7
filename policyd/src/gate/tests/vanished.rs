// SPDX-License-Identifier: Apache-2.0
//! A client that vanishes leaves its turn to libvirtd's answer, however long that takes.

use std::sync::atomic::{AtomicUsize, Ordering};

use virtwarden_core::record::Outcome;

use super::libvirtd::*;
use super::*;

/// Longer than answers are waited for that keep nobody waiting.
const LONG: Duration = Duration::from_millis(2500);

fn started(scene: &Scene) -> usize {
    scene.libvirtd.heard().iter().filter(|name| **name == "DOMAIN_CREATE").count()
}

#[test]
fn a_turn_lasts_until_libvirtd_has_answered_though_nobody_waits_for_it() {
    let done = Arc::new(AtomicUsize::new(0));
    let counted = done.clone();
    let script: Script = Arc::new(move |heard| {
        if heard.name != "DOMAIN_CREATE" {
            return None;
        }
        std::thread::sleep(LONG);
        counted.fetch_add(1, Ordering::SeqCst);
        Some(vec![good(heard, &[])])
    });
    let scene = Scene::scripted(USER, script);
    let mut first = scene.open_client();
    first.send("DOMAIN_CREATE", &[vm(BOBS)]);
    while started(&scene) == 0 {
        std::thread::yield_now();
    }
    drop(first);
    let mut second = scene.open_client();
    second.send("DOMAIN_CREATE", &[vm(BOBS)]);
    while started(&scene) == 1 {
        std::thread::yield_now();
    }
    assert_eq!(done.load(Ordering::SeqCst), 1, "the second began when the first was done");
    let events = scene.notebook.events.lock().unwrap();
    let outcome =
        events.iter().find(|(event, _)| event.kind == Kind::Outcome).map(|(event, _)| event.outcome);
    assert_eq!(outcome, Some(Outcome::Success));
}

#[test]
fn a_turn_ends_with_the_libvirtd_that_was_at_work() {
    let calls = Arc::new(AtomicUsize::new(0));
    let script: Script = Arc::new(move |heard| {
        if heard.name != "DOMAIN_CREATE" {
            return None;
        }
        match calls.fetch_add(1, Ordering::SeqCst) {
            0 => {
                std::thread::sleep(LONG);
                Some(vec![vec![]])
            }
            _ => Some(vec![good(heard, &[])]),
        }
    });
    let scene = Scene::scripted(USER, script);
    let mut first = scene.open_client();
    first.send("DOMAIN_CREATE", &[vm(BOBS)]);
    while started(&scene) == 0 {
        std::thread::yield_now();
    }
    drop(first);
    assert_eq!(scene.open_client().call("DOMAIN_CREATE", &[vm(BOBS)]).0, Status::Ok);
}
