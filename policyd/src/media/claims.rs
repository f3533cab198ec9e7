// SPDX-License-Identifier: Apache-2.0
//! Media on their way into a VM: between the decision and libvirt's answer nobody else gets them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use virtwarden_core::media::Id;
use virtwarden_core::object::Uuid;

type Table = HashMap<Id, (Uuid, String, usize)>;

/// Which are on their way, and to which VM.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Arc<Mutex<Table>>);

/// A medium is kept for a VM until this is dropped.
#[derive(Debug)]
#[must_use = "the medium is kept for the VM only as long as this lives"]
pub struct Claim {
    claims: Claims,
    id: Id,
}

impl Claims {
    /// Keeps a medium for a VM.
    ///
    /// # Errors
    /// It is on its way to another, whose name this is.
    pub(super) fn claim(&self, id: &Id, vm: Uuid, name: &str) -> Result<Claim, String> {
        let mut table = self.locked();
        let entry = table.entry(id.clone()).or_insert_with(|| (vm, name.to_owned(), 0));
        if entry.0 != vm {
            return Err(entry.1.clone());
        }
        entry.2 += 1;
        Ok(Claim { claims: self.clone(), id: id.clone() })
    }

    /// Whether it is on its way to some VM.
    pub(super) fn has(&self, id: &Id) -> bool {
        self.locked().contains_key(id)
    }

    /// Whether it is on its way to this VM.
    pub(super) fn has_for(&self, id: &Id, vm: Uuid) -> bool {
        self.locked().get(id).is_some_and(|claim| claim.0 == vm)
    }

    fn locked(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = self.claims.locked();
        if let Some(entry) = table.get_mut(&self.id) {
            entry.2 = entry.2.saturating_sub(1);
            if entry.2 == 0 {
                table.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medium_is_on_its_way_to_one_vm_at_a_time() {
        let (claims, id) = (Claims::default(), Id("usb:1:2:3".into()));
        let (red, blue) = (Uuid([1; 16]), Uuid([2; 16]));
        let first = claims.claim(&id, red, "redvm").unwrap();
        let second = claims.claim(&id, red, "redvm").unwrap();
        assert_eq!(claims.claim(&id, blue, "bluevm").unwrap_err(), "redvm");
        drop(first);
        assert_eq!(claims.claim(&id, blue, "bluevm").unwrap_err(), "redvm");
        drop(second);
        assert!(claims.claim(&id, blue, "bluevm").is_ok());
        assert!(claims.claim(&id, red, "redvm").is_ok(), "what is dropped keeps nothing");
    }
}
