// SPDX-License-Identifier: Apache-2.0
//! From what somebody wrote to the one medium that it means: exactly one, or none.

use std::fmt;
use std::path::PathBuf;

use virtwarden_core::media::{Medium, Source, UsbDevice};
use virtwarden_core::xml::reference::Reference as Named;

use super::look::{self, Look};
use crate::gate::judge::media::NotMedium;

/// Most candidates that an answer names.
const CANDIDATES: usize = 8;

/// What somebody wants to have, as he wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A USB host device: what is left out fits every device.
    Usb {
        /// Vendor.
        vendor: Option<u16>,
        /// Product.
        product: Option<u16>,
        /// Bus and number on it.
        address: Option<(u16, u16)>,
        /// Where it is plugged in.
        port: Option<&'a str>,
    },
    /// A block device, by a path below `/dev`.
    Block(&'a str),
    /// A file.
    Image(&'a str),
    /// What a person typed: an identity, serial number, name, `vendor:product`, port, path, or file of the library.
    Typed(&'a str),
}

impl<'a> Wanted<'a> {
    /// What a definition names; none for what can be no medium.
    pub fn of(reference: &'a Named) -> Option<Self> {
        match reference {
            Named::Usb(usb) => Some(Wanted::Usb {
                vendor: usb.vendor,
                product: usb.product,
                address: usb.address,
                port: usb.port.as_deref(),
            }),
            Named::Block(path) => Some(Wanted::Block(path)),
            Named::Image(path) => Some(Wanted::Image(path)),
            Named::Known(id) => Some(Wanted::Typed(id)),
            Named::Scsi(_) | Named::Pci(_) => None,
        }
    }
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Usb { vendor, product, address, port } => {
                let hexadecimal =
                    |number: &Option<u16>| number.map_or("*".to_owned(), |n| format!("{n:04x}"));
                write!(f, "USB device {}:{}", hexadecimal(vendor), hexadecimal(product))?;
                address.map_or(Ok(()), |(bus, device)| write!(f, " on bus {bus} device {device}"))?;
                port.map_or(Ok(()), |port| write!(f, " at port {port}"))
            }
            Wanted::Block(text) | Wanted::Image(text) | Wanted::Typed(text) => f.write_str(text),
        }
    }
}

/// Why it is not one medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// There is no such thing now.
    Nothing(String),
    /// What it names is no removable medium, and so a matter of other functions than 21.
    NotRemovable(String),
    /// It could be several.
    Several {
        /// What was written.
        typed: String,
        /// What it could be.
        candidates: Vec<Medium>,
    },
    /// It cannot be told.
    Unreadable(String),
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unclear::Nothing(what) => {
                write!(f, "there is no removable device or medium `{what}`, see `virtwarden media list`")
            }
            Unclear::NotRemovable(why) => f.write_str(why),
            Unclear::Several { typed, candidates } => {
                let shown: Vec<_> = candidates.iter().take(CANDIDATES).map(described).collect();
                let more = if candidates.len() > CANDIDATES { ", ..." } else { "" };
                write!(f, "`{typed}` could be {}{more}: name one by its identity or port", shown.join(", "))
            }
            Unclear::Unreadable(why) => {
                write!(f, "cannot tell what is plugged in ({why}), ask an administrator to look at policyd")
            }
        }
    }
}

impl std::error::Error for Unclear {}

fn described(medium: &Medium) -> String {
    match &medium.source {
        Source::Usb(usb) => format!("`{}` at port {}", medium.id, usb.port),
        Source::Block(_) | Source::Image { .. } => format!("`{}`", medium.id),
    }
}

/// The one medium.
pub(super) fn find(look: &Look, libraries: &[PathBuf], wanted: &Wanted<'_>) -> Result<Medium, Unclear> {
    match wanted {
        Wanted::Usb { .. } => {
            only(wanted, look.usb().filter(|(usb, _)| fits(wanted, &usb.device)).map(|(_, m)| m))
        }
        Wanted::Block(path) => block(look, path),
        Wanted::Image(path) => image(path, libraries),
        Wanted::Typed(text) => typed(look, libraries, text),
    }
}

/// Whether a USB device is what a host device says.
pub(super) fn fits(wanted: &Wanted<'_>, usb: &UsbDevice) -> bool {
    match wanted {
        Wanted::Usb { vendor: None, product: None, address: None, port: None } => false,
        Wanted::Usb { vendor, product, address, port } => {
            vendor.is_none_or(|vendor| vendor == usb.vendor)
                && product.is_none_or(|product| product == usb.product)
                && address.is_none_or(|address| address == (usb.bus, usb.device))
                && port.is_none_or(|port| port == usb.port)
        }
        Wanted::Block(_) | Wanted::Image(_) | Wanted::Typed(_) => false,
    }
}

fn block(look: &Look, path: &str) -> Result<Medium, Unclear> {
    let Some(disk) = look.disk(path) else {
        // A name that neither the kernel nor udev gave: whatever it is now, it can be something else in a moment.
        return Err(Unclear::NotRemovable(format!(
            "`{path}` is no name that the kernel or udev gave to a removable drive, write it as `/dev/sr0`"
        )));
    };
    let found = look.medium_of(disk).cloned();
    found.ok_or_else(|| Unclear::NotRemovable(format!("`{path}` is no removable drive")))
}

fn image(path: &str, libraries: &[PathBuf]) -> Result<Medium, Unclear> {
    look::image(path, libraries).map_err(|why| match why {
        NotMedium::Elsewhere(_) | NotMedium::Irregular(_) => Unclear::NotRemovable(why.to_string()),
        NotMedium::Unreachable(_) => Unclear::Nothing(path.to_owned()),
        NotMedium::Changeable(_) => Unclear::Unreadable(why.to_string()),
    })
}

/// An identity means itself: no device can choose another's. All else can be said by many.
fn typed(look: &Look, libraries: &[PathBuf], text: &str) -> Result<Medium, Unclear> {
    let images = look::images(libraries).map_err(|error| Unclear::Unreadable(error.to_string()))?;
    let all: Vec<_> = look.media().chain(&images).collect();
    let itself = all.iter().copied().filter(|medium| medium.id.0 == text);
    match only(&Wanted::Typed(text), itself) {
        Err(Unclear::Nothing(_)) => {}
        found => return found,
    }
    let disk = text.strip_prefix("/dev/").and_then(|_| look.disk(text)).and_then(|disk| look.medium_of(disk));
    let called = all
        .into_iter()
        .filter(|medium| is_called(medium, text) || disk.is_some_and(|disk| disk.id == medium.id));
    only(&Wanted::Typed(text), called)
}

fn is_called(medium: &Medium, text: &str) -> bool {
    let named = medium.name.eq_ignore_ascii_case(text);
    named
        || match &medium.source {
            Source::Usb(usb) => {
                usb.serial.as_deref() == Some(text)
                    || usb.port == text
                    || format!("{:04x}:{:04x}", usb.vendor, usb.product).eq_ignore_ascii_case(text)
            }
            Source::Block(block) => block.serial.as_deref() == Some(text) || block.node == text,
            Source::Image { path } => path == text,
        }
}

fn only<'a>(wanted: &Wanted<'_>, found: impl Iterator<Item = &'a Medium>) -> Result<Medium, Unclear> {
    let mut found: Vec<_> = found.cloned().collect();
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Unclear::Nothing(wanted.to_string())),
        (Some(medium), true) => readable(medium),
        (Some(last), false) => {
            found.push(last);
            Err(Unclear::Several { typed: wanted.to_string(), candidates: found })
        }
    }
}

/// A device that does not say what it does cannot be judged by it.
fn readable(medium: Medium) -> Result<Medium, Unclear> {
    match &medium.source {
        Source::Usb(usb) if usb.interfaces.is_empty() => {
            Err(Unclear::Unreadable(format!("`{}` does not say what it does", medium.id)))
        }
        Source::Usb(_) | Source::Block(_) | Source::Image { .. } => Ok(medium),
    }
}
