// SPDX-License-Identifier: Apache-2.0
//! The writer is killed at any instant: the trail verifies, and no acknowledged attempt is missing.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::trail::verify::Verdict;
use virtwarden_policyd::trail::{Config, Trail};

use crate::scene::{Scene, attempt, outcome};

const PLACE: &str = "VIRTWARDEN_TEST_PLACE";
const LIVES: u64 = 60;

#[test]
fn killed_at_any_instant_the_trail_verifies_and_has_what_it_acknowledged() {
    let mut scene = Scene::new();
    for life in 0..LIVES {
        if life % 15 == 0 {
            scene = Scene::new();
        }
        let acknowledged = live_and_die(&scene, Duration::from_micros(1000 + life * 7919 % 60_000));
        if scene.config.anchor().exists() {
            let report = scene.verify();
            assert_eq!(report.verdict, Verdict::Intact, "before recovery: {report}");
        }
        scene.open().close();
        scene.assert_intact();
        let events = scene.events();
        for (seq, operation) in acknowledged {
            let found = events.iter().find(|(at, _)| *at == seq).map(|(_, event)| event);
            assert!(found.is_some_and(|event| event.operation == operation), "{seq} {operation}: {found:?}");
        }
        assert_each_attempt_has_an_outcome(&scene);
    }
}

/// Runs a writer in a process of its own, kills it, and returns what it was told to be durable.
fn live_and_die(scene: &Scene, after: Duration) -> Vec<(u64, String)> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writer", "--ignored", "--nocapture", "--test-threads=1"])
        .env(PLACE, scene.place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = writer.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text).unwrap()
    });
    thread::sleep(after);
    writer.kill().unwrap();
    writer.wait().unwrap();
    let text = reader.join().unwrap();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let acknowledged = whole.lines().filter_map(|line| line.strip_prefix("ack ")?.split_once(' '));
    acknowledged.map(|(seq, operation)| (seq.parse().unwrap(), operation.to_owned())).collect()
}

fn assert_each_attempt_has_an_outcome(scene: &Scene) {
    let events = scene.events();
    let outcomes: Vec<_> = events.iter().filter(|(_, event)| event.kind == Kind::Outcome).collect();
    for (seq, _) in events.iter().filter(|(_, event)| event.kind == Kind::Attempt) {
        let its: Vec<_> = outcomes.iter().filter(|(_, event)| event.of == Some(*seq)).collect();
        assert_eq!(its.len(), 1, "of {seq}");
    }
    assert!(outcomes.iter().any(|(_, event)| event.outcome == Outcome::Unknown) || outcomes.len() < 50);
}

#[test]
#[ignore = "the process that is killed; started by the test above"]
fn writer() {
    let Some(place) = std::env::var_os(PLACE).map(std::path::PathBuf::from) else { return };
    let scene = Scene::new();
    let config =
        Config { directory: place.join("audit"), state: place.join("state"), ..scene.config.clone() };
    let trail = Arc::new(Trail::open(config).unwrap());
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let trail = Arc::clone(&trail);
            thread::spawn(move || {
                for number in 0.. {
                    let operation = format!("ACT_{writer}_{number}");
                    let seq = trail.attempt(attempt(&operation)).unwrap();
                    let line = format!("ack {seq} {operation}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                    trail.note(outcome(seq, &operation)).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}

#[test]
fn what_was_under_way_is_closed_as_unknown_and_the_torn_end_is_told() {
    let scene = Scene::new();
    let trail = scene.open();
    let of = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    let image: Vec<_> =
        scene.files().into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect();
    trail.close();
    for (path, mut bytes) in image {
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        bytes[end..end + 11].copy_from_slice(b"{\"seq\":5,\"t");
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::remove_file(scene.config.anchor()).unwrap();
    assert_eq!(scene.verify().torn, 11);

    scene.open().close();
    scene.assert_intact();
    let events = scene.events();
    let unknown = events.iter().find(|(_, event)| event.of == Some(of)).unwrap();
    assert_eq!((unknown.1.kind, unknown.1.outcome), (Kind::Outcome, Outcome::Unknown));
    assert_eq!(unknown.1.actor, attempt("DOMAIN_CREATE").actor);
    let torn = events.iter().find(|(_, event)| event.operation == "trail torn").unwrap();
    assert!(torn.1.detail.starts_with("11 bytes"), "{}", torn.1.detail);
    let starts: Vec<_> = events.iter().filter(|(_, event)| event.operation == "trail start").collect();
    assert!(starts[1].1.detail.ends_with("ended without a stop"), "{}", starts[1].1.detail);
}

#[test]
fn what_was_sealed_and_is_damaged_stays_as_evidence() {
    let scene = Scene::new();
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    let path = scene.files().remove(0);
    let changed = std::fs::read_to_string(&path).unwrap().replace("bobvm", "eveve");
    std::fs::write(&path, &changed).unwrap();

    let trail = scene.open();
    let seq = trail.attempt(attempt("DOMAIN_DESTROY")).unwrap();
    trail.close();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), changed);
    assert_eq!(scene.verify().verdict, Verdict::Changed);
    assert!(scene.operations().contains(&"trail damaged".to_owned()));
    assert_eq!(scene.lines().iter().filter(|line| line.seq == seq).count(), 1, "no number is used twice");
}

#[test]
fn an_end_that_was_cut_off_is_noticed_at_the_next_start() {
    let scene = Scene::new();
    scene.open().close();
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    std::fs::remove_file(&scene.files()[1]).unwrap();
    scene.open().close();
    assert!(scene.operations().contains(&"trail truncated".to_owned()));
    assert_eq!(scene.verify().verdict, Verdict::Gap);
}

#[test]
fn a_whole_trail_that_vanished_is_not_begun_anew_in_silence() {
    let scene = Scene::new();
    scene.open().close();
    let last = scene.lines().last().unwrap().seq;
    std::fs::remove_dir_all(&scene.config.directory).unwrap();
    scene.open().close();
    assert_eq!(scene.lines()[0].seq, last + 1);
    assert!(scene.operations().contains(&"trail truncated".to_owned()));
    assert_eq!(scene.verify().verdict, Verdict::Gap);
}

#[test]
fn a_trail_whose_key_is_gone_does_not_open() {
    let scene = Scene::new();
    scene.open().close();
    std::fs::remove_file(scene.config.key()).unwrap();
    let error = Trail::open(scene.config.clone()).unwrap_err().to_string();
    assert!(error.contains("is missing; restore it"), "{error}");
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    scene.open().close();
    std::fs::set_permissions(scene.config.key(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = Trail::open(scene.config.clone()).unwrap_err().to_string();
    assert!(error.contains("set its mode to 0600"), "{error}");
}

#[test]
fn an_interrupted_change_of_keys_is_completed() {
    let scene = Scene::new();
    let trail = scene.open();
    let old = std::fs::read(scene.config.key()).unwrap();
    trail.change_key().unwrap();
    trail.close();
    std::fs::rename(scene.config.key(), scene.config.state.join("trail.key.next")).unwrap();
    std::fs::write(scene.config.key(), old).unwrap();
    std::fs::set_permissions(scene.config.key(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    scene.open().close();
    scene.assert_intact();
}
