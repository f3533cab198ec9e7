// SPDX-License-Identifier: Apache-2.0
//! Transfers and their confirmations.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use virtwarden_core::control::{ConfirmationRow, Reply, Request};
use virtwarden_core::trail::escape::printable;

use crate::client::{Client, ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::Output;
use crate::vm::print_change;

const HEADERS: [&str; 6] = ["NUMBER", "VM", "MEDIUM", "KIND", "ASKED BY", "SECONDS"];

/// Asks for a change of a VM's media. Where it must be confirmed, the person at the terminal is asked at once.
pub(super) fn give(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let reply = ask(socket, request)?;
    if let Reply::Changed(change) = &reply {
        return print_change(change, output);
    }
    let Reply::Confirmations(rows) = reply else { return Err(unexpected()) };
    let [row] = rows.as_slice() else { return Err(unexpected()) };
    confirm_here(row, socket, output)
}

fn confirm_here(row: &ConfirmationRow, socket: &Path, output: &Output) -> Result<(), Failed> {
    if !io::stdin().is_terminal() {
        return Err(not_confirmed(row));
    }
    let question = format!("{}; connect `{}` to VM `{}` now? [y/N] ", row.rule, row.name, row.vm);
    let mut err = io::stderr().lock();
    write!(err, "{}", printable(&question)).and_then(|()| err.flush()).map_err(Failed::from)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failed::from)?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        return Err(not_confirmed(row));
    }
    let Reply::Changed(change) = ask(socket, &Request::MediaConfirm { number: row.number })? else {
        return Err(unexpected());
    };
    print_change(&change, output)
}

fn not_confirmed(row: &ConfirmationRow) -> Failed {
    let message = format!(
        "{}: a User of VM `{}` must confirm it: `virtwarden media confirm {}`, within {} seconds",
        row.rule, row.vm, row.number, row.seconds
    );
    Failed { exit: Exit::Denied, message }
}

/// Prints what waits.
pub(super) fn pending(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Confirmations(rows) = ask(socket, &Request::MediaPending)? else { return Err(unexpected()) };
    output.show(&rows, HEADERS, rows.iter().map(row))
}

fn row(row: &ConfirmationRow) -> [String; 6] {
    let ConfirmationRow { number, vm, id: _, kind, name, asked_by, rule: _, seconds } = row.clone();
    [number.to_string(), vm, name, kind.to_string(), asked_by, seconds.to_string()]
}

/// Prints what comes to wait, line by line.
pub(super) fn watch(socket: &Path, output: &Output) -> Result<(), Failed> {
    Client::connect(socket)?.stream(&Request::MediaWatch, |reply| {
        let Reply::Confirmations(rows) = reply else { return Err(unexpected()) };
        rows.iter().try_for_each(|row| tell(row, output))
    })
}

fn tell(row: &ConfirmationRow, output: &Output) -> Result<(), Failed> {
    let ConfirmationRow { number, vm, name, asked_by, .. } = row;
    let text = format!(
        "{asked_by} wants `{name}` in VM `{vm}`: `virtwarden media confirm {number}` if that is right"
    );
    notify(&printable(&text).replace('&', "&amp;").replace('<', "&lt;"));
    output.line(&text)
}

/// On a desktop, as a notification. Nobody relies on it: what waits is printed, and `media pending` shows it.
fn notify(text: &str) {
    if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none() {
        return;
    }
    let words = [
        "--app-name=Virtwarden",
        "--icon=drive-removable-media",
        "--",
        "A medium waits to be confirmed",
        text,
    ];
    let shown = Command::new("notify-send")
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let _without_a_desktop = shown;
}
