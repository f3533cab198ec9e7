// SPDX-License-Identifier: Apache-2.0
//! A medium leaves a VM.

use virtwarden_core::control::{Change, Failure, Mode, Reply, Request};
use virtwarden_core::media::{Id, Medium, Source};
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::Act;

use super::device::{attached, is_for_drives};
use super::drive::{Drive, drives, giving};
use super::plugs::{Reach, Shape};
use super::{Asking, Control};
use crate::control::failure::{failed, not_found};

impl Control {
    /// `media eject`. What may be somewhere may always leave it.
    pub(in crate::control) fn media_eject(
        &self,
        subject: &Subject,
        request: &Request,
        (vm, drive): (&str, Option<&str>),
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let vm = self.receiving_vm(subject, request, vm)?;
        let asking = Asking { subject, request, vm: &vm, asker: self.asker(subject, &vm), mode };
        let _turn = self.turn(vm.uuid)?;
        let shape = self.shape(subject, &vm)?;
        let now = shape.now().ok_or_else(|| failed("libvirt has no definition of the VM"))?;
        let found = giving(&drives(now.0), drive);
        let drive = found.map_err(|why| self.fail(&asking, None, not_found(why)))?;
        let content = drive.content.clone().unwrap_or_default();
        self.take_out(&asking, &shape, &drive, (&self.id_of(&content), &content))
    }

    /// `media disconnect`: a disc or an image is ejected.
    pub(in crate::control) fn media_disconnect(
        &self,
        subject: &Subject,
        request: &Request,
        named: (&str, &str),
        mode: Mode,
    ) -> Result<Reply, Failure> {
        self.with_medium((subject, request, mode), named, |asking, medium| self.take(asking, medium))
    }

    fn take(&self, asking: &Asking<'_>, medium: &Medium) -> Result<Reply, Failure> {
        let _turn = self.turn(asking.vm.uuid)?;
        let shape = self.shape(asking.subject, asking.vm)?;
        if is_for_drives(medium) {
            let drives = shape.now().map(|(now, _)| drives(now)).unwrap_or_default();
            let drive = drives.into_iter().find(|drive| drive.content.as_deref() == place(medium));
            let drive = drive.ok_or_else(|| self.fail(asking, Some(&medium.id), has_not(medium)))?;
            return self.take_out(asking, &shape, &drive, (&medium.id, &medium.name));
        }
        let device = shape.running.as_ref().and_then(|running| attached(medium, running));
        let device = device.ok_or_else(|| self.fail(asking, Some(&medium.id), has_not(medium)))?;
        let difference = format!("-{} `{}`", medium.kind, medium.name);
        self.withdraw(asking, &medium.id, difference, (Act::Detach, device, Reach::Running))
    }

    fn take_out(
        &self,
        asking: &Asking<'_>,
        shape: &Shape,
        drive: &Drive,
        (id, name): (&Id, &str),
    ) -> Result<Reply, Failure> {
        let difference = format!("-`{name}` from drive `{}`", drive.target);
        self.withdraw(asking, id, difference, (Act::Update, &drive.with(None), reach(shape, drive)))
    }

    fn withdraw(
        &self,
        asking: &Asking<'_>,
        id: &Id,
        difference: String,
        (act, device, reach): (Act, &Element, Reach),
    ) -> Result<Reply, Failure> {
        let attempt = self.attempt(asking, Some(id), &difference)?;
        let done = match asking.mode {
            Mode::DryRun => Ok(()),
            Mode::Apply => {
                let changed = self.desk.plugs.change(asking.subject, asking.vm, act, device, reach);
                changed.and_then(|()| self.desk.keeper.taken(id))
            }
        };
        self.conclude(attempt, done)?;
        Ok(Reply::Changed(Change { mode: asking.mode, differences: vec![difference] }))
    }

    /// What is in a drive, by the name under which it is known again. A file that is in no library is one, too.
    fn id_of(&self, content: &str) -> Id {
        let policy = self.monitor.policy();
        let known = self.desk.keeper.find(&policy.policy, content);
        known.map_or_else(|_| Id(format!("image:{content}")), |medium| medium.id)
    }
}

/// A medium that the next start would bring back leaves there, too.
fn reach(shape: &Shape, drive: &Drive) -> Reach {
    let Some(_) = &shape.running else { return Reach::Stored };
    let stored = shape.stored.iter().flat_map(drives);
    let same = |other: Drive| other.target == drive.target && other.content == drive.content;
    if stored.into_iter().any(same) { Reach::Both } else { Reach::Running }
}

fn place(medium: &Medium) -> Option<&str> {
    match &medium.source {
        Source::Image { path } => Some(path),
        Source::Block(block) => Some(&block.node),
        Source::Usb(_) => None,
    }
}

fn has_not(medium: &Medium) -> Failure {
    not_found(format!("the VM does not have `{}`; `virtwarden media list` shows who has it", medium.name))
}
