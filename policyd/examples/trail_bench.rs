// SPDX-License-Identifier: Apache-2.0
//! How many durable records a second the trail takes, and how long each writer waits.
//!
//! `trail_bench [DIRECTORY [SECONDS]]` writes to that directory, which must be on the disk to be measured,
//! and prints one line of JSON per number of writers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Actor, Event, Kind, Outcome, Target};
use virtwarden_core::subject::{Account, Door, Login, Process};
use virtwarden_core::table3::Function;
use virtwarden_policyd::trail::{Config, Kernel, Trail, TrailError};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let place = arguments.next().map_or_else(|| PathBuf::from("trail-bench"), PathBuf::from);
    let seconds = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(5);
    for writers in [1, 8, 64] {
        if let Err(error) = measure(&place.join(writers.to_string()), writers, Duration::from_secs(seconds)) {
            eprintln!("trail_bench: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(place: &std::path::Path, writers: usize, time: Duration) -> Result<(), TrailError> {
    let config = Config {
        total_bytes: 64 << 30,
        kernel: Kernel::Silent,
        ..Config::new(&place.join("audit"), &place.join("state"))
    };
    let trail = Trail::open(config)?;
    let (stop, start) = (AtomicBool::new(false), Instant::now());
    let mut waits: Vec<Duration> = thread::scope(|scope| {
        let threads: Vec<_> = (0..writers).map(|_| scope.spawn(|| write(&trail, &stop))).collect();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let elapsed = start.elapsed();
    trail.close();
    waits.sort_unstable();
    let at = |part: usize| waits.get(waits.len() * part / 1000).copied().unwrap_or_default().as_micros();
    println!(
        "{{\"writers\":{writers},\"records\":{},\"per_second\":{:.0},\"p50_us\":{},\"p99_us\":{},\"p999_us\":{},\"max_us\":{}}}",
        waits.len(),
        waits.len() as f64 / elapsed.as_secs_f64(),
        at(500),
        at(990),
        at(999),
        waits.last().copied().unwrap_or_default().as_micros(),
    );
    Ok(())
}

/// Writes one record after the other until told to stop, and says how long each took to be durable.
fn write(trail: &Trail, stop: &AtomicBool) -> Vec<Duration> {
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let event = event();
        let begun = Instant::now();
        if let Err(error) = trail.attempt(event) {
            eprintln!("trail_bench: {error}");
            return Vec::new();
        }
        waits.push(begun.elapsed());
    }
    waits
}

fn event() -> Event {
    let account = Account { name: "bob".to_owned(), uid: 1001 };
    Event {
        origin: None,
        kind: Kind::Attempt,
        outcome: Outcome::Pending,
        actor: Some(Actor {
            account: account.clone(),
            login: Some(Login { account, session: 7 }),
            authenticated: None,
            roles: vec!["user".to_owned()],
            process: Process { pid: 4242, start_time: 123_456 },
            door: Door::Libvirt,
        }),
        operation: "DOMAIN_CREATE".to_owned(),
        functions: vec![Function::Start],
        targets: vec![Target {
            kind: "vm".to_owned(),
            name: Some("bobvm".to_owned()),
            uuid: Some(Uuid([7; 16])),
            ..Target::default()
        }],
        detail: String::new(),
        of: None,
        count: None,
    }
}
