// SPDX-License-Identifier: Apache-2.0
//! What each VM has, as it was when somebody last looked: so that a new disk is compared with those of a thousand
//! VMs without asking for a thousand definitions.
//!
//! What is kept of a VM is dropped before and after whatever goes through the gate to it, and at every event of
//! libvirtd's about it; everything is dropped with an event about pools, and nothing is kept while nobody hears
//! events. What a path leads to is never kept: it is looked at for each comparison.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use virtwarden_core::object::Uuid;
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::uses::Use;

/// Most VMs of which anything is kept, gone ones included.
const MOST: usize = 65_536;

/// What a VM has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belonging {
    /// The disks of its definitions, as they are written there.
    pub disks: Vec<Facts>,
    /// What it uses, volumes by their files.
    pub uses: Vec<Use>,
    /// What its images build upon where its definitions do not say, as far as pools know.
    pub below: Vec<Use>,
    /// The images of which no pool knows what they build upon.
    pub lost: Vec<Use>,
}

/// When somebody began to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(u64);

/// All VMs' belongings. Shared by all connections.
#[derive(Debug, Default)]
pub struct Belongings(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    hearing: Hearing,
    /// Counts everything that was dropped.
    now: u64,
    /// Since when all may have changed.
    all: u64,
    vms: HashMap<Uuid, Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    changed: u64,
    found: Option<Arc<Belonging>>,
}

/// Whether libvirtd's events are heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hearing {
    #[default]
    Nothing,
    Events,
}

impl Belongings {
    /// What is kept of a VM; else the moment, for [`Belongings::keep`].
    ///
    /// # Errors
    /// Nothing is kept, and it must be asked for.
    pub fn recall(&self, vm: Uuid) -> Result<Arc<Belonging>, Moment> {
        let kept = self.kept();
        let found = kept.vms.get(&vm).and_then(|slot| slot.found.clone());
        found.ok_or(Moment(kept.now))
    }

    /// Keeps what somebody found who began to look at that moment, unless it may have changed since.
    pub fn keep(&self, vm: Uuid, began: Moment, belonging: Belonging) -> Arc<Belonging> {
        let belonging = Arc::new(belonging);
        let mut kept = self.kept();
        let (all, hearing) = (kept.all, kept.hearing);
        if hearing == Hearing::Events && all <= began.0 {
            let slot = kept.vms.entry(vm).or_default();
            if slot.changed <= began.0 {
                slot.found = Some(belonging.clone());
            }
        }
        belonging
    }

    /// A VM may have changed.
    pub fn forget(&self, vm: Uuid) {
        let mut kept = self.kept();
        kept.now += 1;
        let changed = kept.now;
        if kept.vms.len() >= MOST {
            (kept.all, kept.vms) = (changed, HashMap::new());
        }
        kept.vms.insert(vm, Slot { changed, found: None });
    }

    /// Anything may have changed.
    pub fn forget_all(&self) {
        self.restart(|hearing| hearing);
    }

    /// From now on, whatever changes is heard.
    pub fn begin_to_hear(&self) {
        self.restart(|_| Hearing::Events);
    }

    /// Nothing is heard any more.
    pub fn cease_to_hear(&self) {
        self.restart(|_| Hearing::Nothing);
    }

    fn restart(&self, hearing: impl FnOnce(Hearing) -> Hearing) {
        let mut kept = self.kept();
        kept.now += 1;
        kept.all = kept.now;
        kept.hearing = hearing(kept.hearing);
        kept.vms.clear();
    }

    /// A thread that panicked with the lock held left it whole: each change is one step.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this is there, a VM may be changing.
#[derive(Debug)]
#[must_use = "what is kept of the VM is dropped again when this is"]
pub struct Changing {
    belongings: Arc<Belongings>,
    vm: Uuid,
}

impl Changing {
    /// Something goes to a VM.
    pub fn begin(belongings: &Arc<Belongings>, vm: Uuid) -> Self {
        belongings.forget(vm);
        Self { belongings: belongings.clone(), vm }
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.belongings.forget(self.vm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid([0xa; 16]);
    const B: Uuid = Uuid([0xb; 16]);

    fn hearing() -> Arc<Belongings> {
        let belongings = Arc::new(Belongings::default());
        belongings.begin_to_hear();
        belongings
    }

    /// Looks while something happens.
    fn looked(belongings: &Belongings, vm: Uuid, meanwhile: impl FnOnce()) {
        let began = belongings.recall(vm).unwrap_err();
        meanwhile();
        belongings.keep(vm, began, Belonging::default());
    }

    #[test]
    fn what_is_kept_is_what_was_so_when_nothing_could_change_it() {
        let belongings = hearing();
        looked(&belongings, A, || {});
        assert!(belongings.recall(A).is_ok() && belongings.recall(B).is_err());
        looked(&belongings, B, || belongings.forget(A));
        assert!(belongings.recall(B).is_ok(), "another VM's change is none");
        assert!(belongings.recall(A).is_err());
        looked(&belongings, A, || belongings.forget(A));
        assert!(belongings.recall(A).is_err(), "it changed while somebody looked");
        looked(&belongings, A, || belongings.forget_all());
        assert!(belongings.recall(A).is_err() && belongings.recall(B).is_err());
    }

    #[test]
    fn nothing_is_kept_of_a_vm_while_a_call_is_on_its_way_to_it() {
        let belongings = hearing();
        looked(&belongings, A, || {});
        let changing = Changing::begin(&belongings, A);
        assert!(belongings.recall(A).is_err());
        let began = belongings.recall(A).unwrap_err();
        drop(changing);
        belongings.keep(A, began, Belonging::default());
        assert!(belongings.recall(A).is_err(), "it was seen before the call was over");
    }

    #[test]
    fn nothing_is_kept_that_nobody_would_hear_the_end_of() {
        let belongings = Belongings::default();
        looked(&belongings, A, || {});
        assert!(belongings.recall(A).is_err());
        belongings.begin_to_hear();
        looked(&belongings, A, || {});
        assert!(belongings.recall(A).is_ok());
        belongings.cease_to_hear();
        assert!(belongings.recall(A).is_err());
        looked(&belongings, A, || {});
        assert!(belongings.recall(A).is_err());
    }
}
