// SPDX-License-Identifier: Apache-2.0
//! What Administrators have set in the host's own components: theirs while the monitor is in service.
//!
//! settingsd knows what it replaced, so that nothing of it is in the takeover's journal.

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

const SETTINGSD: &str = "/usr/lib/virtwarden/virtwarden-settingsd";

/// Writes into the components what was set before, and what nobody has to set.
pub(crate) fn put_into_force(host: &Host<'_>) -> Result<(), Trouble> {
    host.run(SETTINGSD, &["--apply-all"]).map(drop)
}

/// Gives the components' files back as they were. Can be done twice.
pub(crate) fn withdraw(host: &Host<'_>) -> Result<(), Trouble> {
    host.run(SETTINGSD, &["--withdraw-all"]).map(drop)
}
