// SPDX-License-Identifier: Apache-2.0
//! Who holds which roles, answered without looking at each role.

use std::collections::BTreeMap;

use crate::policy::rule::Role;
use crate::subject::Subject;

/// A set of roles, by their index in the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct RoleSet(u64);

impl RoleSet {
    /// How many roles a policy can have.
    pub(in crate::policy) const CAPACITY: usize = 64;

    fn of(index: usize) -> Self {
        Self(u32::try_from(index).ok().and_then(|index| 1u64.checked_shl(index)).unwrap_or_default())
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(in crate::policy) fn contains(self, index: usize) -> bool {
        self.0 & Self::of(index).0 != 0
    }

    pub(in crate::policy) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The roles of each account and group that a policy names.
#[derive(Clone, Debug, Default)]
pub(in crate::policy) struct Members {
    users: BTreeMap<String, RoleSet>,
    groups: BTreeMap<String, RoleSet>,
}

impl Members {
    pub(in crate::policy) fn of(roles: &[Role]) -> Self {
        let mut members = Self::default();
        for (index, role) in roles.iter().enumerate() {
            add(&mut members.users, &role.users, RoleSet::of(index));
            add(&mut members.groups, &role.groups, RoleSet::of(index));
        }
        members
    }

    /// The roles a subject holds by its account and by its groups.
    pub(in crate::policy) fn roles(&self, subject: &Subject) -> RoleSet {
        let of = |set: Option<&RoleSet>| set.copied().unwrap_or_default();
        let own = of(self.users.get(&subject.account.name));
        subject.groups.iter().map(|group| of(self.groups.get(&group.name))).fold(own, RoleSet::with)
    }
}

fn add<'n>(
    index: &mut BTreeMap<String, RoleSet>,
    names: impl IntoIterator<Item = &'n String>,
    role: RoleSet,
) {
    for name in names {
        let held = index.entry(name.clone()).or_default();
        *held = held.with(role);
    }
}
