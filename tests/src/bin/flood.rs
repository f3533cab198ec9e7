// SPDX-License-Identifier: Apache-2.0
//! Makes one refused call after another on one connection, as fast as they are answered, from inside a
//! test host: `flood COUNT`.

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use virtwarden_tests::raw::{Answer, REMOTE, Raw, frame};

/// A call that a User is refused and that would do no harm.
const INTERFACE_CHANGE_BEGIN: u32 = 220;
/// Calls that are sent before their answers are read.
const AT_ONCE: u32 = 32;

fn main() -> ExitCode {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    let start = Instant::now();
    match flood(count) {
        Ok(refused) => println!("{refused} refused in {} ms", start.elapsed().as_millis()),
        Err(error) => eprintln!("flood: {error}"),
    }
    ExitCode::SUCCESS
}

fn flood(count: u32) -> io::Result<u32> {
    let mut raw = Raw::open()?;
    let mut refused = 0;
    while refused < count {
        let now = AT_ONCE.min(count - refused);
        let call = |serial| frame([REMOTE, 1, INTERFACE_CHANGE_BEGIN, 0, serial, 0], &[0; 4]);
        let calls: Vec<u8> = (1..=now).flat_map(|serial| call(100 + serial)).collect();
        raw.send(&calls)?;
        for _ in 0..now {
            match raw.answer()? {
                Answer::Refused(_) => refused += 1,
                other @ (Answer::Done(_) | Answer::Closed | Answer::Silence) => {
                    return Err(io::Error::other(format!("after {refused}: {other:?}")));
                }
            }
        }
    }
    Ok(refused)
}
