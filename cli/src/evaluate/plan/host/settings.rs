// SPDX-License-Identifier: Apache-2.0
//! Whether what Administrators have set is what the host's components do.

use std::path::Path;

use virtwarden_core::control::{Reply, Request, SettingRow};
use virtwarden_core::setting::SettingName;
use virtwarden_core::table3::Column;

use crate::client::{ask, unexpected};
use crate::evaluate::plan::host::Look;
use crate::evaluate::plan::host::reach::Reach;
use crate::evaluate::report::Verdict;
use crate::exit::Failed;

/// What a host with IPsec has.
const SWANCTL: &str = "/usr/sbin/swanctl";

/// A look at each setting, as settingsd reads it back from its component.
pub(super) fn looks(socket: &Path) -> Result<Vec<Look>, Failed> {
    let Reply::Settings(rows) = ask(socket, &Request::SettingList)? else { return Err(unexpected()) };
    Ok(rows.into_iter().map(look).collect())
}

/// Who set a value for nothing has not performed the function.
fn look(row: SettingRow) -> Look {
    let name = row.setting.name();
    let reach = Reach::One(name.function(), Column::Administrator);
    let what = format!("The host does what setting `{name}` says.");
    let drift = row.drift.into_iter().map(|line| format!("setting `{name}` does not hold: {line}")).collect();
    let mut look = Look::new(reach, what, "virtwarden setting list", drift);
    if name == SettingName::PasswordPolicy && !row.source.is_set() {
        let why = "nobody has set `password-policy`, so that the distribution's own rules hold";
        look.verdict = Verdict::not_exercised(why);
    }
    if name == SettingName::CertificateValidity && look.found.is_empty() && !Path::new(SWANCTL).exists() {
        look.verdict = Verdict::not_exercised(
            "this host has no strongSwan, so that nobody asks for peers' certificates",
        );
    }
    look
}
