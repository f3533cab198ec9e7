// SPDX-License-Identifier: Apache-2.0
//! `virtwarden sharing`.

use clap::{Args, Subcommand};
use virtwarden_core::policy::sharing::Channel;

use super::word::words;
use super::{ChangeArguments, ReasonArguments};

const EXAMPLES: &str = "\
Channels:
  clipboard      the clipboard of whoever looks at the screen
  file-transfer  files dropped on the screen
  shared-folder  a directory of the host, or of whoever looks at the screen
  disk           a disk, or another file of the host, that two VMs have
  shmem          memory that two VMs have
  vsock          a socket between the guest and the host
  chardev        a serial line, socket or pipe that leads out of the VM
Examples:
  virtwarden sharing allow disk web-1 web-2 --reason 'common cache'
  virtwarden sharing allow clipboard office host
  virtwarden sharing allow disk @red @red
An end is a VM by name or UUID, `host`, or an information domain as `@red`.";

/// What to do with channels between VMs.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SharingVerb {
    /// List the open channels, and what VMs have beyond them.
    List,
    /// Open a channel between two VMs, a VM and the host, or two information domains. Row 8 of Table 3.
    ///
    /// Nothing is shared by default, and what a VM's definition shares beyond the open channels is refused to
    /// everybody: when it is defined or attached, and at the next start. To open a channel changes no VM.
    #[command(after_help = EXAMPLES)]
    Allow(ChannelArguments),
    /// Close a channel. Row 8 of Table 3.
    ///
    /// A VM that runs keeps what it has until it is stopped; `virtwarden sharing list` shows it. It does not start
    /// with it again.
    #[command(after_help = EXAMPLES)]
    Deny(ChannelArguments),
}

/// A channel and its ends.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChannelArguments {
    /// The channel.
    #[arg(value_parser = words(Channel::ALL.map(|channel| (channel.word(), channel))))]
    pub(crate) channel: Channel,
    /// One end.
    #[arg(value_name = "VM|@DOMAIN")]
    pub(crate) one: String,
    /// The other end.
    #[arg(value_name = "VM|@DOMAIN|host")]
    pub(crate) other: String,
    /// Why.
    #[command(flatten)]
    pub(crate) reason: ReasonArguments,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}
