// SPDX-License-Identifier: Apache-2.0
//! Who could still unlock somebody: the last Administrator is never locked out of the console.

use std::collections::BTreeSet;

use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::Spare;
use virtwarden_core::table3::Column;

use super::claimed::Claimed;
use super::{Found, Logins};
use crate::lockout::Role;
use crate::peer::Peer;

/// Programs that let somebody in who sits at the machine. Others that run at the machine can be reached by
/// whoever is logged in already, and guess.
const CONSOLE: &[&str] = &["login", "gdm-password", "lightdm", "sddm", "greetd", "xdm", "lxdm", "wdm"];
/// Shells that let nobody in.
const NO_SHELLS: &[&str] = &["nologin", "false"];
/// Whether root has a password cannot be told, and on this distribution it often has none.
const ROOT: u32 = 0;

impl Logins {
    /// Whether a lock may keep somebody from the console.
    pub(super) fn spare(&self, peer: &Peer, claimed: &Claimed) -> Spare {
        let at_console = claimed.class() == OriginClass::Local
            && peer.login.is_none()
            && CONSOLE.contains(&claimed.service.as_str());
        match &claimed.account {
            Some(account) if at_console && self.is_locked(&account.name) => self.last_one(account),
            Some(_) | None => Spare::Nobody,
        }
    }

    /// Whether an account is the last Administrator who could still log in at the console.
    pub(crate) fn last_one(&self, account: &Found) -> Spare {
        if self.role(account) == Role::Administrator
            && !self.others(&account.name).any(|other| self.can_enter(&other))
        {
            Spare::LastAdministrator
        } else {
            Spare::Nobody
        }
    }

    /// Whether the policy gives an account a role of the Administrator column, logged in or not.
    pub(crate) fn role(&self, account: &Found) -> Role {
        let policy = self.monitor.policy();
        let mut roles = policy.policy.rules().filter(|role| role.column == Column::Administrator).peekable();
        if roles.peek().is_none() {
            return Role::Other;
        }
        let groups = self.directory.groups(account);
        let holds = roles.any(|role| {
            role.users.contains(&account.name) || groups.iter().any(|group| role.groups.contains(group))
        });
        if holds { Role::Administrator } else { Role::Other }
    }

    /// The other Administrators.
    fn others(&self, account: &str) -> impl Iterator<Item = String> {
        let policy = self.monitor.policy();
        let mut names = BTreeSet::new();
        for role in policy.policy.rules().filter(|role| role.column == Column::Administrator) {
            names.extend(role.users.iter().cloned());
            names.extend(role.groups.iter().flat_map(|group| self.directory.members(group)));
        }
        names.remove(account);
        names.into_iter()
    }

    /// Whether an Administrator is known to be able to log in at the console: he has done so or the like with
    /// a password, has a shell, and is not locked there.
    fn can_enter(&self, name: &str) -> bool {
        let shown = self.lockouts.is_proven(name) && !self.is_locked(name);
        shown && self.directory.find(name).is_some_and(|found| found.uid != ROOT && has_shell(&found))
    }

    fn is_locked(&self, name: &str) -> bool {
        self.lockouts.lock(name, OriginClass::Local, &self.settings.lockout()).is_some()
    }
}

fn has_shell(account: &Found) -> bool {
    account.shell.file_name().and_then(|name| name.to_str()).is_none_or(|name| !NO_SHELLS.contains(&name))
}
