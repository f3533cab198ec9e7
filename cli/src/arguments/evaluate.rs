// SPDX-License-Identifier: Apache-2.0
//! `virtwarden evaluate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use virtwarden_core::table3::Function;

use super::object::parse_function;

const NEEDS: &str = "\
Run it as root in an Administrator's login session (`sudo`). A live evaluation needs sshd, virsh and qemu-img on the host,
takes some minutes, and leaves nothing but its records in the trail. Names of what it makes begin with `vweval-`; what a
killed one has left is taken back by the next.
Exit codes:
  0  every cell and test that was exercised is as claimed
  1  one is not, or the evaluation could not be made
  2  the command line makes no sense
  3  you are not root, or no Administrator";

/// Prove on this host that each function of Table 3 works for the role that has it, and for no other.
#[derive(Debug, Args)]
#[command(after_help = NEEDS)]
pub(crate) struct EvaluateArguments {
    /// Look at the policy in force and change nothing. This is what is done where nothing is said.
    #[arg(long)]
    pub(crate) plan: bool,
    /// Perform or attempt each function: with two accounts, two small VMs and an sshd on the loopback interface that are
    /// made for it and taken back afterwards.
    #[arg(long, conflicts_with = "plan")]
    pub(crate) live: bool,
    /// Leave accounts and VMs of a live evaluation on the host to be looked at; the next one removes them.
    #[arg(long, requires = "live")]
    pub(crate) keep: bool,
    /// Do not ask before a live evaluation.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    /// Only this row of Table 3, by number or slug; can be given several times.
    #[arg(long = "row", value_name = "ROW", value_parser = parse_function)]
    pub(crate) rows: Vec<Function>,
    /// Write the report as one page that a browser opens from the disk and that prints with its evidence.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Write a line of comma-separated values for each cell and each scenario.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) csv: Option<PathBuf>,
}
