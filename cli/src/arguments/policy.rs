// SPDX-License-Identifier: Apache-2.0
//! `virtwarden policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use virtwarden_core::control::ObjectName;
use virtwarden_core::policy::request::Right;

use super::ChangeArguments;
use super::object::{parse_object, parse_right};
use crate::time::{Moment, parse_moment};

/// What to do with the policy.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Check policy files without using them. Needs no rights and no running policyd.
    Check {
        /// A directory of policy files [default: those of this host].
        directory: Option<PathBuf>,
    },
    /// Show the policy in force.
    Show,
    /// Say in words how the files on this host, or others, differ from the policy in force.
    Diff {
        /// Policy files that stand beside the host's own, or in the place of those of their names.
        #[arg(value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// Ask such a policy what is on record: what it would have refused or allowed.
    Simulate {
        /// As for `virtwarden policy diff`.
        #[arg(value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        /// Not before: `2026-11-21`, `2026-11-21T09:30` (UTC), or an age such as `12h`.
        #[arg(long, value_parser = parse_moment, value_name = "TIME", default_value = "7d")]
        since: Moment,
    },
    /// List the policies that were in force before, or go back to one of them. To go back needs root.
    Rollback {
        /// Its number in the list.
        number: Option<u32>,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Say what the policy answers, and why.
    Explain(ExplainArguments),
    /// Put the files of this host in force, all or none.
    Reload {
        /// Take them back after so many seconds unless `virtwarden policy confirm` is typed meanwhile.
        #[arg(long, value_name = "SECONDS", conflicts_with = "dry_run")]
        revert_after: Option<u32>,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Keep the policy that `virtwarden policy reload --revert-after` put in force.
    Confirm,
}

/// A question to the policy.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The account that would ask.
    pub(crate) user: String,
    /// A function of Table 3 (`start`, `5`), or view, operate, guest, administer, review, raw.
    #[arg(value_parser = parse_right)]
    pub(crate) right: Right,
    /// On what: host, vm/NAME, network/NAME, pool/NAME, volume/POOL/NAME, device/NAME, policy, trail, ...; host where
    /// nothing is said and the right is not one on a VM.
    #[arg(value_parser = parse_object)]
    pub(crate) object: Option<ObjectName>,
}
