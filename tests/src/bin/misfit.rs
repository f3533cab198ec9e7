// SPDX-License-Identifier: Apache-2.0
//! Sends what no client sends, from inside a test host and as the account that runs it, and says what
//! became of each.

use std::process::ExitCode;
use std::time::Duration;

use virtwarden_tests::raw::misfits::{MISFITS, send};

/// Slow enough that each refusal is recorded by itself.
const PAUSE: Duration = Duration::from_millis(700);

fn main() -> ExitCode {
    let person = std::env::args().nth(1).unwrap_or_default();
    let mut code = ExitCode::SUCCESS;
    for misfit in MISFITS.iter().filter(|misfit| misfit.person == person) {
        match send(misfit) {
            Ok(Some(fate)) if fate == misfit.fate => println!("{:<24} {fate:?}", misfit.name),
            other => {
                eprintln!("{}: {:?} expected, got {other:?}", misfit.name, misfit.fate);
                code = ExitCode::FAILURE;
            }
        }
        std::thread::sleep(PAUSE);
    }
    code
}
