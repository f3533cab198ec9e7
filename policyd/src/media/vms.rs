// SPDX-License-Identifier: Apache-2.0
//! What VMs have, by libvirt's own word.

use virtwarden_core::media::{Id, Medium, Source};
use virtwarden_core::object::Uuid;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;

use super::find::{Wanted, fits};
use super::look::Look;

/// Asks what VMs have.
pub trait Connected {
    /// All VMs that run or are paused, with what is connected to them now.
    ///
    /// # Errors
    /// It cannot be told, in words.
    fn running(&self) -> Result<Vec<Having>, String>;

    /// One VM that need not run; none if there is no such VM.
    ///
    /// # Errors
    /// It cannot be told, in words.
    fn vm(&self, uuid: Uuid) -> Result<Option<Having>, String>;
}

/// For who has asked already: a list of all VMs.
impl Connected for Vec<Having> {
    fn running(&self) -> Result<Vec<Having>, String> {
        Ok(self.clone())
    }

    fn vm(&self, uuid: Uuid) -> Result<Option<Having>, String> {
        Ok(self.iter().find(|having| having.uuid == uuid).cloned())
    }
}

/// A VM and what it has of the host's devices and files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Having {
    /// The VM.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// What it has.
    pub references: Vec<Reference>,
}

impl Having {
    /// What a definition says; none if it has no identity.
    pub fn of(definition: &Definition) -> Option<Self> {
        let references = definition.devices().filter_map(Reference::of).collect();
        Some(Self { uuid: definition.uuid()?, name: definition.name().to_owned(), references })
    }

    /// Whether the medium is among it. What cannot be told apart from the medium is taken for it.
    pub(super) fn has(&self, medium: &Medium, look: &Look) -> bool {
        self.references.iter().any(|reference| reference.is(medium, look))
    }
}

/// One device or file of the host, as a definition names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A USB host device.
    Usb {
        /// Vendor.
        vendor: Option<u16>,
        /// Product.
        product: Option<u16>,
        /// Bus and number on it.
        address: Option<(u16, u16)>,
    },
    /// A block device.
    Block(String),
    /// A file; or, without a directory, a volume of some pool.
    Image(String),
    /// A medium that is known already.
    Known(Id),
}

impl Reference {
    /// What an element of a definition's `<devices>` names; none if it names none of these.
    pub fn of(device: &Element) -> Option<Self> {
        match (device.name.as_str(), device.attribute("type")) {
            ("hostdev", Some("usb")) => Some(usb(device.child("source")?)),
            ("disk", _) => disk(device.child("source")?),
            _ => None,
        }
    }

    /// The same, to be found.
    pub fn wanted(&self) -> Wanted<'_> {
        match self {
            Reference::Usb { vendor, product, address } => {
                Wanted::Usb { vendor: *vendor, product: *product, address: *address, port: None }
            }
            Reference::Block(path) => Wanted::Block(path),
            Reference::Image(path) => Wanted::Image(path),
            Reference::Known(id) => Wanted::Typed(&id.0),
        }
    }

    /// Whether it is this medium; what cannot be told apart from it is taken for it.
    pub(super) fn is(&self, medium: &Medium, look: &Look) -> bool {
        match (self, &medium.source) {
            (Reference::Known(id), _) => *id == medium.id,
            (Reference::Usb { .. }, Source::Usb(usb)) => fits(&self.wanted(), usb),
            (Reference::Block(path), Source::Usb(_) | Source::Block(_)) => look
                .disk(path)
                .and_then(|disk| look.medium_of(disk))
                .is_some_and(|other| other.id == medium.id),
            (Reference::Image(own), Source::Image { path }) if own.starts_with('/') => {
                is_same_file(own, path)
            }
            (Reference::Image(volume), Source::Image { path }) => path.rsplit('/').next() == Some(volume),
            (Reference::Usb { .. }, Source::Block(_) | Source::Image { .. })
            | (Reference::Block(_), Source::Image { .. })
            | (Reference::Image(_), Source::Usb(_) | Source::Block(_)) => false,
        }
    }
}

/// By name, or by being the same file under two names.
fn is_same_file(one: &str, other: &str) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &str| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    one == other || identity(one).is_some_and(|one| identity(other) == Some(one))
}

fn usb(source: &Element) -> Reference {
    let part = |name, attribute| source.child(name).and_then(|part| number(part.attribute(attribute)?));
    Reference::Usb {
        vendor: part("vendor", "id"),
        product: part("product", "id"),
        address: part("address", "bus").zip(part("address", "device")).filter(|address| *address != (0, 0)),
    }
}

fn disk(source: &Element) -> Option<Reference> {
    let attribute = |name| source.attribute(name).map(str::to_owned);
    let file = attribute("file").or_else(|| attribute("volume")).map(Reference::Image);
    attribute("dev").map(Reference::Block).or(file)
}

/// A number as libvirt reads it: `0x0951`, `0951` in octal, `4`.
pub fn number(text: &str) -> Option<u16> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u16::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        Some(digits) => u16::from_str_radix(digits, 8).ok(),
        None => text.parse().ok(),
    }
}
