// SPDX-License-Identifier: Apache-2.0
//! `virtwarden evaluate`: the test of FMT_MOF_EXT.1, on this host. Whoever has a function of Table 3 performs it, and
//! whoever has it not cannot reach it.

mod csv;
mod facts;
mod guidance;
mod live;
mod page;
mod plan;
mod report;
mod show;

use std::io::{IsTerminal, stdin};
use std::path::Path;
use std::process::ExitCode;

use virtwarden_core::control::{Reply, Request};
use virtwarden_core::policy::{Policy, Source};
use virtwarden_core::table3::Function;
use virtwarden_core::trail::time::Time;

use crate::arguments::EvaluateArguments;
use crate::client::{ask, unexpected};
use crate::evaluate::live::{Afterwards, Played, Wish};
use crate::evaluate::report::{Depth, FORMAT, Report};
use crate::exit::{Exit, Failed};
use crate::file;
use crate::output::{Format, Output};
use crate::terminal::{self, Echo};
use crate::time;

/// Evaluates the host; 0: every cell that was exercised is as claimed, 1: one is not.
pub(crate) fn run(arguments: &EvaluateArguments, socket: &Path, output: &Output) -> Result<ExitCode, Failed> {
    need_root()?;
    if arguments.live && !arguments.yes && !agreed()? {
        return Ok(ExitCode::SUCCESS);
    }
    let report = evaluate(arguments, socket)?;
    keep(arguments, &report)?;
    match output.format() {
        Format::Json => output.json(&report)?,
        Format::Table | Format::Rows => show::report(&report, output)?,
    }
    Ok(if report.fails() { ExitCode::from(Exit::Error as u8) } else { ExitCode::SUCCESS })
}

/// Writes the files that were asked for.
fn keep(arguments: &EvaluateArguments, report: &Report) -> Result<(), Failed> {
    if let Some(path) = &arguments.html {
        file::write(path, page::page(report).as_bytes())?;
    }
    if let Some(path) = &arguments.csv {
        file::write(path, csv::rows(report).as_bytes())?;
    }
    Ok(())
}

fn evaluate(arguments: &EvaluateArguments, socket: &Path) -> Result<Report, Failed> {
    let policy = policy_in_force(socket)?;
    let mut cells = plan::evaluate(&policy, socket)?;
    let Played { scenarios, leftovers } = match arguments.depth() {
        Depth::Plan => Played { scenarios: Vec::new(), leftovers: Vec::new() },
        Depth::Live => live::play(&arguments.wish(socket), &policy, &mut cells)?,
    };
    if !arguments.rows.is_empty() {
        cells.iter_mut().for_each(|cell| leave_out(cell, &arguments.rows));
    }
    Ok(Report {
        format: FORMAT,
        product: format!("Virtwarden {}", env!("CARGO_PKG_VERSION")),
        made: Time::from_micros(time::now()),
        host: facts::host(socket)?,
        depth: arguments.depth(),
        // Where it cannot be read to its end, row 6 says why.
        trail: facts::trail(socket).ok().flatten(),
        cells,
        scenarios,
        leftovers,
    })
}

impl EvaluateArguments {
    fn depth(&self) -> Depth {
        if self.live { Depth::Live } else { Depth::Plan }
    }

    fn wish<'w>(&'w self, socket: &'w Path) -> Wish<'w> {
        let afterwards = if self.keep { Afterwards::Keep } else { Afterwards::TakeBack };
        Wish { socket, rows: &self.rows, afterwards, say: &say }
    }
}

/// What is going on goes to standard error: standard output has the report alone.
fn say(text: &str) {
    terminal::say(&format!("... {text}"));
}

/// Why a cell was not exercised that nobody asked for.
const LEFT_OUT: &str = "left out by `--row`";

/// A cell of a row that nobody asked for.
fn leave_out(cell: &mut report::Cell, rows: &[Function]) {
    if !rows.contains(&cell.function) {
        cell.steps.clear();
        cell.verdict = report::Verdict::not_exercised(LEFT_OUT);
    }
}

const QUESTION: &str = "\
This makes two accounts with a role each, two VMs of 64 MiB, a network, a disc in the library and an sshd on the loopback \
interface, installs an empty package, gives settings another value for a moment where nobody has set them, and takes all of it \
back. Begin? [y/N] ";

/// Asks, where somebody can answer.
fn agreed() -> Result<bool, Failed> {
    if !stdin().is_terminal() {
        return Err(Failed::usage(
            "a live evaluation makes accounts and VMs, and nobody is here to be asked; say `--yes`",
        ));
    }
    let answer = terminal::ask(QUESTION, Echo::Shown)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// It looks into what only root may see.
fn need_root() -> Result<(), Failed> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let message = "only root can evaluate the host; run it with `sudo` in an Administrator's login session";
    Err(Failed { exit: Exit::Denied, message: message.to_owned() })
}

/// The policy that policyd answers by, read as policyd read it.
fn policy_in_force(socket: &Path) -> Result<Policy, Failed> {
    let Reply::Policy(text) = ask(socket, &Request::PolicyShow)? else { return Err(unexpected()) };
    let sources: Vec<_> =
        text.files.iter().map(|file| Source { name: &file.path, text: &file.text }).collect();
    Policy::load(&sources).map_err(|mistakes| {
        let mistakes: Vec<_> = mistakes.iter().map(|mistake| mistake.render(&sources)).collect();
        Failed::error(format!("this command cannot read the policy in force\n{}", mistakes.join("\n")))
    })
}
