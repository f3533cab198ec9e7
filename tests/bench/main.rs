// SPDX-License-Identifier: Apache-2.0
//! Measures one way into libvirt from inside a test host and prints one JSON line per measurement.
//! `tests/bench/run` plays all ways side by side and draws the tables.
//!
//! usage: `virtwarden-bench WAY SOCKET MEASURE [COUNT]`, or `virtwarden-bench forward LISTEN SOCKET`

mod forward;
mod link;
mod measure;

use std::process::ExitCode;

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
        [way, socket, measure] => measure::run(way, socket, measure, 0),
        [way, socket, measure, count] => measure::run(way, socket, measure, count.parse()?),
        _ => Err("usage: WAY SOCKET MEASURE [COUNT] | forward LISTEN SOCKET".into()),
    }
}
