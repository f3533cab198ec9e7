// SPDX-License-Identifier: Apache-2.0
//! Which channels are open between VMs: the authority on what they may share. Row 8 of Table 3.
//!
//! VMs are kept by UUID, so that a renamed VM keeps its channels and a new VM with an old name has none.
//! Lookups take a shared lock just long enough to copy a pointer; changes are on disk before anyone sees them.

mod look;
mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use virtwarden_core::object::Uuid;
use virtwarden_core::policy::sharing::{Opening, Openings};

pub use look::look;
pub use store::Declaration;

use crate::kept::{Condition, Store, StoreError};

/// All channels that are open, and who opened each.
pub type Declarations = BTreeMap<Opening, Declaration>;

/// The open channels. Shared by all connections.
pub struct Sharing {
    declared: RwLock<Arc<(Declarations, Openings)>>,
    /// Held from reading the present state to the end of its replacement: one change at a time.
    /// None keeps nothing beyond this run.
    store: Mutex<Option<Store<Declarations>>>,
    condition: Condition,
}

impl fmt::Debug for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharing").field("condition", &self.condition).finish_non_exhaustive()
    }
}

impl Default for Sharing {
    /// Nothing is open, and what is opened is kept nowhere.
    fn default() -> Self {
        Self { declared: RwLock::default(), store: Mutex::default(), condition: Condition::Fresh }
    }
}

impl Sharing {
    /// Reads the file. One that is missing means that nothing is open; so does one that is damaged,
    /// which is put aside: see [`Sharing::condition`].
    ///
    /// # Errors
    /// The file cannot be read, or a damaged one cannot be put aside.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (store, declared, condition) = Store::open(path)?;
        let declared: Declarations = declared.unwrap_or_default();
        let openings = declared.keys().cloned().collect();
        Ok(Self {
            declared: RwLock::new(Arc::new((declared, openings))),
            store: Mutex::new(Some(store)),
            condition,
        })
    }

    /// How the file was found.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// What is open now, as rules.
    pub fn openings(&self) -> Openings {
        self.declared().1.clone()
    }

    /// What is open now, and who opened it.
    pub fn declarations(&self) -> Declarations {
        self.declared().0.clone()
    }

    /// Opens a channel. Durable when this returns. One that is open already stays as it is.
    ///
    /// # Errors
    /// The disk failed, and nothing changed.
    pub fn allow(&self, opening: Opening, declaration: Declaration) -> Result<(), StoreError> {
        self.replace(|declared| {
            declared.entry(opening).or_insert(declaration);
        })
    }

    /// Closes a channel. Durable when this returns.
    ///
    /// # Errors
    /// The disk failed, and nothing changed.
    pub fn deny(&self, opening: &Opening) -> Result<(), StoreError> {
        self.replace(|declared| {
            declared.remove(opening);
        })
    }

    /// A VM is gone, and with it every channel that named it. How many those were.
    ///
    /// # Errors
    /// The disk failed; they are closed for this run all the same.
    pub fn forget(&self, vm: Uuid) -> Result<usize, StoreError> {
        let store = self.store();
        let mut declared = self.declarations();
        let before = declared.len();
        declared.retain(|opening, _| !opening.is_of(vm));
        let closed = before - declared.len();
        if closed == 0 {
            return Ok(0);
        }
        let written = store.as_ref().map_or(Ok(()), |store| store.write(&declared));
        self.publish(declared);
        written.map(|()| closed)
    }

    /// The VMs that open channels name.
    pub fn vms(&self) -> Vec<Uuid> {
        self.declared().0.keys().flat_map(Opening::vms).collect()
    }

    fn declared(&self) -> Arc<(Declarations, Openings)> {
        Arc::clone(&self.declared.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes the edited openings, then shows them.
    fn replace(&self, edit: impl FnOnce(&mut Declarations)) -> Result<(), StoreError> {
        let store = self.store();
        let mut declared = self.declarations();
        edit(&mut declared);
        if let Some(store) = store.as_ref() {
            store.write(&declared)?;
        }
        self.publish(declared);
        Ok(())
    }

    fn publish(&self, declared: Declarations) {
        let openings = declared.keys().cloned().collect();
        *self.declared.write().unwrap_or_else(PoisonError::into_inner) = Arc::new((declared, openings));
    }

    /// A thread that panicked with the lock held left the file whole: it is replaced in one step.
    fn store(&self) -> MutexGuard<'_, Option<Store<Declarations>>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "sharing/tests.rs"]
mod tests;
