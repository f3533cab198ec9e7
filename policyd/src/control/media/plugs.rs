// SPDX-License-Identifier: Apache-2.0
//! The VMs' drives and ports, as libvirtd has them now, over a link of our own that nothing of a client's passes.

use std::fmt;

use virtwarden_core::object::{Uuid, Vm};
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::Act;

use crate::control::libvirt::Libvirt;
use crate::gate::upstream::{Access, Upstream, UpstreamError};

const DOMAIN_GET_XML_DESC: u32 = 14;
const DOMAIN_IS_ACTIVE: u32 = 150;
const DOMAIN_IS_PERSISTENT: u32 = 151;
const DOMAIN_ATTACH_DEVICE_FLAGS: u32 = 160;
const DOMAIN_DETACH_DEVICE_FLAGS: u32 = 161;
const DOMAIN_UPDATE_DEVICE_FLAGS: u32 = 174;

const INACTIVE: u32 = 2;
/// libvirt's own bound for a string.
const TEXT: u32 = 4 << 20;

/// A VM as libvirtd has it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// If it runs.
    pub running: Option<Definition>,
    /// For the next start, if there is one.
    pub stored: Option<Definition>,
}

impl Shape {
    /// What counts now: as it runs, else as it is stored.
    pub fn now(&self) -> Option<(&Definition, Reach)> {
        let stored = self.stored.as_ref().map(|stored| (stored, Reach::Stored));
        self.running.as_ref().map(|running| (running, Reach::Running)).or(stored)
    }
}

/// Which definition a change is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The VM that runs.
    Running,
    /// Its next start.
    Stored,
    /// Both.
    Both,
}

impl Reach {
    /// AFFECT_LIVE, AFFECT_CONFIG.
    const fn flags(self) -> u32 {
        match self {
            Reach::Running => 1,
            Reach::Stored => 2,
            Reach::Both => 3,
        }
    }
}

/// libvirt, as far as media need it.
pub trait Plugs: Send + Sync + fmt::Debug {
    /// A VM.
    ///
    /// # Errors
    /// Why libvirt does not say, for people.
    fn look(&self, caller: &Subject, vm: (Uuid, &str)) -> Result<Shape, String>;

    /// Attaches, updates or detaches a device.
    ///
    /// # Errors
    /// Why libvirt did not do it, for people.
    fn change(
        &self,
        caller: &Subject,
        vm: &Vm,
        act: Act,
        device: &Element,
        reach: Reach,
    ) -> Result<(), String>;
}

impl Plugs for Libvirt {
    fn look(&self, caller: &Subject, (uuid, name): (Uuid, &str)) -> Result<Shape, String> {
        let looked = self.open(caller, Access::ReadOnly).and_then(|mut link| look(&mut link, uuid, name));
        looked.map_err(|error| error.to_string())
    }

    fn change(
        &self,
        caller: &Subject,
        vm: &Vm,
        act: Act,
        device: &Element,
        reach: Reach,
    ) -> Result<(), String> {
        let number = match act {
            Act::Attach => DOMAIN_ATTACH_DEVICE_FLAGS,
            Act::Update => DOMAIN_UPDATE_DEVICE_FLAGS,
            Act::Detach => DOMAIN_DETACH_DEVICE_FLAGS,
        };
        let mut arguments = handle(vm.uuid, &vm.name);
        arguments.text(&device.to_string());
        arguments.u32(reach.flags());
        let changed = self.open(caller, Access::Full).and_then(|mut link| link.call(number, arguments));
        changed.map(drop).map_err(|error| error.to_string())
    }
}

fn look(link: &mut Upstream, uuid: Uuid, name: &str) -> Result<Shape, UpstreamError> {
    let is = |link: &mut Upstream, number| {
        let answer = link.call(number, handle(uuid, name))?;
        Ok::<_, UpstreamError>(Reader::new(&answer).i32()? != 0)
    };
    let (active, persistent) = (is(link, DOMAIN_IS_ACTIVE)?, is(link, DOMAIN_IS_PERSISTENT)?);
    let running = if active { Some(definition(link, uuid, name, 0)?) } else { None };
    let stored = if persistent { Some(definition(link, uuid, name, INACTIVE)?) } else { None };
    Ok(Shape { running, stored })
}

fn definition(link: &mut Upstream, uuid: Uuid, name: &str, flags: u32) -> Result<Definition, UpstreamError> {
    let mut arguments = handle(uuid, name);
    arguments.u32(flags);
    let answer = link.call(DOMAIN_GET_XML_DESC, arguments)?;
    let text = Reader::new(&answer).opaque(TEXT)?;
    Definition::parse(text).map_err(|_| UpstreamError::Nonsense("the question how a VM is defined"))
}

fn handle(uuid: Uuid, name: &str) -> Writer {
    let mut writer = Writer::with_capacity(256);
    writer.text(name);
    writer.raw(&uuid.0);
    writer.i32(-1);
    writer
}
