// SPDX-License-Identifier: Apache-2.0
//! VMs that a request through the gate made lately: what libvirtd tells of them is no news.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use virtwarden_core::object::Uuid;

/// How long after the request libvirtd may take to tell.
const MEMORY: Duration = Duration::from_secs(60);

/// Who was made when.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<HashMap<Uuid, Instant>>);

impl Made {
    pub(super) fn note(&self, uuid: Uuid, now: Instant) {
        let mut made = self.locked();
        made.retain(|_, when| is_fresh(*when, now));
        made.insert(uuid, now);
    }

    pub(super) fn has(&self, uuid: Uuid, now: Instant) -> bool {
        self.locked().get(&uuid).is_some_and(|when| is_fresh(*when, now))
    }

    /// The VM is gone: the next one with its UUID was not made by that request.
    pub(super) fn forget(&self, uuid: Uuid) {
        self.locked().remove(&uuid);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(when: Instant, now: Instant) -> bool {
    now.duration_since(when) < MEMORY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_explains_the_vm_it_made_and_no_later_one() {
        let (made, vm, now) = (Made::default(), Uuid([1; 16]), Instant::now());
        assert!(!made.has(vm, now));
        made.note(vm, now);
        assert!(made.has(vm, now) && !made.has(Uuid([2; 16]), now));
        assert!(!made.has(vm, now + MEMORY));
        made.forget(vm);
        assert!(!made.has(vm, now));
    }
}
