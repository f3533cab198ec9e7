// SPDX-License-Identifier: Apache-2.0
//! Arguments, run, exit code.

use std::process::ExitCode;

use virtwarden_policyd::options::{Options, USAGE, Wish};
use virtwarden_policyd::run;

fn main() -> ExitCode {
    let ran = match Options::read(std::env::args().skip(1)) {
        Ok(Wish::Run(options)) => run::run(&options),
        Ok(Wish::Check(options)) => run::check(&options),
        Ok(Wish::Help) => {
            print!("{USAGE}");
            Ok(())
        }
        Ok(Wish::Version) => {
            println!("virtwarden-policyd {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Err(error) => {
            eprintln!("virtwarden-policyd: {error}");
            return ExitCode::from(2);
        }
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("virtwarden-policyd: {error}");
            ExitCode::FAILURE
        }
    }
}
