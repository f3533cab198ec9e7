// SPDX-License-Identifier: Apache-2.0
//! `virtwarden man`: made from the command line's own definition, so that it cannot differ from it.

use std::path::Path;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::exit::Failed;

/// Writes a man page for the command, each noun and each verb: `virtwarden-vm-assign.1`.
pub(crate) fn man(directory: &Path) -> Result<(), Failed> {
    clap_mangen::generate_to(Arguments::command(), directory).map_err(|error| {
        Failed::error(format!("cannot write man pages to `{}`: {error}", directory.display()))
    })
}
