// SPDX-License-Identifier: Apache-2.0
//! Media that a call puts into a VM: the right is not enough, each must be judged by who has it and who may.

use std::collections::BTreeMap;
use std::time::Instant;

use virtwarden_core::media::{self, Access, Asker, Id};
use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::Need;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Medium, Source, Way};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::reference::{Carried, Carrier, Reference, carried};

use super::{need, needs as all, row};
use crate::confirmations::Wish;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::moving::{Moved, Moves, Moving};
use crate::media::{Asking, Cleared, Refused, Unclear, Wanted};

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

    /// What changes of media need besides row 21. What turns out to be no medium needs what it would need if
    /// nobody had taken it for one; who may not put it into a drive is told why not.
    pub(super) fn media_needs(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        judged: &JudgedMedia,
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let mut needs = Vec::new();
        if !judged.needs.is_empty() && !self.may(call, &judged.needs) {
            // He may connect nothing, so he is refused anyway.
            return Ok(needs);
        }
        for (change, medium) in changes.iter().filter_map(|change| Some((change, change.medium.as_ref()?))) {
            let Err(objection) = self.check_medium(medium, judged) else { continue };
            let otherwise = all(medium.otherwise.iter().copied(), object);
            let tell = match (medium.way, &objection) {
                (Way::Insert | Way::Eject, _) | (_, Objection::Absent(_)) => true,
                (Way::Connect | Way::Disconnect, Objection::Other(_)) => false,
            };
            if tell && !self.may(call, &otherwise) {
                return Err(self.forbidden(call, objection.text(), vec![need(change.right, object)]));
            }
            needs.extend(otherwise);
        }
        Ok(needs)
    }

    fn check_medium(&self, medium: &Medium, judged: &JudgedMedia) -> Result<(), Objection> {
        let other = |text: String| Err(Objection::Other(text));
        if let Some(unclear) = medium.source.reference().and_then(|there| judged.no_media.get(&there)) {
            return Err(match unclear {
                Unclear::Nothing(_) => Objection::Absent(unclear.to_string()),
                Unclear::NotRemovable(_) | Unclear::Several { .. } | Unclear::Unreadable(_) => {
                    Objection::Other(unclear.to_string())
                }
            });
        }
        let named = medium.source.reference();
        if let Some(there) = named.filter(|there| !judged.cleared.contains_key(there)) {
            return other(format!("{there} has not been judged"));
        }
        match &medium.source {
            Source::File { path, format } | Source::Block { path, format } if format != "raw" => other(
                format!("`{path}` as `{format}` could lead to other files, only `raw` media are permitted"),
            ),
            Source::File { .. } | Source::Block { .. } | Source::Usb(_) => Ok(()),
            Source::Other(what) => other(format!("{what} is not a file in a media library")),
            Source::Empty => match (&medium.leaves, medium.way) {
                (Some(there), Way::Disconnect) if self.identity(there).is_none() => {
                    other(format!("{there} is no removable medium"))
                }
                _ => Ok(()),
            },
        }
    }

    /// Which medium a VM has there; none if it is not one, or is not there any more.
    fn identity(&self, reference: &Reference) -> Option<Id> {
        let policy = self.gate.monitor.policy();
        let found = self.gate.monitor.media().find(policy.policy.media(), &Wanted::of(reference)?);
        match (found, reference) {
            (Ok(medium), _) => Some(medium.id),
            // Whatever USB device it was, it was one.
            (Err(_), Reference::Usb(usb)) => Some(Id(format!("usb:{usb}"))),
            (Err(_), _) => None,
        }
    }

    /// What goes to libvirtd in place of a device: for a medium, the very one that was judged.
    pub(super) fn device_to_send(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        judged: &JudgedMedia,
        element: &Element,
    ) -> Result<Element, Fault> {
        let Some(medium) = changes.iter().find_map(|change| change.medium.as_ref()) else {
            self.insist_on_access(call, judged)?;
            return Ok(element.clone());
        };
        match medium.source.reference().and_then(|there| judged.cleared.get(&there)) {
            None => Ok(medium.element.clone()),
            Some((_, cleared)) => medium
                .to_send(&cleared.medium, cleared.access)
                .map_err(|why| self.forbidden(call, &why, judged.needs.clone())),
        }
    }

    /// Refuses a device with which the guest could write to what it may only read.
    pub(super) fn insist_on_access(&self, call: &Call<'_>, judged: &JudgedMedia) -> Result<(), Fault> {
        for (carried, cleared) in judged.cleared.values() {
            if (carried.access, cleared.access) == (Access::ReadWrite, Access::ReadOnly) {
                let why = format!(
                    "`{}` may only be read, and the guest could write to it by its {}: define that with \
                     `<readonly/>`; {}",
                    cleared.medium.name, carried.device, cleared.rule
                );
                return Err(self.forbidden(call, &why, judged.needs.clone()));
            }
        }
        Ok(())
    }

    /// What comes and goes, for when libvirtd has said yes.
    pub(super) fn moving(&self, vm: &Vm, changes: &[Change], judged: JudgedMedia, comes: Comes) -> Moves {
        let media = || changes.iter().filter_map(|change| change.medium.as_ref());
        let mut moving = Vec::new();
        for medium in media() {
            let stays = medium.leaves == medium.source.reference();
            let left = medium.leaves.as_ref().filter(|_| !stays).and_then(|there| self.identity(there));
            let way = if medium.way == Way::Insert { Way::Eject } else { medium.way };
            moving.extend(left.map(|id| Moving { vm: vm.clone(), way, medium: Moved::Out(id) }));
        }
        for (carried, cleared) in judged.cleared.into_values() {
            let way = match carried.carrier {
                Carrier::Drive => Way::Insert,
                Carrier::Disk | Carrier::Device => Way::Connect,
            };
            if (carried.carrier, comes) != (Carrier::Device, Comes::Later) {
                moving.push(Moving { vm: vm.clone(), way, medium: Moved::In(Box::new(cleared)) });
            }
        }
        let start = (comes == Comes::Start).then(|| self.gate.monitor.media().starting(vm.uuid));
        Moves { moving, _start: start }
    }

    /// Devices that are not there now cannot be judged before they come: that is for who decides on media.
    pub(super) fn needs_of_absent(judged: &JudgedMedia, object: &Object) -> Vec<Need> {
        let absent = |(reference, unclear): (&Reference, &Unclear)| {
            matches!((reference, unclear), (Reference::Usb(_), Unclear::Nothing(_)))
        };
        let absent = judged.no_media.iter().any(absent);
        absent.then(|| need(row(Function::MediaPolicy), object)).into_iter().collect()
    }
}

/// When a VM gets what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// At once.
    Now,
    /// Devices, when it starts; discs are put into its drives now.
    Later,
    /// With its start.
    Start,
}

/// Why a change is no change of a medium.
enum Objection {
    /// There is no such thing.
    Absent(String),
    /// It is something else.
    Other(String),
}

impl Objection {
    fn text(&self) -> &str {
        match self {
            Objection::Absent(text) | Objection::Other(text) => text,
        }
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
