// SPDX-License-Identifier: Apache-2.0
//! `virtwarden update`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::ChangeArguments;

/// What to do with the versions of the virtualization system.
#[derive(Debug, Subcommand)]
pub(crate) enum UpdateVerb {
    /// Show what is installed and what runs. As root, also which VMs and daemons run older programs.
    Status,
    /// Fetch apt's signed lists, and show what they have that is newer. Needs root.
    Check,
    /// Install what apt's signed lists have, or one package whose signature or hash is given. Needs root.
    Install(InstallArguments),
}

/// What to install.
#[derive(Clone, Debug, Args)]
pub(crate) struct InstallArguments {
    /// A package [default: what is newer in apt's signed lists]. It is installed only as what was verified.
    #[arg(value_name = "FILE.deb", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Its detached signature, by a key in /etc/virtwarden/update-keys.
    #[arg(long, value_name = "FILE", requires = "file", conflicts_with = "sha256", value_hint = ValueHint::FilePath)]
    pub(crate) signature: Option<PathBuf>,
    /// Its SHA-256, as whoever made it publishes it: 64 hexadecimal digits.
    #[arg(long, value_name = "HASH", requires = "file")]
    pub(crate) sha256: Option<String>,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}
