// SPDX-License-Identifier: Apache-2.0
//! The command line, as clap reads it: the nouns, and what all of them share.

mod audit;
mod banner;
mod device;
mod evaluate;
mod lockout;
mod media;
mod network;
mod object;
mod policy;
mod role;
mod screen;
mod session;
mod setting;
mod sharing;
mod takeover;
mod update;
mod vm;
mod word;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use virtwarden_core::control::{self, Mode};

pub(crate) use self::audit::{
    AuditVerb, DeleteArguments, ExportArguments, FilterArguments, Folding, ListArguments, VerifyArguments,
};
pub(crate) use self::banner::{BannerSetArguments, BannerVerb, TextArguments};
pub(crate) use self::device::DeviceVerb;
pub(crate) use self::evaluate::EvaluateArguments;
pub(crate) use self::lockout::{LockoutSetArguments, LockoutVerb, Unlock, UnlockArguments};
pub(crate) use self::media::{ConnectArguments, MediaVerb};
pub(crate) use self::network::NetworkVerb;
pub(crate) use self::policy::{ExplainArguments, PolicyVerb};
pub(crate) use self::role::{MemberArguments, ReviewArguments, RoleVerb, Sorted};
pub(crate) use self::screen::{ScreenVerb, ShortenArguments};
pub(crate) use self::session::{ElevateArguments, EndArguments, SessionVerb};
pub(crate) use self::setting::{Pair, SettingSetArguments, SettingVerb};
pub(crate) use self::sharing::{ChannelArguments, SharingVerb};
pub(crate) use self::takeover::{DisableArguments, DoctorArguments, EnableArguments, TakeoverArguments};
pub(crate) use self::update::{InstallArguments, UpdateVerb};
pub(crate) use self::vm::{VmVerb, mebibytes};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  error
  2  the command line makes no sense
  3  denied
  4  no such thing, or not for your eyes
`virtwarden audit verify` has its own: see its help.";

/// Two roles for libvirt on this host, and a trail of who tried what.
#[derive(Debug, Parser)]
#[command(name = "virtwarden", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What all verbs share.
    #[command(flatten)]
    pub(crate) common: CommonArguments,
    /// What to do.
    #[command(subcommand)]
    pub(crate) noun: Noun,
}

/// Options of every verb.
#[derive(Clone, Debug, Args)]
#[command(next_display_order = 900)]
pub(crate) struct CommonArguments {
    /// Print JSON instead of a table.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print tables without their first line.
    #[arg(long, global = true)]
    pub(crate) no_headers: bool,
    /// Print nothing but errors and what was asked for.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Where policyd listens.
    #[arg(long, global = true, hide = true, default_value = control::SOCKET)]
    pub(crate) socket: PathBuf,
}

/// What the command is about.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Whether Virtwarden is at work, and what needs attention.
    Status,
    /// Table 3: its 27 functions, its two columns, and which role has what here.
    Table,
    /// Who you are to Virtwarden and what you may do.
    Whoami,
    /// VMs: whose they are and which information domain they belong to.
    #[command(subcommand)]
    Vm(VmVerb),
    /// Removable media: discs, images, sticks and cards in and out of VMs.
    #[command(subcommand)]
    Media(MediaVerb),
    /// Devices that can be plugged in, and the device classes that the policy puts them into.
    #[command(subcommand)]
    Device(DeviceVerb),
    /// Virtual networks: whose they are, who is on them, and who can talk to whom.
    #[command(subcommand)]
    Network(NetworkVerb),
    /// Roles: what they may do and who holds them.
    #[command(subcommand)]
    Role(RoleVerb),
    /// Login sessions: who is logged in, from where, and who acts as an Administrator.
    #[command(subcommand)]
    Session(SessionVerb),
    /// Locks after failed logins: who is locked out, and when that happens.
    #[command(subcommand)]
    Lockout(LockoutVerb),
    /// The access banner: what people read before they log in.
    #[command(subcommand)]
    Banner(BannerVerb),
    /// Settings of this host: from passwords and cryptography to the audit server.
    #[command(subcommand)]
    Setting(SettingVerb),
    /// Your own screen: when it locks.
    #[command(subcommand)]
    Screen(ScreenVerb),
    /// Sharing: which channels are open between VMs, or between a VM and the host.
    #[command(subcommand)]
    Sharing(SharingVerb),
    /// The policy: check, show, explain, reload.
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// The audit trail: who tried what, and whether the trail is whole.
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Updates of the virtualization system: versions, and what is verified before it is installed.
    #[command(subcommand)]
    Update(UpdateVerb),
    /// Put Virtwarden in front of libvirt.
    Enable(EnableArguments),
    /// Give libvirt back as it was.
    Disable(DisableArguments),
    /// Look for what is wrong or left open on this host.
    Doctor(DoctorArguments),
    /// Prove that each function of Table 3 works for the role that has it, and for no other.
    Evaluate(EvaluateArguments),
    /// Print the completion script for a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Say what the last word may become, for the scripts that `completion` prints.
    #[command(hide = true)]
    Complete {
        /// The words of the command line up to the one that is being typed.
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<String>,
    },
    /// Write the man pages into a directory.
    #[command(hide = true)]
    Man {
        /// The directory.
        directory: PathBuf,
    },
}

/// The option of every change.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ChangeArguments {
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl ChangeArguments {
    /// Make the change or show it.
    pub(crate) const fn mode(self) -> Mode {
        if self.dry_run { Mode::DryRun } else { Mode::Apply }
    }
}

/// The option of every change of a setting.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReasonArguments {
    /// Why, for whoever reads the setting or the trail later.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

impl ReasonArguments {
    /// The words, or none.
    pub(crate) fn words(&self) -> String {
        self.reason.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
