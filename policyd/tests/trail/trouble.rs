// SPDX-License-Identifier: Apache-2.0
//! The disk is full, fails, or loses power: nothing that was acknowledged is lost, nothing goes unrecorded.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::record::{Event, Kind};
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::verify::Verdict;
use virtwarden_policyd::trail::{Config, HostClock, Trail, TrailError, WhenFull};

use crate::disk::{Mood, MoodyDisk};
use crate::scene::{Scene, attempt, denial, outcome};

impl Scene {
    fn open_on(&self, disk: &Arc<MoodyDisk>) -> Trail {
        let clock = Arc::new(HostClock::new().unwrap());
        Trail::open_in(self.config.clone(), Arc::clone(disk) as _, clock).unwrap()
    }

    fn disk(&self) -> Arc<MoodyDisk> {
        Arc::new(MoodyDisk::new(&self.config.directory))
    }
}

fn until_recorded(trail: &Trail) -> u64 {
    let begun = Instant::now();
    loop {
        match trail.attempt(attempt("DOMAIN_RESUME")) {
            Ok(seq) => return seq,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(10), "{error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn until_refused(trail: &Trail) -> TrailError {
    let begun = Instant::now();
    loop {
        if let Err(error) = trail.attempt(attempt("DOMAIN_CREATE")) {
            return error;
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn a_failed_sync_refuses_until_the_disk_works_and_says_so_then() {
    let scene = Scene::new();
    let disk = scene.disk();
    let trail = scene.open_on(&disk);
    let before = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    disk.set(Mood::SyncFails);
    assert!(matches!(trail.attempt(attempt("DOMAIN_DESTROY")), Err(TrailError::Failed(_))));
    assert!(matches!(trail.attempt(attempt("DOMAIN_DESTROY")), Err(TrailError::Failed(_))));
    trail.note(outcome(before, "DOMAIN_CREATE")).unwrap();
    trail.deny(denial("bob", 1001, "DOMAIN_UNDEFINE"));
    thread::sleep(Duration::from_millis(100));
    disk.set(Mood::Good);
    until_recorded(&trail);
    trail.close();

    scene.assert_intact();
    let events = scene.events();
    assert!(!events.iter().any(|(_, event)| event.operation == "DOMAIN_DESTROY"), "it was never permitted");
    assert!(events.iter().any(|(_, event)| event.of == Some(before)), "its outcome was kept");
    let resume = events.iter().find(|(_, event)| event.operation == "trail resume").unwrap();
    assert!(resume.1.detail.contains("1 denials and 0 outcomes"), "{}", resume.1.detail);
    assert!(resume.1.detail.contains("Input/output error"), "{}", resume.1.detail);
}

#[test]
fn nothing_of_a_group_that_failed_stays_behind_the_end() {
    let scene = Scene::new();
    let disk = scene.disk();
    let trail = scene.open_on(&disk);
    disk.set(Mood::SyncFails);
    let long = Event { detail: "x".repeat(1000), ..attempt("DOMAIN_DESTROY") };
    assert!(trail.attempt(long).is_err());
    disk.set(Mood::Good);
    until_recorded(&trail);
    scene.assert_intact();
}

#[test]
fn a_segment_whose_sync_failed_once_takes_nothing_more() {
    let scene = Scene::new();
    let disk = scene.disk();
    let trail = scene.open_on(&disk);
    let last = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    disk.set(Mood::SyncFailsOnce);
    assert!(trail.attempt(attempt("DOMAIN_DESTROY")).is_err());
    until_recorded(&trail);
    let next = scene.lines().into_iter().find(|line| line.seq == last + 1).unwrap();
    assert!(matches!(next.entry, Entry::Segment(_)), "{next:?}");
    scene.assert_intact();
}

#[test]
fn an_outcome_in_a_group_that_failed_is_written_later() {
    let scene = Scene::new();
    let disk = scene.disk();
    let trail = scene.open_on(&disk);
    let of = trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    disk.set(Mood::SyncFails);
    trail.note(outcome(of, "DOMAIN_CREATE")).unwrap();
    until_refused(&trail);
    disk.set(Mood::Good);
    until_recorded(&trail);
    assert!(scene.events().iter().any(|(_, event)| event.of == Some(of)));
}

#[test]
fn space_that_is_left_to_others_is_not_taken() {
    let mut scene = Scene::new();
    scene.config.reserve_bytes = u64::MAX / 2;
    let trail = scene.open();
    assert!(matches!(trail.attempt(attempt("DOMAIN_CREATE")), Err(TrailError::Full)));
}

#[test]
fn what_waits_is_bounded_and_what_finds_no_room_is_counted() {
    let mut scene = Scene::new();
    scene.config.queue_bytes = 64 << 10;
    let disk = scene.disk();
    let trail = scene.open_on(&disk);
    disk.set(Mood::SyncFails);
    until_refused(&trail);
    let notes = (0..1000).filter(|of| trail.note(outcome(*of, "DOMAIN_CREATE")).is_ok()).count();
    assert!((50..200).contains(&notes), "{notes}");
    disk.set(Mood::Good);
    until_recorded(&trail);
    let resume = scene.events().into_iter().find(|(_, event)| event.operation == "trail resume").unwrap().1;
    assert!(resume.detail.contains(&format!("{} outcomes not recorded", 1000 - notes)), "{}", resume.detail);
}

#[test]
fn a_full_disk_refuses_and_both_its_ends_are_recorded() {
    let scene = Scene::new();
    let disk = scene.disk();
    let trail = scene.open_on(&disk);
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    disk.set(Mood::Full);
    assert!(matches!(until_refused(&trail), TrailError::Full));
    let refused = 1 + (0..10).filter(|_| trail.attempt(attempt("DOMAIN_CREATE")).is_err()).count();
    assert_eq!(refused, 11);
    disk.set(Mood::Good);
    until_recorded(&trail);
    trail.close();

    scene.assert_intact();
    let operations = scene.operations();
    let at = |operation| operations.iter().position(|other| other == operation).unwrap();
    assert!(at("trail full") < at("trail resume") && at("trail resume") < at("DOMAIN_RESUME"));
}

#[test]
fn at_its_greatest_size_the_trail_refuses() {
    let mut scene = Scene::new();
    scene.config.total_bytes = 4 * scene.config.segment_bytes;
    let trail = scene.open();
    assert!(matches!(until_refused(&trail), TrailError::Full));
    trail.close();
    scene.assert_intact();
    let size: u64 = scene.files().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(size <= scene.config.total_bytes, "{size}");
    assert!(scene.operations().contains(&"trail full".to_owned()));
}

#[test]
fn a_full_trail_opens_refusing() {
    let mut scene = Scene::new();
    scene.config.total_bytes = 2 * scene.config.segment_bytes;
    let trail = scene.open();
    until_refused(&trail);
    trail.close();
    let trail = scene.open();
    assert!(matches!(trail.attempt(attempt("DOMAIN_CREATE")), Err(TrailError::Full)));
    trail.close();
    scene.config.total_bytes *= 2;
    scene.open().close();
    scene.assert_intact();
}

#[test]
fn where_the_oldest_may_go_it_goes_and_that_is_recorded() {
    let mut scene = Scene::new();
    scene.config.total_bytes = 4 * scene.config.segment_bytes;
    scene.config.when_full = WhenFull::OverwriteOldest;
    let trail = Arc::new(scene.open());
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let trail = Arc::clone(&trail);
            thread::spawn(move || (0..250).all(|_| trail.attempt(attempt("DOMAIN_CREATE")).is_ok()))
        })
        .collect();
    assert!(writers.into_iter().all(|writer| writer.join().unwrap()));
    trail.close();
    let report = scene.assert_intact();
    assert!(report.first.unwrap() > 1, "{report:?}");
    assert!(scene.lines().iter().any(|line| matches!(line.entry, Entry::Removal(_))));
    let size: u64 = scene.files().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(size <= scene.config.total_bytes, "{size}");
    std::fs::remove_file(&scene.files()[0]).unwrap();
    assert_eq!(scene.verify().verdict, Verdict::Gap, "one more than was recorded");
}

/// A small file system of its own, gone with this even if the test fails.
struct SmallFileSystem(PathBuf);

impl SmallFileSystem {
    /// None if this account may not mount.
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs"];
        let output = Command::new("mount").args(options).arg(&path).output();
        output.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for SmallFileSystem {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_real_small_file_system_fills_up_and_is_freed() {
    let scene = Scene::new();
    let Some(mounted) = SmallFileSystem::mount(scene.place.path().join("small")) else {
        eprintln!("skipped: mounting needs root");
        return;
    };
    let config = Config { directory: mounted.0.join("audit"), ..scene.config.clone() };
    let ballast = mounted.0.join("ballast");
    let small = Scene { config, ..scene };
    let trail = small.open();
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    assert!(matches!(until_refused(&trail), TrailError::Full));
    std::fs::remove_file(&ballast).unwrap();
    until_recorded(&trail);
    trail.close();
    small.assert_intact();
    assert!(small.operations().contains(&"trail resume".to_owned()));
    // Gone before the directory that it is mounted in.
    drop(mounted);
}

#[test]
fn a_power_failure_loses_nothing_that_was_acknowledged() {
    for luck in 0..40_u64 {
        let scene = Scene::new();
        let disk = scene.disk();
        let trail = Arc::new(scene.open_on(&disk));
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let trail = Arc::clone(&trail);
                thread::spawn(move || {
                    let attempts = std::iter::repeat_with(|| trail.attempt(attempt("DOMAIN_CREATE")));
                    attempts.map_while(Result::ok).collect::<Vec<_>>()
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(luck % 10));
        disk.set(Mood::PowerFails(luck.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let acknowledged: Vec<u64> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        drop(trail);

        scene.open().close();
        scene.assert_intact();
        let events = scene.events();
        for seq in acknowledged {
            assert!(
                events.iter().any(|(at, event)| *at == seq && event.kind == Kind::Attempt),
                "{seq} ({luck})"
            );
        }
    }
}
