// SPDX-License-Identifier: Apache-2.0
//! One change of one VM's assignment: planned, shown, then made.

use std::fmt;
use std::sync::Arc;

use virtwarden_core::object::{Assignment, Uuid};

use super::{Entries, Entry, assignment};
use crate::kept::StoreError;

/// Why a planned change was not made.
#[derive(Debug)]
pub enum ChangeError {
    /// It could not be kept.
    Store(StoreError),
    /// Somebody else changed the same VM first.
    Stale,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeError::Store(error) => write!(f, "{error}"),
            ChangeError::Stale => {
                f.write_str("the VM's assignment was changed at the same time; look again and retry")
            }
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        ChangeError::Store(error)
    }
}

/// A planned change. Making it fails if the VM's assignment is no longer what it was when the plan
/// was made, so that what is recorded is what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The VM.
    pub uuid: Uuid,
    /// Its name now.
    pub name: String,
    /// What the registry knew.
    pub before: Option<Arc<Assignment>>,
    /// What it shall know.
    pub after: Assignment,
}

impl Change {
    /// One line for each difference, for people and for the record; empty when nothing changes.
    pub fn differences(&self) -> Vec<String> {
        differences(&self.before.as_deref().cloned().unwrap_or_default(), &self.after)
    }

    pub(super) fn apply(&self, entries: &mut Entries) -> Result<(), ChangeError> {
        if assignment(entries, self.uuid) != self.before {
            return Err(ChangeError::Stale);
        }
        let entry = Entry { name: self.name.clone(), assignment: Arc::new(self.after.clone()) };
        entries.insert(self.uuid, entry);
        Ok(())
    }
}

/// What differs between two assignments, one line each.
pub fn differences(before: &Assignment, after: &Assignment) -> Vec<String> {
    let gained_users = after.users.difference(&before.users).map(|user| format!("+user {}", user.name));
    let lost_users = before.users.difference(&after.users).map(|user| format!("-user {}", user.name));
    let gained_groups = after.groups.difference(&before.groups).map(|group| format!("+group {}", group.name));
    let lost_groups = before.groups.difference(&after.groups).map(|group| format!("-group {}", group.name));
    let (old, new) = (&before.information_domain, &after.information_domain);
    let moved = (old != new).then(|| {
        let word = |place: &Option<String>| place.clone().unwrap_or_else(|| "none".to_owned());
        format!("information domain {} -> {}", word(old), word(new))
    });
    let (was, is) = (before.sensitivity, after.sensitivity);
    let marked = (was != is).then(|| format!("{} -> {}", was.word(), is.word()));
    let people = gained_users.chain(lost_users).chain(gained_groups).chain(lost_groups);
    people.chain(moved).chain(marked).collect()
}
