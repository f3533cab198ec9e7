// SPDX-License-Identifier: Apache-2.0
//! How many clients there may be at once, so that nobody keeps others out of the control socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many clients there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of everybody but root. Root's are not counted: a hook that cannot ask stops a VM from starting.
    pub all: usize,
    /// Of one account.
    pub each: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { all: 128, each: 16 }
    }
}

/// The clients there are.
#[derive(Clone, Debug)]
pub struct Clients {
    limits: Limits,
    present: Arc<Mutex<HashMap<u32, usize>>>,
}

impl Clients {
    /// Nobody yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, present: Arc::default() }
    }

    /// A place for one more client of an account; none if there are too many.
    pub fn admit(&self, uid: u32) -> Option<Place> {
        let mut present = lock(&self.present);
        let strangers: usize = present.iter().filter(|(uid, _)| **uid != 0).map(|(_, count)| count).sum();
        let own = present.get(&uid).copied().unwrap_or_default();
        if uid != 0 && (strangers >= self.limits.all || own >= self.limits.each) {
            return None;
        }
        present.insert(uid, own + 1);
        Some(Place { uid, present: Arc::clone(&self.present) })
    }
}

/// A client's place, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    uid: u32,
    present: Arc<Mutex<HashMap<u32, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut present = lock(&self.present);
        match present.get_mut(&self.uid) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(present.remove(&self.uid)),
        }
    }
}

/// The count is right whatever a thread that panicked was doing: it changes in one step.
fn lock(present: &Mutex<HashMap<u32, usize>>) -> MutexGuard<'_, HashMap<u32, usize>> {
    present.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_cannot_take_every_place() {
        let clients = Clients::new(Limits { all: 3, each: 2 });
        let bobs = [clients.admit(1001), clients.admit(1001)];
        assert!(bobs.iter().all(Option::is_some));
        assert!(clients.admit(1001).is_none());
        let carol = clients.admit(1002);
        assert!(carol.is_some());
        assert!(clients.admit(1003).is_none(), "all places are taken");
        drop(bobs);
        assert!(clients.admit(1003).is_some());
    }

    #[test]
    fn root_always_has_a_place() {
        let clients = Clients::new(Limits { all: 1, each: 1 });
        let bob = clients.admit(1001);
        let roots: Vec<_> = (0..10).map(|_| clients.admit(0)).collect();
        assert!(bob.is_some() && roots.iter().all(Option::is_some));
        drop(bob);
        assert!(clients.admit(1001).is_some(), "root's clients take nobody's place");
    }
}
