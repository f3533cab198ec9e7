// SPDX-License-Identifier: Apache-2.0
//! VMs that are about to start because a person asked for it: their media have just been judged as his.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use virtwarden_core::object::Uuid;

/// Which are about to start, and by how many calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Starting(Arc<Mutex<HashMap<Uuid, usize>>>);

/// A start that libvirtd has not answered yet.
#[derive(Debug)]
#[must_use = "the VM counts as about to start only as long as this lives"]
pub struct Start {
    starting: Starting,
    vm: Uuid,
}

impl Starting {
    pub(super) fn begin(&self, vm: Uuid) -> Start {
        *self.locked().entry(vm).or_default() += 1;
        Start { starting: self.clone(), vm }
    }

    pub(super) fn has(&self, vm: Uuid) -> bool {
        self.locked().contains_key(&vm)
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        let mut starting = self.starting.locked();
        if let Some(count) = starting.get_mut(&self.vm) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                starting.remove(&self.vm);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_is_about_to_start_until_the_last_call_has_its_answer() {
        let (starting, vm) = (Starting::default(), Uuid([1; 16]));
        let (first, second) = (starting.begin(vm), starting.begin(vm));
        drop(first);
        assert!(starting.has(vm) && !starting.has(Uuid([2; 16])));
        drop(second);
        assert!(!starting.has(vm));
    }
}
