// SPDX-License-Identifier: Apache-2.0
//! Who holds which roles, answered without looking at each role.

use std::collections::BTreeMap;

use crate::authentication::Authentication;
use crate::policy::rule::Role;
use crate::subject::Subject;
use crate::table3::Column;

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

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn among(self, other: Self) -> Self {
        Self(self.0 & other.0)
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
    services: BTreeMap<String, RoleSet>,
    /// Those of the Administrator column: a person's, who must have authenticated (FIA_UIA_EXT.1).
    personal: RoleSet,
}

/// What a subject holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct Held {
    /// What counts.
    pub(in crate::policy) counted: RoleSet,
    /// What would count if a person stood behind the subject.
    pub(in crate::policy) withheld: RoleSet,
}

impl Members {
    pub(in crate::policy) fn of(roles: &[Role]) -> Self {
        let mut members = Self::default();
        for (index, role) in roles.iter().enumerate() {
            add(&mut members.users, &role.users, RoleSet::of(index));
            add(&mut members.groups, &role.groups, RoleSet::of(index));
            add(&mut members.services, &role.services, RoleSet::of(index));
            if role.column == Column::Administrator {
                members.personal = members.personal.with(RoleSet::of(index));
            }
        }
        members
    }

    /// The roles a subject holds by its account and by its groups, and those it holds as a service.
    pub(in crate::policy) fn roles(&self, subject: &Subject) -> Held {
        let of = |set: Option<&RoleSet>| set.copied().unwrap_or_default();
        let own = of(self.users.get(&subject.account.name));
        let named =
            subject.groups.iter().map(|group| of(self.groups.get(&group.name))).fold(own, RoleSet::with);
        let served = of(self.services.get(&subject.account.name));
        match &subject.authentication {
            Authentication::Person(_) => Held { counted: named.with(served), withheld: RoleSet::default() },
            Authentication::Nobody(_) => Held {
                counted: named.without(self.personal).with(served),
                withheld: named.among(self.personal).without(served),
            },
        }
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
