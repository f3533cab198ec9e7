// SPDX-License-Identifier: Apache-2.0
//! Media that a call puts into a VM: the right is not enough, each must be judged by who has it and who may.

mod besides;
mod onward;

use std::collections::BTreeMap;
use std::time::Instant;

use virtwarden_core::media::{self, Asker, Id};
use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::Need;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Source};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::reference::{Carried, Carrier, Reference, carried};

use super::{need, row};
use crate::confirmations::Wish;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::media::{Asking, Cleared, Refused, Unclear, Wanted};

pub(super) use onward::Comes;

/// On whose word a medium comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion<'a> {
    /// Whoever calls wants it there.
    Asked,
    /// The VM had it and starts again. Devices in its stored definition are there by an Administrator's hand.
    Start(Option<&'a Definition>),
}

/// The media of a call, each kept for the VM until this is dropped.
#[derive(Debug, Default)]
pub(super) struct JudgedMedia {
    cleared: BTreeMap<Reference, (Carried, Cleared)>,
    no_media: BTreeMap<Reference, Unclear>,
    /// What the call needs because of them.
    pub(super) needs: Vec<Need>,
}

impl Connection {
    /// Judges each of these for a VM, or for one that is about to be made on the host; refused if one of them is a medium that it may not have.
    pub(super) fn judge_media(
        &self,
        call: &Call<'_>,
        (vm, object): (&Vm, &Object),
        carried: impl IntoIterator<Item = Carried>,
        occasion: Occasion<'_>,
    ) -> Result<JudgedMedia, Fault> {
        let connect = need(row(Function::ConnectRemovable), object);
        let mut judged = JudgedMedia::default();
        for carried in self.with_what_hangs_on_it(call, object, carried, occasion)? {
            let Some(wanted) = Wanted::of(&carried.reference) else { continue };
            if judged.cleared.contains_key(&carried.reference) {
                continue;
            }
            let policy = self.gate.monitor.policy();
            match self.gate.monitor.media().find(policy.policy.media(), &wanted) {
                Err(unclear @ (Unclear::NotRemovable(_) | Unclear::Nothing(_))) => {
                    judged.no_media.insert(carried.reference, unclear);
                    continue;
                }
                Err(unclear @ (Unclear::Several { .. } | Unclear::Unreadable(_))) => {
                    return Err(self.forbidden(call, &unclear.to_string(), vec![connect]));
                }
                Ok(medium) => judged.need([connect.clone(), about(&medium.id)]),
            }
            // Who may not connect anything is told nothing of who has what.
            if self.may(call, &judged.needs) {
                let cleared = self.clear(call, (vm, object), &carried, occasion)?;
                judged.cleared.insert(carried.reference.clone(), (carried, cleared));
            }
        }
        Ok(judged)
    }

    /// What stays with the host whoever asks is refused; what goes along with a controller is judged like it.
    fn with_what_hangs_on_it(
        &self,
        call: &Call<'_>,
        object: &Object,
        carried: impl IntoIterator<Item = Carried>,
        occasion: Occasion<'_>,
    ) -> Result<Vec<Carried>, Fault> {
        let media = self.gate.monitor.media();
        let devices = need(row(Function::ConfigureDevices), object);
        // Who may not give devices to the VM is refused for that, and told nothing of the host.
        let told = matches!(occasion, Occasion::Start(_)) || self.may(call, std::slice::from_ref(&devices));
        let unclear = |unclear: Unclear| self.forbidden(call, &unclear.to_string(), vec![devices.clone()]);
        let mut all = Vec::new();
        for carried in carried {
            if let Some(why) = media.stays(&carried.reference).map_err(unclear)?.filter(|_| told) {
                return Err(self.forbidden(call, &why, vec![devices.clone()]));
            }
            for id in media.along_with(&carried.reference).map_err(unclear)? {
                all.push(Carried { reference: Reference::Known(id.0), ..carried.clone() });
            }
            all.push(carried);
        }
        Ok(all)
    }

    fn clear(
        &self,
        call: &Call<'_>,
        (vm, object): (&Vm, &Object),
        carried: &Carried,
        occasion: Occasion<'_>,
    ) -> Result<Cleared, Fault> {
        let connect = need(row(Function::ConnectRemovable), object);
        let Some(wanted) = Wanted::of(&carried.reference) else {
            return Err(self.forbidden(call, "it is no medium", vec![connect]));
        };
        let (policy, media) = (self.gate.monitor.policy(), self.gate.monitor.media());
        let vms = Asking(self.gate.place().clone());
        let judge = |asker| media.judge(&policy.policy, vm, asker, &wanted, &vms);
        let why = match (judge(self.asker(call, object, carried, occasion)), occasion) {
            (Ok(cleared), _) => return Ok(cleared),
            // It was confirmed when it came, and has been nowhere else since.
            (Err(Refused::Ask { medium, .. }), Occasion::Start(_)) if self.had_last(vm, &medium.id) => {
                match judge(Asker::Confirmed) {
                    Ok(cleared) => return Ok(cleared),
                    Err(refused) => refused.to_string(),
                }
            }
            (Err(Refused::Ask { medium, rule }), Occasion::Asked) => {
                format!(
                    "`{}` ({}): {}; {rule}",
                    medium.name,
                    medium.id,
                    self.ask_the_user(call, vm, carried, &medium, &rule)
                )
            }
            (Err(refused), _) => refused.to_string(),
        };
        let mut needs = vec![connect];
        needs.extend(media.find(policy.policy.media(), &wanted).map(|medium| about(&medium.id)).ok());
        Err(self.forbidden(call, &why, needs))
    }

    /// Leaves a wish that a User of the VM can confirm; what is more than a medium, nobody can.
    fn ask_the_user(
        &self,
        call: &Call<'_>,
        vm: &Vm,
        carried: &Carried,
        medium: &media::Medium,
        rule: &str,
    ) -> String {
        let drive = match carried.carrier {
            Carrier::Drive => Some(carried.target.clone()),
            Carrier::Device => None,
            Carrier::Disk => return "connect it with `virtwarden media connect`".to_owned(),
        };
        let (medium, rule, asked_by) = (medium.clone(), rule.to_owned(), call.subject.account.clone());
        let wish = Wish { vm: vm.clone(), medium, drive, rule, asked_by };
        let asked = self.gate.confirmations().ask(wish, Instant::now());
        asked.map_or_else(|full| full.to_string(), |asked| asked.to_string())
    }

    fn asker(&self, call: &Call<'_>, object: &Object, carried: &Carried, occasion: Occasion<'_>) -> Asker {
        let stored = match occasion {
            Occasion::Asked | Occasion::Start(None) => false,
            Occasion::Start(Some(stored)) => carried.carrier == Carrier::Device && names(stored, carried),
        };
        match stored || self.may(call, &[need(row(Function::MediaPolicy), object)]) {
            true => Asker::Administrator,
            false => Asker::User,
        }
    }

    fn had_last(&self, vm: &Vm, id: &Id) -> bool {
        self.gate.monitor.media().history().iter().any(|entry| entry.id == *id && entry.vm == vm.uuid)
    }
}

impl JudgedMedia {
    fn need(&mut self, needs: impl IntoIterator<Item = Need>) {
        for need in needs {
            if !self.needs.contains(&need) {
                self.needs.push(need);
            }
        }
    }

    /// Whether there is a medium among them that the VM may have.
    pub(super) fn has_media(&self) -> bool {
        !self.cleared.is_empty()
    }
}

/// What changes of media bring.
pub(super) fn coming(changes: &[Change]) -> Vec<Carried> {
    let media = changes.iter().filter_map(|change| change.medium.as_ref());
    media
        .filter(|medium| medium.source != Source::Empty)
        .flat_map(|medium| carried(&medium.element))
        .collect()
}

/// So that the record names the medium: it can be reached by whoever may reach the VM.
fn about(id: &Id) -> Need {
    need(row(Function::ConnectRemovable), &Object::Medium(id.0.clone()))
}

fn names(definition: &Definition, carried: &Carried) -> bool {
    definition.facts().media.iter().any(|there| there.reference == carried.reference)
}
