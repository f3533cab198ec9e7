// SPDX-License-Identifier: Apache-2.0
//! What it needs to attach, update or detach one device.

use crate::policy::request::Right;

use super::change::{Change, change, explain, medium_changes, tidy};
use super::definition::Definition;
use super::device::{describe, identity, plug_needs};
use super::element::Element;
use super::media;
use super::needs::Needs;

/// What a call does with one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `DOMAIN_ATTACH_DEVICE`.
    Attach,
    /// `DOMAIN_UPDATE_DEVICE`.
    Update,
    /// `DOMAIN_DETACH_DEVICE`.
    Detach,
}

/// What somebody must hold for one device of a VM to be attached, updated or detached; never empty.
/// A call that touches both the running and the stored VM is judged against both definitions.
pub fn device_change(act: Act, element: &Element, current: &Definition) -> Vec<Change> {
    let present = match act {
        Act::Attach => same(element, current),
        Act::Update | Act::Detach => candidates(element, current),
    };
    // libvirt takes a drive that is attached where there already is one for a new medium.
    if let ([drive], Act::Attach | Act::Update) = (present.as_slice(), act)
        && let Some(medium) = media::change(drive, element)
    {
        return tidy(medium_changes(medium, element));
    }
    let needs = present.iter().fold(plug_needs(element), |needs, device| needs.with(plug_needs(device)));
    tidy(explain(&needs, &format!("{}: {}", word(act), describe(element))))
}

/// What somebody must hold for `DOMAIN_DETACH_DEVICE_ALIAS`; never empty.
pub fn alias_change(alias: &str, current: &Definition) -> Vec<Change> {
    let named = |device: &&Element| device.child("alias").and_then(|a| a.attribute("name")) == Some(alias);
    let devices: Vec<&Element> = current.devices().filter(named).collect();
    let Some(first) = devices.first() else {
        return vec![change(Right::Administer, "device detached: no such alias".to_owned())];
    };
    let needs = devices.iter().fold(Needs::default(), |needs, device| needs.with(plug_needs(device)));
    tidy(explain(&needs, &format!("{}: {}", word(Act::Detach), describe(first))))
}

/// The devices that libvirt could take the element for: those of the same identity, or all of its
/// kind where that is not certain.
fn candidates<'a>(element: &Element, current: &'a Definition) -> Vec<&'a Element> {
    let same = same(element, current);
    if same.is_empty() { current.devices().filter(|d| d.name == element.name).collect() } else { same }
}

/// Whether libvirt certainly takes the element for this device of a VM.
pub fn is_same_device(element: &Element, device: &Element) -> bool {
    let wanted = identity(element);
    device.name == element.name && wanted.is_some() && identity(device) == wanted
}

fn same<'a>(element: &Element, current: &'a Definition) -> Vec<&'a Element> {
    current.devices().filter(|device| is_same_device(element, device)).collect()
}

const fn word(act: Act) -> &'static str {
    match act {
        Act::Attach => "device attached",
        Act::Update => "device updated",
        Act::Detach => "device detached",
    }
}
