// SPDX-License-Identifier: Apache-2.0
//! `virtwarden completion` and `virtwarden man`: made from the command line's own definition, so
//! that they cannot differ from it.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Failed;

/// Prints the completion script for a shell.
pub(crate) fn completion(shell: Shell) -> Result<(), Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "virtwarden", &mut script);
    io::stdout().lock().write_all(&script).map_err(Failed::from)
}

/// Writes a man page for the command, each noun and each verb: `virtwarden-vm-assign.1`.
pub(crate) fn man(directory: &Path) -> Result<(), Failed> {
    clap_mangen::generate_to(Arguments::command(), directory).map_err(|error| {
        Failed::error(format!("cannot write man pages to `{}`: {error}", directory.display()))
    })
}
