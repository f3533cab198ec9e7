// SPDX-License-Identifier: Apache-2.0
//! `virtwarden banner`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use virtwarden_core::setting::Acknowledgement;

use super::word::words;
use super::{ChangeArguments, ReasonArguments};

const SET_EXAMPLES: &str = "\
Examples:
  virtwarden banner set 'Authorised people only. Use is recorded.'
  virtwarden banner set --file /root/banner.txt --accept required
  virtwarden banner set - < banner.txt
  virtwarden banner set --accept not-asked
What is not named stays as it is.";

/// What to do with the access banner.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BannerVerb {
    /// Show the banner and whether it must be accepted.
    Show,
    /// Set the text that is shown before somebody logs in. Row 20 of Table 3.
    ///
    /// It is shown before login on every terminal and serial console, by ssh before it asks for anything, at
    /// the desktop's greeter, by su, sudo and pkexec before they make an Administrator, and by `session elevate`.
    ///
    /// The text is taken literally: up to 4096 bytes of UTF-8 in as many lines as you like, nothing in it is
    /// expanded, and terminal control characters are refused. See it first with `virtwarden banner preview`.
    #[command(after_help = SET_EXAMPLES)]
    Set(BannerSetArguments),
    /// Show no banner any more.
    Unset {
        /// Why.
        #[command(flatten)]
        reason: ReasonArguments,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Show how a text will look where people log in; without one, the banner that is set.
    Preview(TextArguments),
    /// Accept the banner for the session you are in.
    ///
    /// Where the banner must be accepted, Administrator roles count in a session only after this. It is recorded
    /// with your name.
    Accept,
}

/// A text, from the command line, a file or standard input.
#[derive(Clone, Debug, Args)]
pub(crate) struct TextArguments {
    /// The text; `-` reads it from standard input.
    pub(crate) text: Option<String>,
    /// Read the text from this file.
    #[arg(long, conflicts_with = "text", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

/// A banner, or a part of it.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("something").multiple(true).required(true).args(["text", "file", "accept"])))]
pub(crate) struct BannerSetArguments {
    /// The text.
    #[command(flatten)]
    pub(crate) text: TextArguments,
    /// Whether an Administrator must accept it, once in each session, before his roles count.
    #[arg(long, value_parser = words([("required", Acknowledgement::Required), ("not-asked", Acknowledgement::NotAsked)]))]
    pub(crate) accept: Option<Acknowledgement>,
    /// Why.
    #[command(flatten)]
    pub(crate) reason: ReasonArguments,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}
