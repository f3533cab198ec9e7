// SPDX-License-Identifier: Apache-2.0
//! Drives that are opened and closed, by the guest or past us.

use virtwarden_core::media::Id;
use virtwarden_core::object::Uuid;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;

use super::{Done, Keeper, complain};
use crate::media::hands::take_out;
use crate::media::records::seen;
use crate::media::store::Standing;
use crate::media::vms::Reference;

/// Whether a drive is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its medium is out of the guest's reach until it is closed.
    Open,
    /// Its medium can be read.
    Closed,
}

impl Keeper {
    /// The guest, or somebody else past us, opened the drive that a medium is in, and left it open. A medium that only
    /// one party may have is taken out for good, because the guest could close the drive and have it again.
    pub fn opened(&self, vm: Uuid, alias: &str) {
        let (name, drive) = match self.hands.definition(vm) {
            Ok(Some(definition)) => (definition.name().to_owned(), drive(&definition, alias)),
            Ok(None) => return,
            Err(error) => return complain(&error),
        };
        let Some((reference, State::Open)) = drive else { return };
        let policy = self.monitor.policy();
        let media = self.monitor.media();
        let Ok(medium) = media.find(policy.policy.media(), &reference.wanted()) else { return };
        if policy.policy.media_rules().may_be_in_many_places(&medium) || media.claims.has(&medium.id) {
            return;
        }
        let whose = (vm, name.as_str());
        let done =
            self.act("media eject", &medium.id, whose, "the drive was opened from inside the VM", || {
                take_out(&*self.hands, whose, |other| *other == reference)
            });
        if done == Done::Yes {
            self.stand(&medium.id, Standing::Had);
        }
    }

    /// A drive was opened or closed: by the guest, or while somebody changes the medium.
    pub fn tray(&self, vm: (Uuid, &str), alias: &str, state: State) {
        let found =
            self.hands.definition(vm.0).ok().flatten().and_then(|definition| drive(&definition, alias));
        let policy = self.monitor.policy();
        let medium = found.and_then(|(reference, _)| {
            self.monitor.media().find(policy.policy.media(), &reference.wanted()).ok()
        });
        let id = medium.map_or_else(|| Id(alias.to_owned()), |medium| medium.id);
        let (operation, how) = match state {
            State::Open => ("media eject", "was opened"),
            State::Closed => ("media insert", "was closed"),
        };
        self.note(seen(operation, &id, Some(vm), &format!("seen: drive `{alias}` {how}")));
    }
}

/// What is in the drive that libvirt calls so, and whether it is open.
fn drive(definition: &Definition, alias: &str) -> Option<(Reference, State)> {
    let called = |device: &&Element| device.child("alias").and_then(|a| a.attribute("name")) == Some(alias);
    let drive = definition.devices().find(called)?;
    let open = drive.child("target").and_then(|target| target.attribute("tray")) == Some("open");
    Some((Reference::of(drive)?, if open { State::Open } else { State::Closed }))
}
