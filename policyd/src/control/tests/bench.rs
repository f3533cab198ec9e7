// SPDX-License-Identifier: Apache-2.0
//! A workshop without a libvirtd: what was to be made is written down, and made, or not.

use std::sync::{Arc, Mutex};

use virtwarden_core::control::{Failure, Mode};
use virtwarden_core::object::Vm;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::element::Element;

use crate::control::{Disk, Workshop};

/// What was to be made.
#[derive(Clone, Debug)]
pub(in crate::control::tests) struct Job {
    pub(in crate::control::tests) caller: Subject,
    pub(in crate::control::tests) vm: Vm,
    pub(in crate::control::tests) definition: Element,
    pub(in crate::control::tests) disk: Option<Disk>,
    pub(in crate::control::tests) mode: Mode,
}

#[derive(Clone, Debug, Default)]
pub(in crate::control::tests) struct Bench {
    jobs: Arc<Mutex<Vec<Job>>>,
    refusal: Arc<Mutex<Option<Failure>>>,
}

impl Bench {
    pub(in crate::control::tests) fn jobs(&self) -> Vec<Job> {
        self.jobs.lock().unwrap().clone()
    }

    /// From now on nothing is made.
    pub(in crate::control::tests) fn refuse(&self, failure: Failure) {
        *self.refusal.lock().unwrap() = Some(failure);
    }
}

impl Workshop for Bench {
    fn make(
        &self,
        caller: &Subject,
        newcomer: &Vm,
        (definition, disk): (&Element, Option<&Disk>),
        mode: Mode,
    ) -> Result<(), Failure> {
        let (caller, vm) = (caller.clone(), newcomer.clone());
        let job = Job { caller, vm, definition: definition.clone(), disk: disk.cloned(), mode };
        self.jobs.lock().unwrap().push(job);
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}
