// SPDX-License-Identifier: Apache-2.0
//! Which networks there are, as last seen, and which of them an Administrator put into an information domain.
//!
//! Keyed by UUID: another network of the same name is not put into anything. What was assigned stays until it is
//! taken back, also while libvirt does not have the network: who forgot it would open it to every VM. What each
//! network reaches is kept for libvirt's hook alone, which must not ask libvirtd; everybody else asks again.

pub mod look;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use store::StoreError;
use store::{Completeness, Pages};
use virtwarden_core::control::NetworkMembership;
use virtwarden_core::object::Uuid;
use virtwarden_core::policy::networks::{Network, Networks};
use virtwarden_core::xml::reach::Reach;

use crate::kept::{Condition, Store};

/// Whose a network is after the book was lost: no name that a policy can define, so that nobody's VMs are let in.
const UNKNOWN: &str = "(unknown)";

/// What is known of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, when it was last seen.
    pub name: String,
    /// What it was put into.
    pub membership: Option<NetworkMembership>,
    /// What it reached, when it was last seen.
    pub reaches: Vec<Reach>,
}

/// All networks that were seen last or put into something.
pub type Entries = BTreeMap<Uuid, Entry>;

/// A planned change of one network's membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The network.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    before: Option<NetworkMembership>,
    after: Option<NetworkMembership>,
}

/// The book of networks. Shared by all connections.
#[derive(Debug)]
pub struct Book {
    pages: RwLock<Arc<Pages>>,
    /// Held from reading the present state to the end of its replacement: one change at a time.
    store: Mutex<Store<Pages>>,
    condition: Condition,
}

impl Book {
    /// Reads the file. One that is missing is an empty book; after one that was damaged, every network that
    /// libvirt has is in an information domain that nobody knows, until somebody says otherwise.
    ///
    /// # Errors
    /// It cannot be read, or not kept.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (store, pages, condition) = Store::<Pages>::open(path)?;
        let mut pages = pages.unwrap_or_default();
        if matches!(condition, Condition::Damaged { .. }) {
            pages.completeness = Completeness::Lost;
            store.write(&pages)?;
        }
        Ok(Self { pages: RwLock::new(Arc::new(pages)), store: Mutex::new(store), condition })
    }

    /// How the file was found when the book was opened.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// All entries as they are now.
    pub fn entries(&self) -> Entries {
        self.pages().entries.clone()
    }

    /// What a network was put into.
    pub fn membership(&self, uuid: Uuid) -> Option<NetworkMembership> {
        self.pages().membership(uuid)
    }

    /// Whether any network was put into anything.
    pub fn has_members(&self) -> bool {
        let pages = self.pages();
        pages.completeness == Completeness::Lost
            || pages.entries.values().any(|entry| entry.membership.is_some())
    }

    /// The networks as last seen.
    pub fn last_seen(&self) -> Networks {
        let pages = self.pages();
        let network = |(uuid, entry): (&Uuid, &Entry)| Network {
            name: entry.name.clone(),
            uuid: Some(*uuid),
            assigned: domain_of(entry.membership.as_ref()),
            reaches: entry.reaches.clone(),
        };
        pages.entries.iter().map(network).collect()
    }

    /// Networks that libvirt has now, with what they were put into.
    pub fn complete(&self, seen: Vec<Network>) -> Networks {
        let pages = self.pages();
        let assigned = |uuid: Uuid| domain_of(pages.membership(uuid).as_ref());
        seen.into_iter()
            .map(|network| Network { assigned: network.uuid.and_then(assigned), ..network })
            .collect()
    }

    /// Takes in which networks libvirt has now. Those that are gone are forgotten, unless they were put into
    /// something.
    ///
    /// # Errors
    /// The disk failed: what was known before stays.
    pub fn see(&self, seen: Vec<Network>) -> Result<(), StoreError> {
        self.replace(|pages| {
            let there: BTreeSet<_> = seen.iter().filter_map(|network| network.uuid).collect();
            pages.entries.retain(|uuid, entry| there.contains(uuid) || entry.membership.is_some());
            for Network { name, uuid, reaches, .. } in seen {
                let Some(uuid) = uuid else { continue };
                let membership = pages.membership(uuid);
                pages.entries.insert(uuid, Entry { name, membership, reaches });
            }
            // What appears from now on is new.
            pages.completeness = Completeness::Whole;
            Ok(())
        })
    }

    /// What putting a network into an information domain, or into none, would change.
    pub fn plan(&self, uuid: Uuid, name: &str, after: Option<NetworkMembership>) -> Change {
        Change { uuid, name: name.to_owned(), before: self.membership(uuid), after }
    }

    /// Makes a planned change. Durable when this returns.
    ///
    /// # Errors
    /// The disk failed, and nothing changed; or the entry changed since the plan was made.
    pub fn apply(&self, change: &Change) -> Result<(), StoreError> {
        self.replace(|pages| {
            if pages.membership(change.uuid) != change.before {
                return Err(StoreError::Stale);
            }
            let reaches = pages.entries.remove(&change.uuid).map(|entry| entry.reaches).unwrap_or_default();
            let entry = Entry { name: change.name.clone(), membership: change.after.clone(), reaches };
            pages.entries.insert(change.uuid, entry);
            Ok(())
        })
    }

    fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.pages.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes the edited pages, then shows them. What is the same already is not written again.
    fn replace(&self, edit: impl FnOnce(&mut Pages) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let store = self.store();
        let before = self.pages();
        let mut pages = Pages::clone(&before);
        edit(&mut pages)?;
        if pages != *before {
            store.write(&pages)?;
            *self.pages.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pages);
        }
        Ok(())
    }

    /// A thread that panicked with the lock held left the file whole: it is replaced in one step.
    fn store(&self) -> MutexGuard<'_, Store<Pages>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn membership(&self, uuid: Uuid) -> Option<NetworkMembership> {
        match (self.entries.get(&uuid), self.completeness) {
            (Some(entry), _) => entry.membership.clone(),
            (None, Completeness::Whole) => None,
            (None, Completeness::Lost) => {
                Some(NetworkMembership { information_domain: UNKNOWN.to_owned(), by: "-".to_owned(), at: 0 })
            }
        }
    }
}

impl Change {
    /// One line for each difference, for people and for the record; empty when nothing changes.
    pub fn differences(&self) -> Vec<String> {
        let word = |membership: &Option<NetworkMembership>| {
            domain_of(membership.as_ref()).unwrap_or_else(|| "none".to_owned())
        };
        let (old, new) = (word(&self.before), word(&self.after));
        if old == new { Vec::new() } else { vec![format!("information domain {old} -> {new}")] }
    }
}

fn domain_of(membership: Option<&NetworkMembership>) -> Option<String> {
    membership.map(|membership| membership.information_domain.clone())
}

#[cfg(test)]
#[path = "networks/tests.rs"]
mod tests;
