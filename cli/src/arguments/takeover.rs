// SPDX-License-Identifier: Apache-2.0
//! `virtwarden enable`, `disable` and `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Put the monitor in front of libvirt. Shows what will change, and asks.
#[derive(Debug, Args)]
pub(crate) struct EnableArguments {
    /// Make this account an Administrator; can be given several times.
    #[arg(long = "admin", value_name = "USER")]
    pub(crate) administrators: Vec<String>,
    /// What both share.
    #[command(flatten)]
    pub(crate) common: TakeoverArguments,
    /// Print the plan as JSON and change nothing.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Give libvirt back: the host becomes what it was before `enable`.
#[derive(Debug, Args)]
pub(crate) struct DisableArguments {
    /// What both share.
    #[command(flatten)]
    pub(crate) common: TakeoverArguments,
}

/// Look whether the two roles hold on this host, and say what to do where they do not.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write what somebody who helps would ask for: findings, versions, units, journal, policy. Names and
    /// addresses are replaced; no keys, passwords or records go in.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) bundle: Option<PathBuf>,
}

/// What taking over and giving back share.
#[derive(Debug, Args)]
pub(crate) struct TakeoverArguments {
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}
