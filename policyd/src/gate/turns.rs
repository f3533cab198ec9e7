// SPDX-License-Identifier: Apache-2.0
//! One change of a VM's definition, and one that counts for an owner's quota, at a time: what a judgement
//! saw is still so when libvirtd acts.
//!
//! A turn is held from the look at the present definition until libvirtd's reply. Nobody blocks a thread
//! for it: who finds it taken leaves a bell and goes on serving its connection until the bell rings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use virtwarden_core::object::Uuid;

use super::wake::Wake;
use crate::belongings::Belongings;

/// What one turn is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matter {
    /// A VM's definition.
    Vm(Uuid),
    /// What the VMs of an account, by its uid, add up to. Taken after a VM's turn, never before.
    Quota(u32),
    /// What of the host each VM has. Taken last.
    Media,
    /// Which networks there are and where they lead. Taken alone.
    Networks,
}

/// The turns that are taken, each with the bells of those who wait for it.
#[derive(Debug, Default)]
pub struct Turns {
    taken: Mutex<HashMap<Matter, Vec<Arc<Wake>>>>,
    belongings: Arc<Belongings>,
}

impl Turns {
    /// Turns on VMs, while which nothing is kept of what those have.
    pub fn of(belongings: Arc<Belongings>) -> Self {
        Self { taken: Mutex::default(), belongings }
    }

    /// Takes the turn, or leaves the bell to be rung when it is worth trying again.
    pub fn take(self: &Arc<Self>, matter: Matter, bell: &Arc<Wake>) -> Option<Turn> {
        let mut taken = self.locked();
        if let Some(waiting) = taken.get_mut(&matter) {
            if !waiting.iter().any(|other| Arc::ptr_eq(other, bell)) {
                waiting.push(bell.clone());
            }
            return None;
        }
        taken.insert(matter, Vec::new());
        self.touch(matter);
        Some(Turn { turns: self.clone(), matter, with: None })
    }

    /// Takes the turn, waiting for it as long as that. None: it is still taken, or no descriptor is left.
    pub fn wait(self: &Arc<Self>, matter: Matter, patience: Duration) -> Option<Turn> {
        let until = Instant::now() + patience;
        let bell = Arc::new(Wake::new().ok()?);
        loop {
            if let Some(turn) = self.take(matter, &bell) {
                return Some(turn);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let _rung_or_over = bell.wait(left);
        }
    }

    /// Nothing is kept of a VM from before its turn, nor from while it lasted.
    fn touch(&self, matter: Matter) {
        match matter {
            Matter::Vm(vm) => self.belongings.forget(vm),
            Matter::Quota(_) | Matter::Media | Matter::Networks => {}
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Matter, Vec<Arc<Wake>>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to change one thing; dropping it passes it on.
#[derive(Debug)]
#[must_use = "dropping a turn passes it on"]
pub struct Turn {
    turns: Arc<Turns>,
    matter: Matter,
    with: Option<Box<Turn>>,
}

impl Turn {
    /// Whether it is the turn of a VM.
    pub fn is_of(&self, vm: Uuid) -> bool {
        self.matter == Matter::Vm(vm)
    }

    /// Both turns in one, as far as they were taken.
    pub fn both(one: Option<Turn>, other: Option<Turn>) -> Option<Turn> {
        match one {
            Some(one) => Some(one.and(other)),
            None => other,
        }
    }

    /// Both turns in one, to be passed on together.
    pub fn and(mut self, other: Option<Turn>) -> Turn {
        self.with = match (self.with.take(), other) {
            (Some(with), other) => Some(Box::new(with.and(other))),
            (None, other) => other.map(Box::new),
        };
        self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before anybody else's turn begins.
        self.turns.touch(self.matter);
        let waiting = self.turns.locked().remove(&self.matter);
        waiting.into_iter().flatten().for_each(|bell| bell.ring());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belongings::Belonging;

    #[test]
    fn a_turn_is_one_connections_until_it_is_over() {
        let turns = Arc::new(Turns::default());
        let (first, second) = (Arc::new(Wake::new().unwrap()), Arc::new(Wake::new().unwrap()));
        let vm = Matter::Vm(Uuid([1; 16]));
        let turn = turns.take(vm, &first).unwrap();
        assert!(turns.take(vm, &second).is_none());
        assert!(turns.take(Matter::Vm(Uuid([2; 16])), &second).is_some(), "another VM's turn is free");
        assert!(!second.silence());
        drop(turn);
        assert!(second.silence(), "who waits is told");
        assert!(turns.take(vm, &second).is_some());
    }

    #[test]
    fn nothing_is_kept_of_a_vm_from_before_its_turn_or_from_while_it_lasts() {
        let belongings = Arc::new(Belongings::default());
        belongings.begin_to_hear();
        let (turns, vm) = (Arc::new(Turns::of(belongings.clone())), Uuid([1; 16]));
        let look = || belongings.recall(vm).is_ok();
        let keep = |began| drop(belongings.keep(vm, began, Belonging::default()));
        keep(belongings.recall(vm).unwrap_err());
        assert!(look());
        let turn = turns.wait(Matter::Vm(vm), Duration::ZERO).unwrap();
        assert!(!look(), "who begins a turn asks again");
        keep(belongings.recall(vm).unwrap_err());
        assert!(look());
        drop(turn);
        assert!(!look(), "what it changed was seen half");
    }

    #[test]
    fn who_has_a_thread_to_spare_waits_for_it() {
        let turns = Arc::new(Turns::default());
        let vm = Matter::Vm(Uuid([1; 16]));
        let turn = turns.wait(vm, Duration::ZERO).unwrap();
        assert!(turns.wait(vm, Duration::from_millis(5)).is_none());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| turns.wait(vm, Duration::from_secs(20)).is_some());
            drop(turn);
            assert!(waits.join().unwrap());
        });
        assert!(turns.wait(vm, Duration::ZERO).is_some());
    }
}
