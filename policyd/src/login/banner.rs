// SPDX-License-Identifier: Apache-2.0
//! When the banner goes before a password: whenever somebody becomes an Administrator within a session. Before
//! a login the login programs show it themselves. Row 20, FTA_TAB.1.

use super::Logins;
use super::claimed::Claimed;
use crate::lockout::Role;

/// Here the account that is named is entered, or lends its rights to whoever asks (pkexec).
const ENTER: &[&str] = &["su", "su-l", "polkit-1"];
/// Here whoever asks authenticates as himself and becomes another, root as a rule.
const BECOME: &[&str] = &["sudo", "sudo-i", "virtwarden"];

impl Logins {
    /// The banner that is to be shown, if any.
    pub(super) fn banner(&self, claimed: &Claimed) -> Option<String> {
        let text = self.settings.banner().text?;
        let service = claimed.service.as_str();
        let enters = || {
            let account = claimed.account.as_ref();
            account.is_some_and(|account| account.uid == 0 || self.role(account) == Role::Administrator)
        };
        let shown = BECOME.contains(&service) || (ENTER.contains(&service) && enters());
        shown.then(|| text.as_str().to_owned())
    }
}
