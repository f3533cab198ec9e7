// SPDX-License-Identifier: Apache-2.0
//! Measures ways into libvirt from inside a test host, one JSON line per measurement, and draws what
//! was measured. `tests/bench/run` plays all ways side by side.

mod cpu;
mod decide;
mod disk;
mod facts;
mod forward;
mod goal;
mod line;
mod link;
mod login;
mod measure;
mod memory;
mod plot;
mod render;
mod results;

use std::process::ExitCode;

const USAGE: &str = "\
usage: virtwarden-bench WAY SOCKET MEASURE[:SIZE] [COUNT]
         MEASURE: read, list, connect, attach, start (COUNT times), throughput:CONNECTIONS (COUNT seconds),
         hold:CONNECTIONS (until standard input ends)
       virtwarden-bench forward LISTEN SOCKET     a plain byte-forwarding proxy
       virtwarden-bench memory WAY MEASURE[:SIZE] PROCESS
       virtwarden-bench decide POLICY             how long the policy takes for a decision
       virtwarden-bench disk DIRECTORY SECONDS    how many small synced writes the disk takes
       virtwarden-bench login WAY SERVICE ACCOUNT COUNT
       virtwarden-bench facts                     the machine
       virtwarden-bench render RESULTS DOCUMENT PLOT";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("virtwarden-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    match words {
        ["forward", listen, socket] => Ok(forward::serve(listen, socket)?),
        ["memory", way, measure, process] => memory::weigh(way, measure, process),
        ["decide", policy] => decide::run(policy),
        ["disk", directory, seconds] => disk::run(directory, seconds.parse()?),
        ["login", way, service, account, count] => login::run(way, service, account, count.parse()?),
        ["facts"] => facts::run(),
        ["render", results, document, plot] => render::run(results, document, plot),
        [way, socket, measure] => measure::run(way, socket, measure, 1),
        [way, socket, measure, count] => measure::run(way, socket, measure, count.parse()?),
        _ => Err(USAGE.into()),
    }
}
