// SPDX-License-Identifier: Apache-2.0
//! `virtwarden vm`.

mod templates;

use std::path::Path;

use virtwarden_core::control::{Change, Mode, Presence, Reply, Request, VmRow, VmState};

use crate::arguments::VmVerb;
use crate::client::{Client, ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output, listed};

const HEADERS: [&str; 7] = ["NAME", "STATE", "USERS", "GROUPS", "INFORMATION DOMAIN", "SENSITIVE", "UUID"];

/// Does what the verb says.
pub(crate) fn run(verb: &VmVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    if let VmVerb::Assign { people, .. } = verb
        && people.is_empty()
    {
        return Err(Failed::usage("assign to whom? name a user, or a group with --group"));
    }
    match verb {
        VmVerb::List => list(socket, output),
        VmVerb::Show { .. } => show(&request(verb), socket, output),
        VmVerb::Templates => templates::list(socket, output),
        VmVerb::Sensitive { .. }
        | VmVerb::Create(_)
        | VmVerb::Assign { .. }
        | VmVerb::Unassign { .. }
        | VmVerb::Domain { .. } => change(&request(verb), socket, output),
    }
}

fn list(socket: &Path, output: &Output) -> Result<(), Failed> {
    let mut rows = Vec::new();
    Client::connect(socket)?.stream(&Request::VmList, |reply| {
        let Reply::Vm(vm) = reply else { return Err(unexpected()) };
        rows.push(vm);
        Ok(())
    })?;
    output.show(&rows, HEADERS, rows.iter().map(row))
}

fn show(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Vm(vm) = ask(socket, request)? else { return Err(unexpected()) };
    if output.format() == Format::Json {
        return output.json(&vm);
    }
    let names = HEADERS.map(|header| header.to_lowercase().replace("uuid", "UUID"));
    output.rows(names.into_iter().zip(row(&vm)).map(|(name, value)| [name, value]))
}

fn change(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, request)? else { return Err(unexpected()) };
    print_change(&change, output)
}

fn request(verb: &VmVerb) -> Request {
    match verb.clone() {
        VmVerb::List => Request::VmList,
        VmVerb::Show { vm } => Request::VmShow { vm },
        VmVerb::Templates => Request::VmTemplates,
        VmVerb::Sensitive { vm, sensitivity, change } => {
            Request::VmSensitive { vm, sensitivity, mode: change.mode() }
        }
        VmVerb::Create(create) => create.request(),
        VmVerb::Assign { vm, people, change } => {
            Request::VmAssign { vm, users: people.users, groups: people.groups, mode: change.mode() }
        }
        VmVerb::Unassign { vm, people, change } => {
            Request::VmUnassign { vm, users: people.users, groups: people.groups, mode: change.mode() }
        }
        VmVerb::Domain { vm, information_domain, change } => {
            Request::VmDomain { vm, information_domain, mode: change.mode() }
        }
    }
}

fn row(vm: &VmRow) -> [String; 7] {
    let assignment = vm.assignment.clone().unwrap_or_default();
    [
        vm.name.clone(),
        state(vm).to_owned(),
        listed(assignment.users.iter().map(|user| &user.name)),
        listed(assignment.groups.iter().map(|group| &group.name)),
        assignment.information_domain.unwrap_or_else(|| "-".to_owned()),
        if assignment.sensitivity.is_ordinary() { "-" } else { "yes" }.to_owned(),
        vm.uuid.to_string(),
    ]
}

fn state(vm: &VmRow) -> &'static str {
    match (vm.presence, vm.state) {
        (Presence::Missing, _) => "missing",
        (Presence::Present, VmState::Running) => "running",
        (Presence::Present, VmState::Paused) => "paused",
        (Presence::Present, VmState::ShuttingDown) => "shutting down",
        (Presence::Present, VmState::ShutOff) => "shut off",
        (Presence::Present, VmState::Crashed) => "crashed",
        (Presence::Present, VmState::Suspended) => "suspended",
        (Presence::Present, VmState::Unknown) => "unknown",
    }
}

/// Prints what changed, or would.
pub(crate) fn print_change(change: &Change, output: &Output) -> Result<(), Failed> {
    if output.format() == Format::Json {
        return output.json(change);
    }
    match (change.mode, change.differences.as_slice()) {
        (_, []) => output.remark("nothing to change"),
        (Mode::Apply, lines) => lines.iter().try_for_each(|line| output.remark(&format!("changed: {line}"))),
        // Whoever has it shown has asked for it, however quiet he wants it.
        (Mode::DryRun, lines) => {
            lines.iter().try_for_each(|line| output.line(&format!("would change: {line}")))
        }
    }
}
