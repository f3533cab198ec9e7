// SPDX-License-Identifier: Apache-2.0
//! The command line, as clap reads it.

use clap::{Parser, Subcommand};

use crate::takeover::{DisableArguments, DoctorArguments, EnableArguments};

/// Two roles for libvirt on this host, and a trail of who tried what.
#[derive(Debug, Parser)]
#[command(name = "virtwarden", version, infer_subcommands = false, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) noun: Noun,
}

/// What the command is about.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Put Virtwarden in front of libvirt.
    Enable(EnableArguments),
    /// Give libvirt back as it was.
    Disable(DisableArguments),
    /// Look for what is wrong or left open on this host.
    Doctor(DoctorArguments),
}
