// SPDX-License-Identifier: Apache-2.0
//! `virtwarden enable`, `disable` and `doctor`: taking libvirt over and giving it back, as root.

use std::process::ExitCode;

use clap::Args;

use crate::exit::Failed;

/// `virtwarden enable`.
#[derive(Debug, Args)]
pub(crate) struct EnableArguments {}

/// `virtwarden disable`.
#[derive(Debug, Args)]
pub(crate) struct DisableArguments {}

/// `virtwarden doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {}

/// Puts Virtwarden in front of libvirt.
pub(crate) fn enable(_arguments: &EnableArguments) -> Result<ExitCode, Failed> {
    Err(Failed::error("`enable` is not built yet"))
}

/// Gives libvirt back as it was.
pub(crate) fn disable(_arguments: &DisableArguments) -> Result<ExitCode, Failed> {
    Err(Failed::error("`disable` is not built yet"))
}

/// Looks for what is wrong.
pub(crate) fn doctor(_arguments: &DoctorArguments) -> Result<ExitCode, Failed> {
    Err(Failed::error("`doctor` is not built yet"))
}
