// SPDX-License-Identifier: Apache-2.0
//! Who is an Administrator on this host. root does not count: nobody can be named by it.

use std::collections::BTreeSet;

use crate::takeover::accounts;
use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// The people who are Administrators now.
pub(crate) fn present(host: &Host<'_>) -> Result<BTreeSet<String>, Trouble> {
    accounts::people(host, accounts::ADMINISTRATORS)
}

/// Makes sure that somebody will manage the host.
///
/// # Errors
/// When nobody is named and nobody is one, or a name is not a person's.
pub(crate) fn check(host: &Host<'_>, named: &[String]) -> Result<(), Trouble> {
    for name in named {
        accounts::need_person(host, name)?;
    }
    if named.is_empty() && present(host)?.is_empty() {
        return Err(Trouble::Refused(
            "nobody would be Administrator, and root alone does not count; name a person: \
             `virtwarden enable --admin USER`"
                .into(),
        ));
    }
    Ok(())
}
