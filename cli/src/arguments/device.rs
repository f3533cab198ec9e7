// SPDX-License-Identifier: Apache-2.0
//! `virtwarden device`.

use clap::Subcommand;

/// What to do with devices that can be plugged and unplugged.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DeviceVerb {
    /// List the devices that are plugged in, with what a device class can tell them by.
    List,
    /// List the kinds and device classes of the policy, with their rules.
    Classes,
}
