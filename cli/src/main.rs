// SPDX-License-Identifier: Apache-2.0
//! The command people type: `virtwarden NOUN VERB`.

mod arguments;
mod exit;
mod takeover;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Noun};
use crate::exit::Failed;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(failed) => failed.report(),
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failed> {
    match &arguments.noun {
        Noun::Enable(enable) => takeover::enable(enable),
        Noun::Disable(disable) => takeover::disable(disable),
        Noun::Doctor(doctor) => takeover::doctor(doctor),
    }
}
