// SPDX-License-Identifier: Apache-2.0
//! Whose VM is whose: the authority on assignments and information domains.
//!
//! Keyed by UUID, so a renamed VM keeps its people and a new VM with an old name gets none. VMs that
//! nobody was given are kept here too, so that one that appears past the gate is noticed once. Lookups take a shared lock just long enough to copy a
//! pointer; changes are on disk before anyone can see them.

mod change;
mod store;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use change::{Change, ChangeError, differences};
use virtwarden_core::object::{Assignment, Sensitivity, Uuid};
use virtwarden_core::subject::{Account, Group};

use crate::kept::{Condition, Store, StoreError};

/// What the registry knows of one VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name last seen, for people; nothing is decided by it.
    pub name: String,
    /// Whose it is.
    pub assignment: Arc<Assignment>,
}

impl Entry {
    /// Whether anybody was given it, or it belongs to an information domain.
    pub fn is_assigned(&self) -> bool {
        *self.assignment != Assignment::default()
    }
}

/// All VMs that were seen or given to somebody, and that were not deleted since.
pub type Entries = BTreeMap<Uuid, Entry>;

/// People, by account and by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Accounts.
    pub users: BTreeSet<Account>,
    /// Groups.
    pub groups: BTreeSet<Group>,
}

/// The VM registry. Shared by all connections.
#[derive(Debug)]
pub struct Registry {
    entries: RwLock<Arc<Entries>>,
    /// Held from reading the present state to the end of its replacement: one change at a time.
    store: Mutex<Store<Entries>>,
    condition: Condition,
}

impl Registry {
    /// Reads the registry's file. A file that is missing is an empty registry; one that cannot be
    /// understood is put aside and nobody is assigned anything: see [`Registry::condition`].
    ///
    /// # Errors
    /// The file cannot be read, or a damaged one cannot be put aside: policyd must not start, lest
    /// its first change destroy what is there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (store, entries, condition) = Store::open(path)?;
        let entries = Arc::new(entries.unwrap_or_default());
        Ok(Self { entries: RwLock::new(entries), store: Mutex::new(store), condition })
    }

    /// How the file was found when the registry was opened.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Whose a VM is. None: nobody's.
    pub fn vm(&self, uuid: Uuid) -> Option<Arc<Assignment>> {
        assignment(&self.entries(), uuid)
    }

    /// All entries as they are now.
    pub fn entries(&self) -> Arc<Entries> {
        Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The VMs that are assigned to an account by itself (not through a group): what quotas count.
    pub fn owned_by(&self, account: &Account) -> Vec<Uuid> {
        let entries = self.entries();
        let owned = entries.iter().filter(|(_, entry)| entry.assignment.users.contains(account));
        owned.map(|(uuid, _)| *uuid).collect()
    }

    /// What [`Registry::assign`] would change.
    pub fn plan_assign(&self, uuid: Uuid, name: &str, people: &People) -> Change {
        self.plan(uuid, name, |assignment| {
            assignment.users.extend(people.users.iter().cloned());
            assignment.groups.extend(people.groups.iter().cloned());
        })
    }

    /// What [`Registry::unassign`] would change. Without any people: everybody loses the VM.
    pub fn plan_unassign(&self, uuid: Uuid, name: &str, people: &People) -> Change {
        let everybody = people.users.is_empty() && people.groups.is_empty();
        self.plan(uuid, name, |assignment| {
            assignment.users.retain(|user| !everybody && !people.users.contains(user));
            assignment.groups.retain(|group| !everybody && !people.groups.contains(group));
        })
    }

    /// What moving a VM to an information domain, or to none, would change.
    pub fn plan_information_domain(&self, uuid: Uuid, name: &str, to: Option<&str>) -> Change {
        self.plan(uuid, name, |assignment| assignment.information_domain = to.map(str::to_owned))
    }

    /// What making a VM sensitive, or ordinary again, would change.
    pub fn plan_sensitivity(&self, uuid: Uuid, name: &str, to: Sensitivity) -> Change {
        self.plan(uuid, name, |assignment| assignment.sensitivity = to)
    }

    /// What a VM that is not there yet will belong to.
    pub fn plan_new(&self, uuid: Uuid, name: &str, belongs: Assignment) -> Change {
        self.plan(uuid, name, |assignment| *assignment = belongs)
    }

    /// Makes a planned change. Durable when this returns.
    ///
    /// # Errors
    /// The disk failed, and nothing changed; or the VM's entry changed since the plan was made.
    pub fn apply(&self, change: &Change) -> Result<(), ChangeError> {
        self.replace(|entries| change.apply(entries))
    }

    /// A VM that somebody created under a right of his own becomes his, and only his, whatever was
    /// known of this UUID before.
    ///
    /// # Errors
    /// The disk failed: the VM belongs to nobody new.
    pub fn adopt(&self, uuid: Uuid, name: &str, creator: &Account) -> Result<(), StoreError> {
        let users = BTreeSet::from([creator.clone()]);
        let assignment = Arc::new(Assignment { users, ..Assignment::default() });
        self.replace(|entries| {
            entries.insert(uuid, Entry { name: name.to_owned(), assignment });
            Ok(())
        })
    }

    /// VMs that nobody was given: from now on they are known. What is known already stays as it is.
    ///
    /// # Errors
    /// The disk failed, and nothing changed.
    pub fn enroll(&self, vms: &[(Uuid, String)]) -> Result<(), StoreError> {
        self.replace(|entries| {
            for (uuid, name) in vms {
                let entry = || Entry { name: name.clone(), assignment: Arc::default() };
                entries.entry(*uuid).or_insert_with(entry);
            }
            Ok(())
        })
    }

    /// The VM is gone: whoever defines its UUID again inherits nothing. Also to be called before a
    /// UUID that libvirt does not have is defined by an Administrator.
    ///
    /// # Errors
    /// The disk failed. The entry is gone for this run all the same: losing it is the safe side.
    pub fn forget(&self, uuid: Uuid) -> Result<(), StoreError> {
        self.forget_all(&[uuid])
    }

    /// VMs are gone, all of them by one write: thousands may go at once.
    ///
    /// # Errors
    /// As for [`Registry::forget`].
    pub fn forget_all(&self, gone: &[Uuid]) -> Result<(), StoreError> {
        let store = self.store();
        let known = self.entries();
        if !gone.iter().any(|uuid| known.contains_key(uuid)) {
            return Ok(());
        }
        let mut entries = Entries::clone(&known);
        for uuid in gone {
            entries.remove(uuid);
        }
        let written = store.write(&entries);
        self.publish(entries);
        written
    }

    /// The VM has a new name.
    ///
    /// # Errors
    /// The disk failed: the old name stays, which changes nothing for decisions.
    pub fn renamed(&self, uuid: Uuid, name: &str) -> Result<(), StoreError> {
        if self.entries().get(&uuid).is_none_or(|entry| entry.name == name) {
            return Ok(());
        }
        self.replace(|entries| {
            if let Some(entry) = entries.get_mut(&uuid) {
                name.clone_into(&mut entry.name);
            }
            Ok(())
        })
    }

    fn plan(&self, uuid: Uuid, name: &str, edit: impl FnOnce(&mut Assignment)) -> Change {
        let before = self.vm(uuid);
        let mut after = before.as_deref().cloned().unwrap_or_default();
        edit(&mut after);
        Change { uuid, name: name.to_owned(), before, after }
    }

    /// Writes the edited entries, then shows them.
    fn replace<E: From<StoreError>>(
        &self,
        edit: impl FnOnce(&mut Entries) -> Result<(), E>,
    ) -> Result<(), E> {
        let store = self.store();
        let mut entries = Entries::clone(&self.entries());
        edit(&mut entries)?;
        store.write(&entries)?;
        self.publish(entries);
        Ok(())
    }

    fn publish(&self, entries: Entries) {
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(entries);
    }

    /// A thread that panicked with the lock held left the file whole: it is replaced in one step.
    fn store(&self) -> MutexGuard<'_, Store<Entries>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn assignment(entries: &Entries, uuid: Uuid) -> Option<Arc<Assignment>> {
    let entry = entries.get(&uuid).filter(|entry| entry.is_assigned());
    entry.map(|entry| Arc::clone(&entry.assignment))
}

#[cfg(test)]
#[path = "registry/tests.rs"]
mod tests;
