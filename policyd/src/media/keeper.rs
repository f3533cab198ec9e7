// SPDX-License-Identifier: Apache-2.0
//! Keeps what is known true: media that come and go, VMs that stop, rules that change.
//!
//! Each time it looks at everything, so it does not matter which reason to look was missed. What a gate or the
//! control socket is connecting at that moment is left to them.

mod adopt;
mod again;
mod tray;

use std::collections::BTreeMap;
use std::sync::Arc;

use virtwarden_core::media::{Id, Kind, Medium};
use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Event, Kind as Recorded, Outcome};

use super::hands::Hands;
use super::look::{self, Look};
use super::records::{described, seen};
use super::store::{Entry, Standing};
use super::vms::{Connected, Having};
use crate::monitor::Monitor;
use again::stale;
pub use tray::State;

/// Looks around and sets right.
#[derive(Debug)]
pub struct Keeper {
    monitor: Arc<Monitor>,
    hands: Arc<dyn Hands>,
}

/// One look at everything.
struct Scene<'a> {
    look: Look,
    running: Vec<Having>,
    vms: &'a dyn Connected,
}

impl Keeper {
    /// One that acts with these hands.
    pub fn new(monitor: Arc<Monitor>, hands: Arc<dyn Hands>) -> Self {
        Self { monitor, hands }
    }

    /// Looks at the host alone: what was plugged in and pulled out since.
    pub fn notice(&self) {
        match self.monitor.media().look() {
            Ok((_, look)) => self.note_changes(&look),
            Err(unclear) => complain(&unclear.to_string()),
        }
    }

    /// Looks at the host and at what VMs have, and sets right what can be.
    pub fn look_around(&self, vms: &dyn Connected) {
        let look = match self.monitor.media().look() {
            Ok((_, look)) => look,
            Err(unclear) => return complain(&unclear.to_string()),
        };
        self.note_changes(&look);
        match vms.running() {
            Ok(running) => self.tend(&Scene { look, running, vms }),
            Err(error) => complain(&error),
        }
    }

    fn note_changes(&self, look: &Look) {
        let media = self.monitor.media();
        let now: BTreeMap<Id, String> = look
            .media()
            .filter(|medium| !medium.is_hub())
            .map(|medium| (medium.id.clone(), described(medium)))
            .collect();
        let before = media.store.present();
        for (id, what) in now.iter().filter(|(id, what)| before.get(id) != Some(what)) {
            self.note(seen("media seen", id, None, what));
        }
        for (id, what) in before.iter().filter(|(id, _)| !now.contains_key(id)) {
            self.note(seen("media gone", id, None, what));
        }
        if now != before
            && let Err(error) = media.store.now_present(now)
        {
            complain(&error.to_string());
        }
    }

    fn tend(&self, scene: &Scene<'_>) {
        self.adopt(scene);
        for entry in self.monitor.media().store.all() {
            if entry.standing != Standing::Had && !self.monitor.media().claims.has(&entry.id) {
                self.tend_one(scene, &entry);
            }
        }
    }

    fn tend_one(&self, scene: &Scene<'_>, entry: &Entry) {
        let stays = entry.kind.stays_in_a_stopped_vm();
        let medium = self.present(scene, entry);
        let Some(vm) = scene.running.iter().find(|having| having.uuid == entry.vm) else {
            // What lies in the drive of a VM that does not run is looked at when somebody wants it.
            return if stays {
            } else {
                self.left(entry, "the VM does not run any more")
            };
        };
        match (entry.standing, medium) {
            (Standing::Had, _) | (Standing::Pulled, None) => {}
            (Standing::Has, Some(medium)) if vm.has(&medium, &scene.look) => {
                self.judge_again(scene, entry, vm, &medium)
            }
            (Standing::Has, medium) => match stale(vm, entry) {
                Some(_) => {
                    self.pulled(entry, vm);
                    medium.into_iter().for_each(|medium| self.give_back(scene, entry, vm, &medium));
                }
                None if medium.is_some() || !stays => self.left(entry, "the VM does not have it any more"),
                None => {}
            },
            (Standing::Pulled, Some(medium)) => self.give_back(scene, entry, vm, &medium),
        }
    }

    /// The medium of an entry, if it is there; one that a twin has joined goes by its port as well.
    fn present(&self, scene: &Scene<'_>, entry: &Entry) -> Option<Medium> {
        let twin = format!("{}@", entry.id);
        let image = || {
            let policy = self.monitor.policy();
            look::image(entry.id.0.strip_prefix("image:")?, policy.policy.media()).ok()
        };
        match entry.kind {
            Kind::Image => image(),
            Kind::UsbStorage | Kind::Usb | Kind::Optical | Kind::SdCard => {
                let mut same = scene.look.media().filter(|m| m.id == entry.id || m.id.0.starts_with(&twin));
                same.find(|medium| medium.address() == entry.address)
                    .or_else(|| scene.look.media().find(|medium| medium.id == entry.id))
                    .cloned()
            }
        }
    }

    fn left(&self, entry: &Entry, why: &str) {
        let vm = Some((entry.vm, entry.vm_name.as_str()));
        match entry.standing {
            Standing::Has => self.note(seen("media disconnect", &entry.id, vm, why)),
            Standing::Pulled | Standing::Had => {}
        }
        self.stand(&entry.id, Standing::Had);
    }

    fn stand(&self, id: &Id, standing: Standing) {
        let kept = self.monitor.media().store.stand(std::slice::from_ref(id), standing);
        kept.unwrap_or_else(|error| complain(&error.to_string()));
    }

    /// Recorded, done, and recorded how it ended. What cannot be recorded is not done.
    fn act(
        &self,
        operation: &str,
        medium: &Id,
        vm: (Uuid, &str),
        why: &str,
        act: impl FnOnce() -> Result<(), String>,
    ) -> Done {
        let event = Event {
            kind: Recorded::Attempt,
            outcome: Outcome::Pending,
            ..seen(operation, medium, Some(vm), why)
        };
        let of = match self.monitor.ledger().attempt(event.clone()) {
            Ok(sequence) => Some(sequence),
            Err(error) => {
                complain(&format!("{operation} of `{medium}` cannot be recorded: {error}"));
                return Done::No;
            }
        };
        let (done, outcome, detail) = match act() {
            Ok(()) => (Done::Yes, Outcome::Success, String::new()),
            Err(error) => (Done::No, Outcome::Failure, error),
        };
        self.note(Event { kind: Recorded::Outcome, outcome, detail, of, ..event });
        done
    }

    fn note(&self, event: Event) {
        self.monitor.ledger().note(event);
    }
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Yes,
    No,
}

impl Scene<'_> {
    fn runs(&self, vm: Uuid) -> bool {
        self.running.iter().any(|having| having.uuid == vm)
    }
}

fn complain(what: &str) {
    eprintln!("virtwarden-policyd: removable media: {what}");
}
