// SPDX-License-Identifier: Apache-2.0
//! Removable media of a VM that is about to start: by whatever way it starts, they are judged once more.
//!
//! libvirtd holds the VM while it waits for the hook, so it is not asked who has what: our own knowledge counts.

use virtwarden_core::control::HookCall;
use virtwarden_core::media::{Access, Asker, Id};
use virtwarden_core::object::Vm;
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::reference::{Carried, Carrier, Reference};

use crate::control::Control;
use crate::media::{Cleared, Refused, Remembered, Unclear, Wanted};

impl Control {
    /// The error is the reason against it.
    pub(super) fn judge_media(&self, call: &HookCall, vm: &Vm, facts: &Facts) -> Result<(), String> {
        // Once the emulator runs it has them, and the kernel says so.
        if !matches!(call.operation.as_str(), "prepare" | "start" | "restore" | "migrate") {
            return Ok(());
        }
        let media = self.monitor.media();
        for carried in &facts.media {
            if let Some(why) = media.stays(&carried.reference).map_err(|unclear| unclear.to_string())? {
                return Err(format!("the policy forbids this VM to start: {why}"));
            }
            let along = media.along_with(&carried.reference).map_err(|unclear| unclear.to_string())?;
            let along = along.into_iter().map(|id| Reference::Known(id.0));
            for reference in along.chain([carried.reference.clone()]) {
                self.judge_one(vm, carried, &reference)?;
            }
        }
        Ok(())
    }

    fn judge_one(&self, vm: &Vm, carried: &Carried, reference: &Reference) -> Result<(), String> {
        let Some(wanted) = Wanted::of(reference) else { return Ok(()) };
        let (media, policy) = (self.monitor.media(), self.monitor.policy());
        let judge = |asker| media.judge(&policy.policy, vm, asker, &wanted, &Remembered(media));
        let judged = match judge(self.asker_of_start(vm, carried)) {
            // It was confirmed when it came, and has been nowhere else since.
            Err(Refused::Ask { medium, .. }) if self.had_last(vm, &medium.id) => judge(Asker::Confirmed),
            judged => judged,
        };
        match judged {
            Ok(cleared) => can_only_read(carried, &cleared),
            // What it is instead was for other rows when it was configured.
            Err(Refused::Unclear(Unclear::NotRemovable(_) | Unclear::Nothing(_))) => Ok(()),
            Err(refused) => Err(format!("the policy forbids this VM to start: {refused}")),
        }
    }

    /// What a person starts through us has been judged as his; a device is in a definition by an
    /// Administrator's hand. All else comes on nobody's word.
    fn asker_of_start(&self, vm: &Vm, carried: &Carried) -> Asker {
        match (self.monitor.media().is_starting(vm.uuid), carried.carrier) {
            (true, _) | (false, Carrier::Device) => Asker::Administrator,
            (false, Carrier::Drive | Carrier::Disk) => Asker::User,
        }
    }

    fn had_last(&self, vm: &Vm, id: &Id) -> bool {
        self.monitor.media().history().iter().any(|entry| entry.id == *id && entry.vm == vm.uuid)
    }
}

fn can_only_read(carried: &Carried, cleared: &Cleared) -> Result<(), String> {
    match (carried.access, cleared.access) {
        (Access::ReadWrite, Access::ReadOnly) => Err(format!(
            "`{}` may only be read, and the VM could write to it; {}",
            cleared.medium.name, cleared.rule
        )),
        (Access::ReadOnly, _) | (Access::ReadWrite, Access::ReadWrite) => Ok(()),
    }
}
