// SPDX-License-Identifier: Apache-2.0
//! The rights that a piece of XML needs, each with the reason.

use std::collections::BTreeMap;

use crate::policy::request::Right;
use crate::table3::Function;

use super::element::Element;
use super::paths::{Place, place};
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
