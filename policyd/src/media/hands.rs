// SPDX-License-Identifier: Apache-2.0
//! What policyd does to running VMs by itself: give back what was pulled, take out what may not stay.

use std::fmt;

use virtwarden_core::media::UsbDevice;
use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::{Element, Node};
use virtwarden_core::xml::write::write;

use super::asking::Asking;
use super::vms::Reference;
use crate::gate::upstream::{Access, Upstream};

const ATTACH_DEVICE_FLAGS: u32 = 160;
const DETACH_DEVICE_FLAGS: u32 = 161;
const UPDATE_DEVICE_FLAGS: u32 = 174;
/// `VIR_DOMAIN_AFFECT_LIVE`.
const LIVE: u32 = 1;

/// What can be done to a device of a running VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is connected.
    Attach,
    /// It is disconnected.
    Detach,
    /// It gets another medium, or none.
    Update,
}

/// Does it.
pub trait Hands: Send + Sync + fmt::Debug {
    /// What a VM that runs has now; none if it does not run.
    ///
    /// # Errors
    /// It cannot be told, in words.
    fn definition(&self, vm: Uuid) -> Result<Option<Definition>, String>;

    /// Changes a running VM, not its definition.
    ///
    /// # Errors
    /// libvirt's reason.
    fn act(&self, act: Act, vm: (Uuid, &str), device: &Element) -> Result<(), String>;
}

/// libvirt does.
impl Hands for Asking {
    fn definition(&self, vm: Uuid) -> Result<Option<Definition>, String> {
        self.definition_of(vm)
    }

    fn act(&self, act: Act, (uuid, name): (Uuid, &str), device: &Element) -> Result<(), String> {
        let mut link = Upstream::open_for_itself(&self.0, Access::Full).map_err(|error| error.to_string())?;
        let mut arguments = Writer::with_capacity(512);
        arguments.text(name);
        arguments.raw(&uuid.0);
        arguments.i32(-1);
        arguments.text(&write(device));
        arguments.u32(LIVE);
        let procedure = match act {
            Act::Attach => ATTACH_DEVICE_FLAGS,
            Act::Detach => DETACH_DEVICE_FLAGS,
            Act::Update => UPDATE_DEVICE_FLAGS,
        };
        link.call(procedure, arguments).map(drop).map_err(|error| error.to_string())
    }
}

/// A USB device as a host device for libvirt: by its place on the bus, so that the one that was judged is the
/// one that is used, and by its numbers, so that another in its place is not.
pub fn hostdev(usb: &UsbDevice) -> Element {
    let number = |name: &str, value: u16| Element::new(name).with("id", &format!("{value:#06x}"));
    let place =
        Element::new("address").with("bus", &usb.bus.to_string()).with("device", &usb.device.to_string());
    let source =
        Element::new("source").holding(number("vendor", usb.vendor)).holding(number("product", usb.product));
    let device = Element::new("hostdev").with("mode", "subsystem").with("type", "usb").with("managed", "yes");
    device.holding(source.holding(place))
}

/// Takes every device out of a running VM that a reference is meant by.
pub(super) fn take_out(
    hands: &dyn Hands,
    vm: (Uuid, &str),
    meant: impl Fn(&Reference) -> bool,
) -> Result<(), String> {
    let Some(definition) = hands.definition(vm.0)? else { return Ok(()) };
    for device in definition.devices().filter(|device| Reference::of(device).is_some_and(|own| meant(&own))) {
        match device.attribute("device") {
            Some("cdrom" | "floppy") => hands.act(Act::Update, vm, &emptied(device))?,
            _ => hands.act(Act::Detach, vm, device)?,
        }
    }
    Ok(())
}

/// The drive with nothing in it.
pub fn emptied(drive: &Element) -> Element {
    let mut drive = drive.clone().with("type", "file");
    let beside = |e: &Element| e.is("source") || e.is("backingStore");
    drive.children.retain(|node| !matches!(node, Node::Element(e) if beside(e)));
    drive
}
