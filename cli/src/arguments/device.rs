// SPDX-License-Identifier: Apache-2.0
//! `virtwarden device`.

use clap::Subcommand;

const LEARN: &str = "\
Example, as root in an Administrator's session:
  virtwarden device learn --class office-sticks --grant red
  virtwarden device learn --class office-sticks --grant red --apply --revert-after 60
  virtwarden policy confirm
What is not taken, for a mistake or because no keyboard would be left, is not left in the file either.";

/// What to do with devices that can be plugged and unplugged.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DeviceVerb {
    /// List the devices that are plugged in, with what a device class can tell them by.
    List,
    /// List the kinds and device classes of the policy, with their rules.
    Classes,
    /// Propose a device class for what is plugged in and in no class yet: text for a policy file.
    ///
    /// Without --apply nothing is changed.
    #[command(after_help = LEARN)]
    Learn {
        /// The name of the device class.
        #[arg(long, default_value = "learned")]
        class: String,
        /// Grant it to an information domain; may be repeated. Without, an Administrator connects each device himself.
        #[arg(long, value_name = "INFORMATION DOMAIN")]
        grant: Vec<String>,
        /// Write it to /etc/virtwarden/policy.d and put it in force. For root, in an Administrator's session.
        #[arg(long)]
        apply: bool,
        /// Take it back after so many seconds unless `virtwarden policy confirm` is typed meanwhile.
        #[arg(long, value_name = "SECONDS", requires = "apply")]
        revert_after: Option<u32>,
    },
}
