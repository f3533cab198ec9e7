// SPDX-License-Identifier: Apache-2.0
//! The rights that a piece of XML needs, each with the reason.

use std::collections::BTreeMap;

use crate::policy::request::Right;
use crate::table3::Function;

use super::element::Element;
use super::vocabulary;

pub(super) const CONFIGURE: Right = Right::Function(Function::ConfigureVms);
pub(super) const NETWORK: Right = Right::Function(Function::ConfigureNetworks);
pub(super) const DEVICE: Right = Right::Function(Function::ConfigureDevices);
pub(super) const SHARING: Right = Right::Function(Function::ConfigureSharing);
pub(super) const HYPERCALLS: Right = Right::Function(Function::Hypercalls);
pub(super) const MEDIA_POLICY: Right = Right::Function(Function::MediaPolicy);
pub(super) const CRYPTOGRAPHY: Right = Right::Function(Function::Cryptography);
pub(super) const REMOVABLE: Right = Right::Function(Function::ConnectRemovable);

/// Rights with the reason for each; the first reason stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<Right, &'static str>);

impl Needs {
    pub(super) fn of(right: Right) -> Self {
        Self::default().and(right, "")
    }

    #[must_use]
    pub(super) fn and(mut self, right: Right, why: &'static str) -> Self {
        self.0.entry(right).or_insert(why);
        self
    }

    #[must_use]
    pub(super) fn when(self, holds: bool, right: Right, why: &'static str) -> Self {
        if holds { self.and(right, why) } else { self }
    }

    #[must_use]
    pub(super) fn with(mut self, other: Needs) -> Self {
        for (right, why) in other.0 {
            self = self.and(right, why);
        }
        self
    }

    /// Each right with the reason; the reason is empty where the change itself says it.
    pub fn iter(&self) -> impl Iterator<Item = (Right, &'static str)> {
        self.0.iter().map(|(right, why)| (*right, *why))
    }

    /// The rights alone.
    pub fn rights(&self) -> Vec<Right> {
        self.0.keys().copied().collect()
    }
}

/// What any element needs for what is in it, whatever it is: names that are not understood, host
/// paths, security labels.
pub(super) fn contents(element: &Element) -> Needs {
    let mut needs = Needs::default().when(
        vocabulary::unknown(element).is_some(),
        Right::Administer,
        "it has parts that are not understood",
    );
    element.walk(&mut |part| {
        let label = part.is("seclabel") && !is_default_label(part);
        needs = std::mem::take(&mut needs).when(label, Right::Administer, "it sets a security label");
        let values = part.attributes.iter().map(|a| a.value.clone()).chain([part.text()]);
        for value in values.filter(|v| v.trim_start().starts_with('/')) {
            needs = std::mem::take(&mut needs).with(path(value.trim()));
        }
    });
    needs
}

/// Labels that libvirt makes up itself.
fn is_default_label(label: &Element) -> bool {
    label.attribute("type") == Some("dynamic")
        && label.attribute("relabel") != Some("no")
        && label.child("baselabel").is_none()
}

/// What a path on the host needs, wherever it stands.
pub(super) fn path(path: &str) -> Needs {
    match place(path) {
        Place::Images | Place::Harmless => Needs::default(),
        Place::Device => Needs::default().and(DEVICE, "it names a device of the host"),
        Place::Elsewhere => {
            Needs::default().and(Right::Administer, "it names a file outside the image store")
        }
    }
}

/// Where a path leads, as far as its text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Below libvirt's image store or the media library, which only root and pools write.
    Images,
    /// Something that every VM may use: entropy, a terminal or socket that libvirt made for it.
    Harmless,
    /// A device node.
    Device,
    /// Anything else.
    Elsewhere,
}

const IMAGES: [&str; 2] = ["/var/lib/libvirt/images/", "/var/lib/virtwarden/media/"];
const HARMLESS: [&str; 2] = ["/dev/urandom", "/dev/random"];
const CHANNELS: [&str; 2] = ["/run/libvirt/qemu/channel/", "/var/lib/libvirt/qemu/channel/target/"];

pub(super) fn place(path: &str) -> Place {
    let plain = !path.split('/').skip(1).any(|step| matches!(step, "" | "." | ".."));
    let below = |places: &[&str]| plain && places.iter().any(|place| path.starts_with(place));
    if below(&IMAGES) {
        Place::Images
    } else if HARMLESS.contains(&path) || is_made_up(path) {
        Place::Harmless
    } else if below(&["/dev/"]) {
        Place::Device
    } else {
        Place::Elsewhere
    }
}

/// A terminal or socket that libvirt made for a running VM.
pub(super) fn is_made_up(path: &str) -> bool {
    let plain = !path.split('/').skip(1).any(|step| matches!(step, "" | "." | ".."));
    let number = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    path.strip_prefix("/dev/pts/").is_some_and(number)
        || (plain && CHANNELS.iter().any(|c| path.starts_with(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_only_trusted_when_it_is_plain() {
        let table = [
            ("/var/lib/libvirt/images/a.qcow2", Place::Images),
            ("/var/lib/virtwarden/media/a.iso", Place::Images),
            ("/var/lib/libvirt/images/../../../etc/shadow", Place::Elsewhere),
            ("/var/lib/libvirt/images//a", Place::Elsewhere),
            ("/var/lib/libvirt/images/", Place::Elsewhere),
            ("/var/lib/libvirt/imagesx/a", Place::Elsewhere),
            ("var/lib/libvirt/images/a", Place::Elsewhere),
            ("/dev/sda", Place::Device),
            ("/dev/../etc/shadow", Place::Elsewhere),
            ("/dev/urandom", Place::Harmless),
            ("/dev/pts/3", Place::Harmless),
            ("/dev/pts/ptmx", Place::Device),
            ("/run/libvirt/qemu/channel/1-a/org.qemu.guest_agent.0", Place::Harmless),
            ("/run/libvirt/qemu/channel/../x", Place::Elsewhere),
            ("", Place::Elsewhere),
        ];
        for (path, expected) in table {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
