// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit delete`: shows what would go, asks, and has it deleted.

use std::path::Path;

use virtwarden_core::control::{Change, Mode, Reply, Request};

use crate::arguments::DeleteArguments;
use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::Output;
use crate::terminal::{self, Echo};
use crate::time;
use crate::vm::print_change;

/// Deletes old segments.
pub(super) fn delete(arguments: &DeleteArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    // The point stays where it is while somebody thinks.
    let before = arguments.before(time::now());
    let order = |mode| {
        let Reply::Changed(change) = ask(socket, &Request::AuditDelete { before, mode })? else {
            return Err(unexpected());
        };
        Ok(change)
    };
    if arguments.change.mode() == Mode::Apply && !arguments.yes && !agreed(&order(Mode::DryRun)?)? {
        return output.remark("nothing is deleted");
    }
    print_change(&order(arguments.change.mode())?, output)
}

/// Whether somebody wants just that; nothing needs no leave.
fn agreed(change: &Change) -> Result<bool, Failed> {
    if change.differences.is_empty() {
        return Ok(true);
    }
    change.differences.iter().for_each(|line| terminal::say(line));
    let answer = terminal::ask("Delete this for good? Export it first. Type `yes`: ", Echo::Shown)?;
    Ok(answer.trim() == "yes")
}
