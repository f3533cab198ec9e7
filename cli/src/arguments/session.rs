// SPDX-License-Identifier: Apache-2.0
//! `virtwarden session`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use virtwarden_core::control::ELEVATE_SOCKET;

use super::ChangeArguments;

/// What to do with login sessions.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SessionVerb {
    /// List login sessions: your own, or everybody's if you may.
    ///
    /// A session is what a login opens: on a terminal, at the desktop, through ssh. Its number is the kernel's
    /// audit session id, which every record of the trail carries. An asterisk marks the session you are in.
    ///
    /// STATE says whether the account's Administrator roles count in it. Where they do not, `session show` says
    /// why and what to do. `- (systemd-user)` is an account's user manager, which counts while the account has an
    /// authenticated session.
    List {
        /// Also sessions that are over, which are kept for a while.
        #[arg(long, short)]
        all: bool,
    },
    /// Show one session.
    Show {
        /// Its number [default: the one you are in].
        id: Option<u32>,
    },
    /// End a session and everything that runs in it.
    ///
    /// Your own, or anybody's if you may. Its open libvirt connections end; VMs run on. Asks first if it is the
    /// one you are in.
    End(EndArguments),
    /// Raise the session you are in, so that your Administrator roles count in it for a limited time.
    ///
    /// Where the policy says `activation = "raise"`, an Administrator's login begins as a User's. This
    /// authenticates you again, through PAM service `virtwarden`, and raises this one session; your other
    /// sessions, and other people's processes, gain nothing. Asking again while it is raised begins the time anew.
    ///
    /// What is typed at a hidden prompt is never shown. Without a terminal the command refuses, unless --stdin
    /// says that the answers come from standard input, one line each.
    Elevate(ElevateArguments),
}

/// Which session to end.
#[derive(Clone, Debug, Args)]
pub(crate) struct EndArguments {
    /// Its number, as `virtwarden session list` has it.
    pub(crate) id: u32,
    /// Do not ask, even if it is the session you are in.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}

/// Which way, and where answers come from.
#[derive(Clone, Debug, Args)]
pub(crate) struct ElevateArguments {
    /// Make it a User's session again before the time is over.
    #[arg(long, conflicts_with_all = ["stdin", "accept_banner"])]
    pub(crate) lower: bool,
    /// Read the answers from standard input, one line each, instead of from the terminal.
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Accept the banner without being asked, where it must be accepted.
    #[arg(long)]
    pub(crate) accept_banner: bool,
    /// Where the authentication helper listens.
    #[arg(long, hide = true, default_value = ELEVATE_SOCKET)]
    pub(crate) elevate_socket: PathBuf,
}
