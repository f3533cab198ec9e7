// SPDX-License-Identifier: Apache-2.0
//! What is measured over one way into libvirt.

use std::error::Error;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::cpu::Used;
use crate::line::{Line, measure_and_size};
use crate::link::{Link, string};

const LIST_ALL_DOMAINS: u32 = 273;
const LOOKUP_BY_NAME: u32 = 23;
const GET_INFO: u32 = 16;
const CREATE: u32 = 9;
const DESTROY: u32 = 12;
const ATTACH_DEVICE_FLAGS: u32 = 160;
const DETACH_DEVICE_FLAGS: u32 = 161;
/// For the next start.
const CONFIG: u32 = 2;
/// The disk that is plugged in and out.
const DISK: &str = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>\
    <source file='/srv/bench/spare.qcow2'/><target dev='vdz' bus='virtio'/></disk>";

/// The VM that is looked at, and the one that is started.
const LOOKED_AT: &str = "bench-0";
const STARTED: &str = "bench-start";

/// Runs one measurement and prints its line.
pub(crate) fn run(way: &str, socket: &str, measure: &str, count: usize) -> Result<(), Box<dyn Error>> {
    let line = Line::new(way, measure);
    let (name, size) = measure_and_size(measure);
    match name {
        "read" => line.with_times(reads(socket, count)?).print(),
        "list" => line.with_times(lists(socket, count)?).print(),
        "connect" => line.with_times(connects(socket, count)?).print(),
        "attach" => line.with_times(attaches(socket, count)?).print(),
        "start" => line.with_times(starts(socket, count)?).print(),
        "throughput" => throughput(line, socket, size, Duration::from_secs(count as u64))?,
        "hold" => hold(socket, size)?,
        _ => return Err(format!("unknown measure `{measure}`").into()),
    }
    Ok(())
}

/// One read call with a VM in it, again and again.
fn reads(socket: &str, count: usize) -> io::Result<Vec<Duration>> {
    let mut link = Link::open(socket)?;
    let vm = link.call(LOOKUP_BY_NAME, &string(LOOKED_AT))?.to_vec();
    repeat(count, || link.call(GET_INFO, &vm).map(drop))
}

/// The list of all VMs.
fn lists(socket: &str, count: usize) -> io::Result<Vec<Duration>> {
    let mut link = Link::open(socket)?;
    repeat(count, || list(&mut link))
}

/// Connect, list, close: what one `virsh list` does.
fn connects(socket: &str, count: usize) -> io::Result<Vec<Duration>> {
    repeat(count, || {
        let mut link = Link::open(socket)?;
        list(&mut link)?;
        link.close()
    })
}

/// All VMs, running or not.
fn list(link: &mut Link) -> io::Result<()> {
    let arguments = [1_u32.to_be_bytes(), 3_u32.to_be_bytes()].concat();
    link.call(LIST_ALL_DOMAINS, &arguments).map(drop)
}

/// The start of a small VM; powering it off again is not counted.
fn starts(socket: &str, count: usize) -> io::Result<Vec<Duration>> {
    let mut link = Link::open(socket)?;
    let vm = link.call(LOOKUP_BY_NAME, &string(STARTED))?.to_vec();
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        link.call(CREATE, &vm)?;
        times.push(begin.elapsed());
        link.call(DESTROY, &vm)?;
    }
    Ok(times)
}

/// A disk for a VM that is shut off; taking it out again is not counted, nor is the first time, when whoever keeps
/// what there is has nothing yet.
fn attaches(socket: &str, count: usize) -> io::Result<Vec<Duration>> {
    let mut link = Link::open(socket)?;
    let vm = link.call(LOOKUP_BY_NAME, &string(LOOKED_AT))?.to_vec();
    let arguments = [vm, string(DISK), CONFIG.to_be_bytes().to_vec()].concat();
    let mut times = Vec::with_capacity(count);
    for _ in 0..=count {
        let begin = Instant::now();
        link.call(ATTACH_DEVICE_FLAGS, &arguments)?;
        times.push(begin.elapsed());
        link.call(DETACH_DEVICE_FLAGS, &arguments)?;
    }
    Ok(times.split_off(1))
}

/// Read calls on many connections at once, and what they cost the daemons.
fn throughput(line: Line, socket: &str, connections: usize, time: Duration) -> Result<(), Box<dyn Error>> {
    let links: Vec<Link> = (0..connections).map(|_| Link::open(socket)).collect::<io::Result<_>>()?;
    let (used, begin) = (Used::until_now(), Instant::now());
    let calls: u32 = thread::scope(|scope| {
        let threads: Vec<_> = links.into_iter().map(|link| scope.spawn(|| calls(link, time))).collect();
        let joined =
            threads.into_iter().map(|thread| thread.join().map_err(|_| io::Error::other("panic"))?);
        joined.sum::<io::Result<u32>>()
    })?;
    let (elapsed, used) = (begin.elapsed(), Used::until_now().since(&used));
    let each =
        used.into_iter().map(|(name, time)| (name, Value::from(time.as_secs_f64() * 1e6 / f64::from(calls))));
    line.with("calls", calls)
        .with("per_second", f64::from(calls) / elapsed.as_secs_f64())
        .with("cpu_us", each.collect::<Map<_, _>>())
        .print();
    Ok(())
}

/// How many read calls one connection gets through in this time.
fn calls(mut link: Link, time: Duration) -> io::Result<u32> {
    let vm = link.call(LOOKUP_BY_NAME, &string(LOOKED_AT))?.to_vec();
    let begin = Instant::now();
    let mut calls = 0;
    while begin.elapsed() < time {
        link.call(GET_INFO, &vm)?;
        calls += 1;
    }
    Ok(calls)
}

/// Holds connections open until standard input ends, so that somebody can weigh the daemon.
fn hold(socket: &str, connections: usize) -> io::Result<()> {
    let mut links: Vec<Link> = (0..connections).map(|_| Link::open(socket)).collect::<io::Result<_>>()?;
    for link in &mut links {
        let vm = link.call(LOOKUP_BY_NAME, &string(LOOKED_AT))?.to_vec();
        link.call(GET_INFO, &vm)?;
    }
    println!("holding {}", links.len());
    io::read_to_string(io::stdin()).map(drop)
}

/// Times `act`, after a few rounds that do not count.
fn repeat(count: usize, mut act: impl FnMut() -> io::Result<()>) -> io::Result<Vec<Duration>> {
    for _ in 0..count.div_ceil(20) {
        act()?;
    }
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        act()?;
        times.push(begin.elapsed());
    }
    Ok(times)
}
