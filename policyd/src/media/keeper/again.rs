// SPDX-License-Identifier: Apache-2.0
//! What was pulled and comes back, and what a VM may not keep.

use virtwarden_core::media::{Asker, Medium, Party, Source, Transfer, Verdict};

use super::{Done, Keeper, Scene, complain};
use crate::media::find::{Unclear, Wanted};
use crate::media::hands::{Act, hostdev, take_out};
use crate::media::judge::Refused;
use crate::media::records::refused;
use crate::media::store::{Entry, Standing};
use crate::media::vms::{Having, Reference};

impl Keeper {
    /// It was pulled out: what is left of it in the VM goes, too.
    pub(super) fn pulled(&self, entry: &Entry, vm: &Having) {
        let operation = "media disconnect";
        let whose = (vm.uuid, vm.name.as_str());
        self.act(operation, &entry.id, whose, "it was pulled out of the host", || {
            take_out(&*self.hands, whose, |reference| is_at(reference, entry.address))
        });
        self.stand(&entry.id, Standing::Pulled);
    }

    /// It was pulled and is there again.
    pub(super) fn give_back(&self, scene: &Scene<'_>, entry: &Entry, vm: &Having, medium: &Medium) {
        let Source::Usb(usb) = &medium.source else { return self.stand(&entry.id, Standing::Had) };
        let policy = self.monitor.policy();
        let known = self.monitor.known_vm(vm.uuid, &vm.name);
        let asker = match entry.asker {
            Asker::Administrator => Asker::Administrator,
            // He confirmed that transfer, not this one.
            Asker::User | Asker::Confirmed => Asker::User,
        };
        let wanted = Wanted::Usb {
            vendor: Some(usb.vendor),
            product: Some(usb.product),
            address: Some((usb.bus, usb.device)),
            port: Some(&usb.port),
        };
        let whose = (vm.uuid, vm.name.as_str());
        match self.monitor.media().judge(&policy.policy, &known, asker, &wanted, scene.vms) {
            Ok(cleared) => {
                let detail = format!("it is plugged in again; {}", cleared.rule);
                let done = self.act("media connect", &medium.id, whose, &detail, || {
                    self.hands.act(Act::Attach, whose, &hostdev(usb))
                });
                let kept = match done {
                    Done::Yes => self.monitor.media().given(cleared, &known, &entry.by),
                    Done::No => self.monitor.media().taken(&entry.id),
                };
                kept.unwrap_or_else(|error| complain(&error.to_string()));
            }
            // It is not ready yet.
            Err(Refused::Unclear(Unclear::Unreadable(_) | Unclear::Nothing(_))) => {}
            Err(why) => {
                self.monitor.ledger().deny(refused("media connect", &medium.id, whose, &why.to_string()));
                self.stand(&entry.id, Standing::Had);
            }
        }
    }

    /// Whether what a VM has may stay there: the rules, the VM's information domain or the device may have changed.
    pub(super) fn judge_again(&self, scene: &Scene<'_>, entry: &Entry, vm: &Having, medium: &Medium) {
        let policy = self.monitor.policy();
        let receiver = Party::of(&self.monitor.known_vm(vm.uuid, &vm.name));
        let transfer = Transfer { medium, holder: None, receiver: &receiver, asker: entry.asker };
        let Verdict::Deny { reason } = policy.policy.media_rules().transfer(&transfer) else { return };
        let whose = (vm.uuid, vm.name.as_str());
        let done = self.act("media disconnect", &entry.id, whose, &reason, || {
            take_out(&*self.hands, whose, |reference| reference.is(medium, &scene.look))
        });
        if done == Done::Yes {
            self.stand(&entry.id, Standing::Had);
        }
    }
}

/// What is left in a VM of the device that it was given.
pub(super) fn stale<'a>(vm: &'a Having, entry: &Entry) -> Option<&'a Reference> {
    vm.references.iter().find(|reference| is_at(reference, entry.address))
}

fn is_at(reference: &Reference, place: Option<(u16, u16)>) -> bool {
    matches!(reference, Reference::Usb { address: Some(address), .. } if Some(*address) == place)
}
