// SPDX-License-Identifier: Apache-2.0
//! `virtwarden role`.

mod review;

use std::path::Path;
use std::process::Command;

use virtwarden_core::control::{Membership, Mode, Reply, Request, RoleRow};
use virtwarden_core::record::Outcome;
use virtwarden_core::table3::Column;

use crate::arguments::{MemberArguments, RoleVerb};
use crate::client::{Client, ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::functions::ranges;
use crate::output::{Output, listed};
use crate::vm::print_change;

const HEADERS: [&str; 7] = ["ROLE", "COLUMN", "USERS", "GROUPS", "MEMBERS", "SERVICES", "FUNCTIONS"];

/// Does what the verb says.
pub(crate) fn run(verb: &RoleVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        RoleVerb::List => list(socket, output),
        RoleVerb::Review(arguments) => review::review(arguments, socket, output),
        RoleVerb::Add(member) => change(member, Membership::Added, socket, output),
        RoleVerb::Remove(member) => change(member, Membership::Removed, socket, output),
    }
}

fn list(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Roles(roles) = ask(socket, &Request::RoleList)? else { return Err(unexpected()) };
    output.show(&roles, HEADERS, roles.iter().map(row))
}

fn row(role: &RoleRow) -> [String; 7] {
    let column = match role.column {
        Column::Administrator => "administrator",
        Column::User => "user",
    };
    [
        role.name.clone(),
        column.to_owned(),
        listed(&role.users),
        listed(&role.groups),
        listed(&role.members),
        listed(&role.services),
        ranges(&role.functions),
    ]
}

/// policyd judges and records, this process edits the group, policyd records how it went. If this
/// process dies between, the trail says that the end is unknown.
fn change(
    member: &MemberArguments,
    membership: Membership,
    socket: &Path,
    output: &Output,
) -> Result<(), Failed> {
    let mode = member.change.mode();
    if mode == Mode::Apply && !nix::unistd::geteuid().is_root() {
        let message = "only root can change a group; run it with `sudo`".to_owned();
        return Err(Failed { exit: Exit::Denied, message });
    }
    let (role, user) = (member.role.clone(), member.user.clone());
    let mut client = Client::connect(socket)?;
    let mut answer = client.ask(&Request::RoleChange { role, user, membership, mode })?;
    if let Reply::EditGroup { group } = &answer {
        let edited = edit_group(group, &member.user, membership);
        answer = client.ask(&done(&edited))?;
        edited?;
    }
    let Reply::Changed(change) = answer else { return Err(unexpected()) };
    print_change(&change, output)
}

/// How it went, for the record.
fn done(edited: &Result<(), Failed>) -> Request {
    match edited {
        Ok(()) => Request::RoleDone { outcome: Outcome::Success, detail: String::new() },
        Err(failed) => Request::RoleDone { outcome: Outcome::Failure, detail: failed.message.clone() },
    }
}

/// The distribution's own tool edits the file: it locks it and keeps its shadow in step.
fn edit_group(group: &str, user: &str, membership: Membership) -> Result<(), Failed> {
    let flag = match membership {
        Membership::Added => "--add",
        Membership::Removed => "--delete",
    };
    let ran = Command::new("/usr/bin/gpasswd").args([flag, user, group]).env_clear().output();
    let ran = ran.map_err(|error| Failed::error(format!("cannot run gpasswd: {error}")))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    Err(Failed::error(format!("gpasswd failed: {}", said.trim())))
}
