// SPDX-License-Identifier: Apache-2.0
//! What is measured over one way into libvirt.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use crate::link::{Link, string};

type Measured = Result<Vec<Duration>, Box<dyn Error + Send + Sync>>;

const LIST_ALL_DOMAINS: u32 = 273;
const LOOKUP_BY_NAME: u32 = 23;
const GET_INFO: u32 = 16;
const CREATE: u32 = 9;
const DESTROY: u32 = 12;

/// Runs one measurement and prints its line.
pub(crate) fn run(way: &str, socket: &str, measure: &str, count: usize) -> Result<(), Box<dyn Error>> {
    let plain = |error: Box<dyn Error + Send + Sync>| error.to_string();
    match measure {
        "read" => report(way, measure, 1, reads(socket, count).map_err(plain)?),
        "list" => report(way, measure, 1, lists(socket, count).map_err(plain)?),
        "connect" => report(way, measure, 1, connects(socket, count).map_err(plain)?),
        "start" => report(way, measure, 1, starts(socket, count).map_err(plain)?),
        "throughput" => throughput(way, socket, count)?,
        "hold" => hold(socket, count)?,
        _ => return Err(format!("unknown measure `{measure}`").into()),
    }
    Ok(())
}

/// One read call with a VM in it, again and again.
fn reads(socket: &str, count: usize) -> Measured {
    let mut link = Link::open(socket)?;
    let vm = lookup(&mut link, "bench-0")?;
    repeat(count, || link.call(GET_INFO, &vm).map(drop))
}

/// The list of all VMs.
fn lists(socket: &str, count: usize) -> Measured {
    let mut link = Link::open(socket)?;
    let arguments = [1_u32.to_be_bytes(), 3_u32.to_be_bytes()].concat();
    repeat(count, || link.call(LIST_ALL_DOMAINS, &arguments).map(drop))
}

/// Connect, list, close: what one `virsh list` does.
fn connects(socket: &str, count: usize) -> Measured {
    let arguments = [1_u32.to_be_bytes(), 3_u32.to_be_bytes()].concat();
    repeat(count, || {
        let mut link = Link::open(socket)?;
        link.call(LIST_ALL_DOMAINS, &arguments)?;
        link.close()
    })
}

/// The start of a small VM; powering it off again is not counted.
fn starts(socket: &str, count: usize) -> Measured {
    let mut link = Link::open(socket)?;
    let vm = lookup(&mut link, "bench-start")?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        link.call(CREATE, &vm)?;
        times.push(begin.elapsed());
        link.call(DESTROY, &vm)?;
    }
    Ok(times)
}

/// Read calls on `connections` connections at once, for two seconds.
fn throughput(way: &str, socket: &str, connections: usize) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let work = || -> Result<usize, Box<dyn Error + Send + Sync>> {
        let mut link = Link::open(socket)?;
        let vm = lookup(&mut link, "bench-0")?;
        let mut calls = 0;
        while begin.elapsed() < Duration::from_secs(3) {
            link.call(GET_INFO, &vm)?;
            calls += 1;
        }
        Ok(calls)
    };
    let calls: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|t| t.join().map_err(|_| "a thread failed")?.map_err(|_| "a call failed"))
            .sum::<Result<usize, &str>>()
    })?;
    let rate = calls as f64 / begin.elapsed().as_secs_f64();
    println!(
        "{{\"way\":\"{way}\",\"measure\":\"throughput\",\"connections\":{connections},\"calls\":{calls},\"per_second\":{rate:.0}}}"
    );
    Ok(())
}

/// Holds connections open until standard input ends, so that somebody can weigh the daemon.
fn hold(socket: &str, connections: usize) -> Result<(), Box<dyn Error>> {
    let links: Result<Vec<Link>, _> = (0..connections).map(|_| Link::open(socket)).collect();
    let links = links?;
    println!("holding {}", links.len());
    std::io::read_to_string(std::io::stdin())?;
    Ok(())
}

fn lookup(link: &mut Link, name: &str) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    Ok(link.call(LOOKUP_BY_NAME, &string(name))?.to_vec())
}

/// Times `act`, after a few rounds that do not count.
fn repeat(count: usize, mut act: impl FnMut() -> std::io::Result<()>) -> Measured {
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

fn report(way: &str, measure: &str, connections: usize, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index.min(times.len().saturating_sub(1))).map_or(0.0, |t| t.as_secs_f64() * 1e6)
    };
    println!(
        "{{\"way\":\"{way}\",\"measure\":\"{measure}\",\"connections\":{connections},\"count\":{},\"p50_us\":{:.1},\"p99_us\":{:.1}}}",
        times.len(),
        at(0.5),
        at(0.99)
    );
}
