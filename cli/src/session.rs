// SPDX-License-Identifier: Apache-2.0
//! `virtwarden session`.

mod conversation;
mod elevate;
mod row;

use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use virtwarden_core::control::{Mode, Reply, Request, SessionRow};

use crate::arguments::{EndArguments, SessionVerb};
use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::{Format, Output};
use crate::terminal::{self, Echo};
use crate::time;
use crate::vm::print_change;

/// Does what the verb says.
pub(crate) fn run(verb: &SessionVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        SessionVerb::List { all: true } => list(ask_rows(&Request::SessionList, socket)?, output),
        SessionVerb::List { all: false } => {
            let mut rows = ask_rows(&Request::SessionList, socket)?;
            rows.retain(|row| row.until.is_none());
            list(rows, output)
        }
        SessionVerb::Show { id } => show(*id, socket, output),
        SessionVerb::End(arguments) => end(arguments, socket, output),
        SessionVerb::Elevate(arguments) if arguments.lower => change(&Request::SessionLower, socket, output),
        SessionVerb::Elevate(arguments) => elevate::elevate(arguments, socket, output),
    }
}

fn list(rows: Vec<SessionRow>, output: &Output) -> Result<(), Failed> {
    if rows.is_empty() && output.format() != Format::Json {
        return output.remark("no open login session is known");
    }
    let (own, now) = (own_session(), time::now_in_seconds());
    output.show(&rows, row::HEADERS, rows.iter().map(|session| row::row(session, own, now)))
}

fn show(session: Option<u32>, socket: &Path, output: &Output) -> Result<(), Failed> {
    let rows = ask_rows(&Request::SessionShow { session }, socket)?;
    let session = rows.first().ok_or_else(unexpected)?;
    match output.format() {
        Format::Json => output.json(session),
        Format::Table | Format::Rows => output.rows(row::describe(session, time::now_in_seconds())),
    }
}

fn ask_rows(request: &Request, socket: &Path) -> Result<Vec<SessionRow>, Failed> {
    let Reply::Sessions(rows) = ask(socket, request)? else { return Err(unexpected()) };
    Ok(rows)
}

fn end(arguments: &EndArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let mode = arguments.change.mode();
    if mode == Mode::Apply && !arguments.yes && own_session() == Some(arguments.id) {
        confirm()?;
    }
    change(&Request::SessionEnd { session: arguments.id, mode }, socket, output)
}

/// It takes away the terminal that the person types at.
fn confirm() -> Result<(), Failed> {
    if !std::io::stdin().is_terminal() {
        return Err(Failed::usage("this is the session you are in; add --yes to end it all the same"));
    }
    let question = "This is the session you are in. End it, and all that runs in it? [y/N] ";
    let answer = terminal::ask(question, Echo::Shown)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failed { exit: Exit::Error, message: "not ended".to_owned() })
}

fn change(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, request)? else { return Err(unexpected()) };
    print_change(&change, output)
}

/// The session that this process is in. For display and for the question before ending it; policyd asks the
/// kernel itself.
fn own_session() -> Option<u32> {
    let text = fs::read_to_string("/proc/self/sessionid").ok()?;
    text.trim().parse().ok().filter(|session| *session != u32::MAX)
}
