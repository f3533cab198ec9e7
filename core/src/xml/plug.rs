// SPDX-License-Identifier: Apache-2.0
//! What it needs to attach, update or detach one device.

use crate::policy::request::Right;

use super::change::{Change, change, explain, medium_changes, tidy};
use super::definition::Definition;
use super::device::{describe, identity, plug_needs};
use super::element::Element;
use super::media::{self, Medium};
use super::needs::Needs;
use super::reference::Reference;

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

/// How long what a call changes lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// The VM that runs: what is plugged in is gone when it stops.
    Running,
    /// The definition for the next start: what is plugged in comes back with it.
    Stored,
}

/// What somebody must hold for one device of a VM to be attached, updated or detached; never empty.
/// A call that touches both the running and the stored VM is judged against both definitions.
pub fn device_change(act: Act, lasting: Lasting, element: &Element, current: &Definition) -> Vec<Change> {
    let present = match act {
        Act::Attach => same(element, current),
        Act::Update | Act::Detach => candidates(element, current),
    };
    if let Some(medium) = medium(act, lasting, element, &present) {
        return tidy(medium_changes(medium, element));
    }
    let needs = present.iter().fold(plug_needs(element), |needs, device| needs.with(plug_needs(device)));
    tidy(explain(&needs, &format!("{}: {}", word(act), describe(element))))
}

/// The medium that comes or goes, if that is all.
fn medium(act: Act, lasting: Lasting, element: &Element, present: &[&Element]) -> Option<Medium> {
    match (present, act, lasting) {
        // libvirt takes a drive that is attached where there already is one for a new medium.
        ([drive], Act::Attach | Act::Update, _) => media::change(drive, element),
        ([], Act::Attach, Lasting::Running) => media::plugged(element),
        ([_, ..], Act::Detach, Lasting::Running) => unplugged(element, present),
        ([] | [_, ..], Act::Attach | Act::Update | Act::Detach, Lasting::Running | Lasting::Stored) => None,
    }
}

/// What leaves, where each of the devices that libvirt could take it for is nothing but a medium.
fn unplugged(element: &Element, present: &[&Element]) -> Option<Medium> {
    let mut leaving: Vec<_> = present.iter().map(|device| media::unplugged(device)).collect::<Option<_>>()?;
    let otherwise = present.iter().fold(plug_needs(element), |needs, device| needs.with(plug_needs(device)));
    let named = media::plugged(element).and_then(|medium| medium.source.reference());
    let meant = |medium: &Medium| match (&named, &medium.leaves) {
        (Some(Reference::Usb(named)), Some(Reference::Usb(there))) => named.is_said_by(there),
        _ => present.len() == 1,
    };
    let medium = leaving.swap_remove(leaving.iter().position(meant).unwrap_or(0));
    Some(Medium { otherwise: otherwise.rights(), element: element.clone(), ..medium })
}

/// What somebody must hold for `DOMAIN_DETACH_DEVICE_ALIAS`; never empty.
pub fn alias_change(alias: &str, lasting: Lasting, current: &Definition) -> Vec<Change> {
    let named = |device: &&Element| device.child("alias").and_then(|a| a.attribute("name")) == Some(alias);
    let devices: Vec<&Element> = current.devices().filter(named).collect();
    let Some(first) = devices.first() else {
        return vec![change(Right::Administer, "device detached: no such alias".to_owned())];
    };
    if let Some(medium) = medium(Act::Detach, lasting, first, &devices) {
        return tidy(medium_changes(medium, first));
    }
    let needs = devices.iter().fold(Needs::default(), |needs, device| needs.with(plug_needs(device)));
    tidy(explain(&needs, &format!("{}: {}", word(Act::Detach), describe(first))))
}

/// The devices that libvirt could take the element for: those of the same identity, or all of its
/// kind where that is not certain.
fn candidates<'a>(element: &Element, current: &'a Definition) -> Vec<&'a Element> {
    let same = same(element, current);
    if same.is_empty() { current.devices().filter(|d| is_alike(d, element)).collect() } else { same }
}

/// libvirt never takes a USB device for a PCI device.
fn is_alike(device: &Element, element: &Element) -> bool {
    let kinds = |e: &Element| e.attribute("type").map(str::to_owned);
    let other = device.is("hostdev") && kinds(element).is_some() && kinds(device) != kinds(element);
    device.name == element.name && !other
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
