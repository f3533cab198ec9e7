// SPDX-License-Identifier: Apache-2.0
//! What VMs have though no request is known to have given it to them.

use virtwarden_core::media::{Asker, Medium, Party, Transfer, Verdict};

use super::{Keeper, Scene, complain};
use crate::media::look;
use crate::media::records::seen;
use crate::media::store::Standing;
use crate::media::vms::{Having, Reference};

impl Keeper {
    /// What VMs have that nobody was seen to give them: an Administrator's definition, or a request whose end
    /// policyd did not live to see.
    pub(super) fn adopt(&self, scene: &Scene<'_>) {
        let media = self.monitor.media();
        for (vm, medium) in self.held(scene) {
            let is_known = media.store.of(&medium.id).is_some_and(|entry| match entry.standing {
                Standing::Has => entry.vm == vm.uuid || scene.runs(entry.vm),
                Standing::Pulled => entry.vm != vm.uuid && scene.runs(entry.vm),
                Standing::Had => false,
            });
            if is_known || media.claims.has(&medium.id) {
                continue;
            }
            let whose = self.monitor.known_vm(vm.uuid, &vm.name);
            let asker = self.likely_asker(&Party::of(&whose), &medium);
            self.note(seen("media connect", &medium.id, Some((vm.uuid, &vm.name)), "seen: the VM has it"));
            if let Err(error) = media.store.given(&medium, &whose, "libvirt", asker) {
                complain(&error.to_string());
            }
        }
    }

    /// What running VMs have; of images those that one alone may have.
    fn held<'a>(&self, scene: &'a Scene<'_>) -> Vec<(&'a Having, Medium)> {
        let policy = self.monitor.policy();
        let mut held = Vec::new();
        for vm in scene.running.iter().filter(|vm| !vm.references.is_empty()) {
            let own = scene.look.media().filter(|medium| !medium.is_hub() && vm.has(medium, &scene.look));
            held.extend(own.map(|medium| (vm, medium.clone())));
            let images = vm.references.iter().filter_map(|reference| match reference {
                Reference::Image(path) => look::image(path, policy.policy.media()).ok(),
                Reference::Usb { .. } | Reference::Block(_) | Reference::Known(_) => None,
            });
            let rules = policy.policy.media_rules();
            held.extend(images.filter(|image| !rules.may_be_in_many_places(image)).map(|image| (vm, image)));
        }
        held
    }

    /// A User, if a User may; otherwise it can only have been an Administrator.
    fn likely_asker(&self, receiver: &Party, medium: &Medium) -> Asker {
        let policy = self.monitor.policy();
        let transfer = Transfer { medium, holder: None, receiver, asker: Asker::User };
        match policy.policy.media_rules().transfer(&transfer) {
            Verdict::Allow(_) => Asker::User,
            Verdict::Ask { .. } | Verdict::Deny { .. } => Asker::Administrator,
        }
    }
}
