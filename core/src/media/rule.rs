// SPDX-License-Identifier: Apache-2.0
//! What the policy says of media: a rule for each kind, and classes of devices with rules of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::medium::{Kind, Medium, Source};
use crate::policy::place::Place;

/// The options of FPT_RDM_EXT.1.2, and one that is tighter than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Those to whom the policy grants it may have it; for others an Administrator connects it himself.
    Grant,
    /// It must have left whoever had it before another gets it.
    EjectFirst,
    /// A User of the receiving VM confirms.
    AskUser,
    /// Nobody gets it.
    Deny,
}

impl Choice {
    /// The word in a policy file.
    pub const fn word(self) -> &'static str {
        match self {
            Choice::Grant => "grant",
            Choice::EjectFirst => "eject-first",
            Choice::AskUser => "ask-user",
            Choice::Deny => "deny",
        }
    }
}

/// What a VM may do with a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read and write.
    ReadWrite,
    /// Read. Holds for what libvirt can give read-only: files and block devices, not whole USB devices.
    ReadOnly,
}

impl Access {
    /// The word in a policy file.
    pub const fn word(self) -> &'static str {
        match self {
            Access::ReadWrite => "read-write",
            Access::ReadOnly => "read-only",
        }
    }
}

/// To whom media are granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Every VM, but not the host.
    AllVms,
    /// These information domains; `host` is the host.
    Listed(BTreeSet<String>),
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which option.
    pub choice: Choice,
    /// What the receiver may do with it.
    pub access: Access,
    /// To whom it is granted; looked at with [`Choice::Grant`] only.
    pub granted: Granted,
    /// Where it is defined.
    pub place: Place,
}

impl Rule {
    /// What holds where no file says anything: nobody gets it.
    pub fn deny() -> Self {
        let granted = Granted::Listed(BTreeSet::new());
        Self { choice: Choice::Deny, access: Access::ReadOnly, granted, place: Place::built_in() }
    }
}

/// What a device must look like to be of a class. What is left out fits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// Its kind.
    pub kind: Option<Kind>,
    /// Vendor.
    pub vendor: Option<u16>,
    /// Product.
    pub product: Option<u16>,
    /// Serial number.
    pub serial: Option<String>,
    /// Where it is plugged in: `1-2.3`.
    pub port: Option<String>,
    /// An image's path.
    pub path: Option<String>,
}

impl Pattern {
    /// Whether a medium looks like that.
    pub fn fits(&self, medium: &Medium) -> bool {
        let (vendor, product, serial, port, path) = match &medium.source {
            Source::Usb(usb) => {
                (Some(usb.vendor), Some(usb.product), usb.serial.as_deref(), Some(usb.port.as_str()), None)
            }
            Source::Block(block) => (None, None, block.serial.as_deref(), None, Some(block.node.as_str())),
            Source::Image { path } => (None, None, None, None, Some(path.as_str())),
        };
        self.kind.is_none_or(|kind| kind == medium.kind)
            && self.vendor.is_none_or(|wanted| vendor == Some(wanted))
            && self.product.is_none_or(|wanted| product == Some(wanted))
            && self.serial.as_deref().is_none_or(|wanted| serial == Some(wanted))
            && self.port.as_deref().is_none_or(|wanted| port == Some(wanted))
            && self.path.as_deref().is_none_or(|wanted| path == Some(wanted))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usb = |number: Option<u16>| number.map(|number| format!("{number:04x}"));
        let parts = [
            ("kind", self.kind.map(|kind| kind.word().to_owned())),
            ("vendor", usb(self.vendor)),
            ("product", usb(self.product)),
            ("serial", self.serial.clone()),
            ("port", self.port.clone()),
            ("path", self.path.clone()),
        ];
        let parts: Vec<_> =
            parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?))).collect();
        f.write_str(&parts.join(", "))
    }
}

/// `[device-class.NAME]`: devices that an Administrator gave a name, such as "office sticks".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// A device is of the class if one of these fits.
    pub patterns: Vec<Pattern>,
    /// The rule; none if the devices are always denied, to Administrators too.
    pub rule: Option<Rule>,
    /// Where it is defined.
    pub place: Place,
}

/// All that the policy says of media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// For each kind; one that is missing is denied.
    pub kinds: BTreeMap<Kind, Rule>,
    /// Classes, by name. Of several that fit, one that always denies counts first, then the first by name.
    pub classes: BTreeMap<String, Class>,
}

impl Rules {
    /// The class of a medium.
    pub fn class_of(&self, medium: &Medium) -> Option<&Class> {
        let fitting = || self.classes.values().filter(|class| class.patterns.iter().any(|p| p.fits(medium)));
        fitting().find(|class| class.rule.is_none()).or_else(|| fitting().next())
    }
    /// The rule that counts for a medium; none if it is denied to everybody.
    pub fn rule_of(&self, medium: &Medium) -> Option<&Rule> {
        match self.class_of(medium) {
            Some(class) => class.rule.as_ref(),
            None => self.kinds.get(&medium.kind),
        }
    }
}
