// SPDX-License-Identifier: Apache-2.0
//! The command people type: `virtwarden NOUN VERB`.

mod arguments;
mod audit;
mod authentication;
mod banner;
mod client;
mod completion;
mod csv;
mod device;
mod duration;
mod evaluate;
mod exit;
mod file;
mod functions;
mod lockout;
mod media;
mod network;
mod output;
mod policy;
mod role;
mod screen;
mod session;
mod setting;
mod sharing;
mod shell;
mod status;
mod table;
mod takeover;
mod tar;
mod terminal;
mod time;
mod update;
mod vm;
mod whoami;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Noun};
use crate::exit::Failed;
use crate::output::Output;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(failed) => failed.report(),
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failed> {
    let (socket, output) = (arguments.common.socket.as_path(), Output::new(&arguments.common));
    let done = |()| ExitCode::SUCCESS;
    match &arguments.noun {
        Noun::Status => status::show(socket, &output),
        Noun::Table => table::show(socket, &output).map(done),
        Noun::Whoami => whoami::show(socket, &output).map(done),
        Noun::Vm(verb) => vm::run(verb, socket, &output).map(done),
        Noun::Media(verb) => media::run(verb, socket, &output).map(done),
        Noun::Device(verb) => device::run(verb, socket, &output).map(done),
        Noun::Network(verb) => network::run(verb, socket, &output).map(done),
        Noun::Role(verb) => role::run(verb, socket, &output).map(done),
        Noun::Session(verb) => session::run(verb, socket, &output).map(done),
        Noun::Lockout(verb) => lockout::run(verb, socket, &output).map(done),
        Noun::Banner(verb) => banner::run(verb, socket, &output).map(done),
        Noun::Setting(verb) => setting::run(verb, socket, &output).map(done),
        Noun::Screen(verb) => screen::run(verb, socket, &output).map(done),
        Noun::Sharing(verb) => sharing::run(verb, socket, &output).map(done),
        Noun::Policy(verb) => policy::run(verb, socket, &output),
        Noun::Audit(verb) => audit::run(verb, socket, &output),
        Noun::Update(verb) => update::run(verb, socket, &output).map(done),
        Noun::Enable(enable) => takeover::enable(enable),
        Noun::Disable(disable) => takeover::disable(disable),
        Noun::Doctor(doctor) => takeover::doctor(doctor, socket),
        Noun::Evaluate(arguments) => evaluate::run(arguments, socket, &output),
        Noun::Completion { shell } => completion::script(*shell).map(done),
        Noun::Complete { words } => completion::complete(words, socket, &output).map(done),
        Noun::Man { directory } => shell::man(directory).map(done),
    }
}
