// SPDX-License-Identifier: Apache-2.0
//! `virtwarden media`.

use clap::{Args, Subcommand};

use super::ChangeArguments;

const NAMES: &str = "\
A medium is named by what tells it from all others: its id, serial number, name, vendor:product, port, or the path
or file name of an image in the library. A name that fits several is refused, and the answer says what to type.";

/// What to do with removable media.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum MediaVerb {
    /// List the media that are there, and who has each.
    List {
        /// Say of each whether this VM may have it: its name or UUID.
        vm: Option<String>,
    },
    /// Show one medium.
    #[command(after_help = NAMES)]
    Show {
        /// The medium.
        medium: String,
        /// Say whether this VM may have it: its name or UUID.
        #[arg(long)]
        vm: Option<String>,
    },
    /// Put a disc or an image into a drive of a VM.
    #[command(after_help = NAMES)]
    Insert {
        /// The VM: its name or UUID.
        vm: String,
        /// The medium.
        medium: String,
        /// Into which drive, if the VM has several.
        #[command(flatten)]
        drive: DriveArguments,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Take the medium out of a drive of a VM.
    Eject {
        /// The VM: its name or UUID.
        vm: String,
        /// Out of which drive, if several have a medium.
        #[command(flatten)]
        drive: DriveArguments,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Connect a device to a running VM: a stick, a card, a smart card reader.
    #[command(after_help = NAMES)]
    Connect(ConnectArguments),
    /// Disconnect it again.
    #[command(after_help = NAMES)]
    Disconnect(ConnectArguments),
    /// List the transfers that wait until a User of the receiving VM confirms them.
    Pending,
    /// Confirm one, as a User of the receiving VM.
    Confirm {
        /// Its number; `virtwarden media pending` shows it.
        #[arg(value_name = "NUMBER")]
        transfer: u32,
    },
    /// Say when a transfer waits to be confirmed, until interrupted; on a desktop as a notification, too.
    Watch,
    /// Show what became of a medium: who connected it to which VM, and who was refused.
    #[command(after_help = NAMES)]
    History {
        /// The medium, as above, or the id of one that is not there now.
        medium: String,
    },
}

/// A VM and a medium.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConnectArguments {
    /// The VM: its name or UUID.
    pub(crate) vm: String,
    /// The medium.
    pub(crate) medium: String,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}

/// A drive of a VM.
#[derive(Clone, Debug, Args)]
pub(crate) struct DriveArguments {
    /// The drive, by its name in the VM's definition, such as `sda` or `hdc`.
    #[arg(long)]
    pub(crate) drive: Option<String>,
}
