// SPDX-License-Identifier: Apache-2.0
//! `virtwarden screen`.

use clap::{Args, Subcommand};

use super::ChangeArguments;
use crate::duration::parse_duration;

const EXAMPLES: &str = "\
Examples:
  virtwarden screen shorten 5m
  virtwarden screen shorten 5m --delay 0s --dry-run
Everybody's times are set with `virtwarden setting set screen-lock-timeout`.";

/// What to do with one's own screen.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ScreenVerb {
    /// Show when your screen locks, and when everybody's does.
    Show,
    /// Lock your screen sooner than everybody's: a part of row 14 of Table 3 that needs nobody's leave.
    ///
    /// It counts as far as it is shorter, also when everybody's changes later, for desktop sessions and text consoles
    /// that you log in to from now on. To lock the screen at once is up to your desktop: `loginctl lock-session`.
    #[command(after_help = EXAMPLES)]
    Shorten(ShortenArguments),
    /// Lock your screen when everybody's does.
    Restore {
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
}

/// How much sooner.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShortenArguments {
    /// Without input for so long, 1 minute at least, it goes dark, and a shell on a text console ends.
    #[arg(value_name = "TIME", value_parser = parse_duration)]
    pub(crate) idle: u32,
    /// So long the dark screen waits until it is locked; everybody's where you do not say.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) delay: Option<u32>,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}
