// SPDX-License-Identifier: Apache-2.0
//! `virtwarden update`: FPT_TUD_EXT.1, row 1 of Table 3. policyd judges and records, root carries out what is verified.

mod apt;
mod install;
mod part;
mod permit;
mod program;
mod running;
mod status;
mod verify;
mod workplace;

use std::path::Path;

use virtwarden_core::control::{Mode, UpdateAct};

use crate::arguments::UpdateVerb;
use crate::exit::Failed;
use crate::output::Output;

/// Does what the verb says.
pub(crate) fn run(verb: &UpdateVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        UpdateVerb::Status => status::show(socket, output),
        UpdateVerb::Check => {
            let found =
                permit::announced(socket, (UpdateAct::Check, "apt's signed lists", Mode::Apply), apt::check)?;
            output.lines(&found)
        }
        UpdateVerb::Install(arguments) => {
            let done = install::install(arguments, socket)?;
            output.lines(&done)
        }
    }
}
