// SPDX-License-Identifier: Apache-2.0
//! A medium goes to a VM: into a drive, or as a device of its own.

use std::time::Instant;

use virtwarden_core::control::{Change, Failure, Mode, Reply, Request};
use virtwarden_core::media::{Access, Asker, Medium};
use virtwarden_core::object::Vm;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::Act;

use super::device::{attached, is_for_drives, to_attach};
use super::drive::{Drive, drives, emptied, receiving};
use super::keeper::Cleared;
use super::plugs::{Reach, Shape};
use super::{Asking, Control};
use crate::confirmations::Wish;
use crate::control::failure::{failed, not_found, unavailable, usage};
use crate::media::Refused;

/// How it goes in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// Into a drive; none lets us choose.
    Drive(Option<&'a str>),
    /// As a device of its own.
    Device,
}

/// Where it goes in, found in the VM as it is now.
enum Port {
    Drive(Drive, Reach),
    /// The VM as it runs.
    Bus(Box<Definition>),
}

impl Port {
    /// For people: "in drive `sda`".
    fn words(&self) -> String {
        match self {
            Port::Drive(drive, _) => format!("in drive `{}`", drive.target),
            Port::Bus(_) => "as a device".to_owned(),
        }
    }

    fn drive(&self) -> Option<String> {
        match self {
            Port::Drive(drive, _) => Some(drive.target.clone()),
            Port::Bus(_) => None,
        }
    }

    fn device(&self, medium: &Medium, access: Access) -> Result<(Act, Element, Reach), String> {
        match self {
            Port::Drive(drive, reach) => {
                drive.insist_on(access)?;
                Ok((Act::Update, drive.with(Some((medium, access))), *reach))
            }
            Port::Bus(running) => {
                to_attach(medium, access, running).map(|device| (Act::Attach, device, Reach::Running))
            }
        }
    }
}

impl Control {
    /// `media insert`.
    pub(in crate::control) fn media_insert(
        &self,
        subject: &Subject,
        request: &Request,
        (vm, medium, drive): (&str, &str, Option<&str>),
        mode: Mode,
    ) -> Result<Reply, Failure> {
        self.with_medium((subject, request, mode), (vm, medium), |asking, medium| {
            if !is_for_drives(medium) {
                let why = "it does not go into a drive; use `virtwarden media connect`";
                return Err(self.fail(asking, Some(&medium.id), usage(why)));
            }
            self.give(asking, medium, Way::Drive(drive))
        })
    }

    /// `media connect`: a disc or an image goes into a drive all the same.
    pub(in crate::control) fn media_connect(
        &self,
        subject: &Subject,
        request: &Request,
        named: (&str, &str),
        mode: Mode,
    ) -> Result<Reply, Failure> {
        self.with_medium((subject, request, mode), named, |asking, medium| {
            let way = if is_for_drives(medium) { Way::Drive(None) } else { Way::Device };
            self.give(asking, medium, way)
        })
    }

    /// Judges, records, does, and keeps.
    pub(super) fn give(&self, asking: &Asking<'_>, medium: &Medium, way: Way<'_>) -> Result<Reply, Failure> {
        let id = &medium.id;
        let _turn = self.turn(asking.vm.uuid)?;
        let port = self.port(asking, medium, way).map_err(|failure| self.fail(asking, Some(id), failure))?;
        let cleared = match self.cleared(asking, medium) {
            Ok(cleared) => cleared,
            Err(Refused::Unclear(unclear)) => {
                return Err(self.fail(asking, Some(id), not_found(unclear.to_string())));
            }
            Err(Refused::Denied(why)) => return Err(self.forbid(asking, id, &why)),
            Err(Refused::Ask { rule, .. }) => return self.ask_first(asking, medium, &port, rule),
        };
        let device = port.device(&cleared.medium, cleared.access);
        let device = device.map_err(|why| self.fail(asking, Some(id), failed(why)))?;
        let difference = format!("+{} `{}` {}", medium.kind, medium.name, port.words());
        let attempt = self.attempt(asking, Some(id), &format!("{difference}; {}", cleared.rule))?;
        let done = match asking.mode {
            Mode::DryRun => Ok(()),
            Mode::Apply => self.put(asking, cleared, &device),
        };
        self.conclude(attempt, done)?;
        Ok(Reply::Changed(Change { mode: asking.mode, differences: vec![difference] }))
    }

    /// What cannot be kept shall not stay either: who has the medium would not be known.
    fn put(
        &self,
        asking: &Asking<'_>,
        cleared: Cleared,
        (act, device, reach): &(Act, Element, Reach),
    ) -> Result<(), String> {
        let (plugs, keeper) = (&self.desk.plugs, &self.desk.keeper);
        plugs.change(asking.subject, asking.vm, *act, device, *reach)?;
        keeper.given(cleared, asking.vm, &asking.subject.account.name).map_err(|why| {
            let (act, device) = undone(*act, device);
            match plugs.change(asking.subject, asking.vm, act, &device, *reach) {
                Ok(()) => format!("{why}; it was taken out again"),
                Err(also) => format!("{why}; and it could not be taken out again: {also}"),
            }
        })
    }

    fn port(&self, asking: &Asking<'_>, medium: &Medium, way: Way<'_>) -> Result<Port, Failure> {
        let shape = self.shape(asking.subject, asking.vm)?;
        let (now, reach) = shape.now().ok_or_else(|| failed("libvirt has no definition of the VM"))?;
        match way {
            Way::Drive(named) => {
                receiving(&drives(now), named, medium).map(|drive| Port::Drive(drive, reach)).map_err(failed)
            }
            Way::Device => match shape.running {
                None => Err(failed("the VM does not run; start it, then connect the device")),
                Some(running) if attached(medium, &running).is_some() => Err(failed("the VM has it already")),
                Some(running) => Ok(Port::Bus(Box::new(running))),
            },
        }
    }

    /// The VM as it is now.
    pub(super) fn shape(&self, subject: &Subject, vm: &Vm) -> Result<Shape, Failure> {
        self.desk.plugs.look(subject, (vm.uuid, &vm.name)).map_err(unavailable)
    }

    fn cleared(&self, asking: &Asking<'_>, medium: &Medium) -> Result<Cleared, Refused> {
        let policy = self.monitor.policy();
        self.desk.keeper.judge(&policy.policy, asking.vm, asking.asker, medium)
    }

    /// A refusal that a User of the VM can turn into a yes.
    fn ask_first(
        &self,
        asking: &Asking<'_>,
        medium: &Medium,
        port: &Port,
        rule: String,
    ) -> Result<Reply, Failure> {
        if asking.mode == Mode::DryRun || asking.asker == Asker::Confirmed {
            return Err(self.forbid(
                asking,
                &medium.id,
                &format!("a User of the VM must confirm it; {rule}"),
            ));
        }
        let asked_by = asking.subject.account.clone();
        let wish =
            Wish { vm: asking.vm.clone(), medium: medium.clone(), drive: port.drive(), rule, asked_by };
        let now = Instant::now();
        let asked = match self.desk.confirmations.ask(wish, now) {
            Ok(asked) => asked,
            Err(full) => return Err(self.forbid(asking, &medium.id, &full.to_string())),
        };
        let failure = self.forbid(asking, &medium.id, &asked.to_string());
        let waiting = self.desk.confirmations.find(asked.number, now).ok_or(failure)?;
        Ok(Reply::Confirmations(vec![waiting.row(now)]))
    }
}

/// What takes a device out again that was just put in: the drive without its medium, or no device.
fn undone(act: Act, device: &Element) -> (Act, Element) {
    match act {
        Act::Attach | Act::Detach => (Act::Detach, device.clone()),
        Act::Update => (Act::Update, emptied(device)),
    }
}
