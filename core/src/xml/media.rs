// SPDX-License-Identifier: Apache-2.0
//! Changing the medium in a drive, and plugging a device that is nothing but a medium, told apart from
//! changing the VM.

use crate::media::{self, Access};
use crate::policy::request::Right;

use super::device::{is_drive, needs, source_name};
use super::element::{Element, Node};
use super::needs::{CONFIGURE, DEVICE};
use super::reference::{Reference, Usb, access, carried, usb};

/// What happens to a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// It goes into a drive that the VM has.
    Insert,
    /// It leaves a drive that stays.
    Eject,
    /// It is plugged in, with the device that it is in.
    Connect,
    /// It is unplugged, with its device.
    Disconnect,
}

impl Way {
    /// The operation in a record.
    pub const fn word(self) -> &'static str {
        match self {
            Way::Insert => "media insert",
            Way::Eject => "media eject",
            Way::Connect => "media connect",
            Way::Disconnect => "media disconnect",
        }
    }
}

/// A medium that goes into, or leaves, a VM, while nothing else of the VM changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// What happens to it.
    pub way: Way,
    /// The drive or disk, by its name in the guest: `sda`; empty for other devices.
    pub target: String,
    /// What shall be in the VM.
    pub source: Source,
    /// What was there before and is not there any more.
    pub leaves: Option<Reference>,
    /// What the guest could do with it.
    pub access: Access,
    /// What somebody must hold as well if it turns out to be no medium.
    pub otherwise: Vec<Right>,
    /// The device with that medium, to be sent to libvirt in place of what the client sent: the
    /// format is written out, and nothing stands beside the path.
    pub element: Element,
}

/// What shall be in a drive, or be a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing: the medium leaves.
    Empty,
    /// A file on the host and nothing more than its path.
    File {
        /// As written; not yet looked at on the host.
        path: String,
        /// How its content is read. libvirt reads a drive without a format as `raw`, and that is
        /// then what it says here. Only `raw` has no backing chain that could lead to other files.
        format: String,
    },
    /// A block device and nothing more than its path.
    Block {
        /// As written; not yet looked at on the host.
        path: String,
        /// As for a file.
        format: String,
    },
    /// A USB device.
    Usb(Usb),
    /// Anything else, described: a network address, a file with further settings.
    Other(String),
}

impl Source {
    /// What it names on the host, if it can be a medium.
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Source::File { path, .. } if !path.starts_with("/dev/") => Some(Reference::Image(path.clone())),
            Source::File { path, .. } | Source::Block { path, .. } => Some(Reference::Block(path.clone())),
            Source::Usb(usb) => Some(Reference::Usb(usb.clone())),
            Source::Empty | Source::Other(_) => None,
        }
    }
}

impl Medium {
    /// The device to send once it is known which medium it is and what the guest may do with it: libvirt is
    /// left nothing to look for.
    ///
    /// # Errors
    /// The guest could write to what it may only read, and what to do about it.
    pub fn to_send(&self, judged: &media::Medium, may: Access) -> Result<Element, String> {
        let element = match (&judged.source, &self.source) {
            (media::Source::Usb(device), Source::Usb(_)) => {
                self.element.clone().with_child(the_device(device))
            }
            (media::Source::Block(block), Source::Block { .. }) => {
                self.element.clone().with_child(Element::new("source").with("dev", &block.node))
            }
            _ => self.element.clone(),
        };
        match (may, self.access, self.way) {
            (Access::ReadWrite, _, _) | (Access::ReadOnly, Access::ReadOnly, _) => Ok(element),
            (Access::ReadOnly, Access::ReadWrite, _) if matches!(self.source, Source::Usb(_)) => {
                Err(format!(
                    "`{}` may only be read, and a USB device that is handed over whole can be written to: connect its \
                 block device instead, or ask an administrator for `access = \"read-write\"`",
                    judged.name
                ))
            }
            (Access::ReadOnly, Access::ReadWrite, Way::Connect) => {
                Ok(element.holding(Element::new("readonly")))
            }
            (Access::ReadOnly, Access::ReadWrite, Way::Insert | Way::Eject | Way::Disconnect) => {
                Err(format!(
                    "`{}` may only be read, and drive `{}` can be written to: ask an administrator to define the drive \
                 with `<readonly/>`",
                    judged.name, self.target
                ))
            }
        }
    }
}

/// This device and no twin of it: libvirt insists on all four.
fn the_device(device: &media::UsbDevice) -> Element {
    let id = |name, number: u16| Element::new(name).with("id", &format!("{number:#06x}"));
    let address = Element::new("address").with("bus", &device.bus.to_string());
    Element::new("source")
        .holding(id("vendor", device.vendor))
        .holding(id("product", device.product))
        .holding(address.with("device", &device.device.to_string()))
}

/// The medium, if nothing but that differs between a drive now and as it shall be. What the new one
/// leaves out of what libvirt filled in (address, alias, tray) does not count.
pub(super) fn change(old: &Element, new: &Element) -> Option<Medium> {
    let same_drive = is_drive(old) && is_drive(new) && drive(old, new) == drive(new, new);
    let policy =
        |disk: &Element| disk.child("source").and_then(|s| s.attribute("startupPolicy")).map(str::to_owned);
    let same_policy = policy(new).is_none() || policy(new) == policy(old);
    let target = new.child("target").and_then(|t| t.attribute("dev"))?;
    let source = source(new);
    let otherwise = match &source {
        Source::Empty | Source::Usb(_) => Vec::new(),
        Source::File { .. } | Source::Other(_) => vec![Right::Administer],
        Source::Block { .. } => vec![CONFIGURE, DEVICE, Right::Administer],
    };
    (same_drive && same_policy).then(|| Medium {
        way: if source == Source::Empty { Way::Eject } else { Way::Insert },
        target: target.to_owned(),
        leaves: carried(old).into_iter().next().map(|carried| carried.reference),
        access: access(new),
        otherwise,
        element: with_medium(new, &source),
        source,
    })
}

/// The medium that a device is, if it is nothing else: a USB device, a plain disk made of a block device, a
/// USB stick made of a file.
pub(super) fn plugged(device: &Element) -> Option<Medium> {
    let target = device.child("target").and_then(|t| t.attribute("dev")).unwrap_or_default();
    let (source, element) = match device.name.as_str() {
        "hostdev" if is_plain_usb(device) => {
            (Source::Usb(device.child("source").map(usb).unwrap_or_default()), device.clone())
        }
        "disk" if is_plain_disk(device) => {
            let source = source(device);
            let element = with_medium(device, &source);
            (source, element)
        }
        _ => return None,
    };
    match &source {
        Source::Usb(_) | Source::Block { .. } => {}
        Source::File { .. } if is_on_usb(device) => {}
        Source::File { .. } | Source::Empty | Source::Other(_) => return None,
    }
    Some(Medium {
        way: Way::Connect,
        target: target.to_owned(),
        leaves: None,
        access: access(device),
        otherwise: needs(device).rights(),
        element,
        source,
    })
}

/// The medium that leaves with a device that is nothing else.
pub(super) fn unplugged(device: &Element) -> Option<Medium> {
    let there = plugged(device)?;
    Some(Medium { way: Way::Disconnect, leaves: there.source.reference(), source: Source::Empty, ..there })
}

fn is_plain_usb(hostdev: &Element) -> bool {
    let only = |element: &Element, attributes: &[&str], children: &[&str]| {
        element.attributes.iter().all(|a| attributes.contains(&a.name.as_str()))
            && element.elements().all(|e| children.contains(&e.name.as_str()))
    };
    let whole = matches!(hostdev.attribute("mode"), None | Some("subsystem"));
    let source = hostdev.child("source").is_some_and(|s| only(s, &[], &["vendor", "product", "address"]));
    let plain = only(hostdev, &["mode", "type", "managed"], &["source", "address", "alias"]);
    hostdev.attribute("type") == Some("usb") && whole && source && plain
}

fn is_plain_disk(disk: &Element) -> bool {
    let plain = |child: &Element| {
        let attributes = |known: &[&str]| child.attributes.iter().all(|a| known.contains(&a.name.as_str()));
        match child.name.as_str() {
            "driver" => {
                attributes(&["name", "type"]) && matches!(child.attribute("name"), None | Some("qemu"))
            }
            "target" => attributes(&["dev", "bus"]),
            "source" | "readonly" | "address" | "alias" | "backingStore" => true,
            _ => false,
        }
    };
    let whole = matches!(disk.attribute("device"), None | Some("disk"));
    let attributes =
        disk.attributes.iter().all(|a| matches!(a.name.as_str(), "type" | "device" | "snapshot"));
    let chain =
        disk.child("backingStore").is_some_and(|b| !b.attributes.is_empty() || !b.children.is_empty());
    whole && attributes && !chain && disk.elements().all(plain)
}

fn is_on_usb(disk: &Element) -> bool {
    disk.child("target").is_some_and(|target| target.attribute("bus") == Some("usb"))
}

/// The drive without its medium.
fn drive(disk: &Element, new: &Element) -> Element {
    let mut drive = disk.clone();
    drive.attributes.retain(|a| a.name != "type");
    drive.attributes.sort_by(|a, b| a.name.cmp(&b.name));
    drive.children.retain(|node| !matches!(node, Node::Element(e) if is_beside_drive(e, new)));
    for node in &mut drive.children {
        let Node::Element(child) = node else { continue };
        child.attributes.retain(|a| match (child.name.as_str(), a.name.as_str()) {
            ("driver", "type") => false,
            ("driver", "name") => a.value != "qemu",
            ("target", "tray") => new.child("target").is_some_and(|t| t.attribute("tray").is_some()),
            _ => true,
        });
        child.attributes.sort_by(|a, b| a.name.cmp(&b.name));
    }
    drive.children.retain(|node| !matches!(node, Node::Element(e) if e.is("driver") && e.attributes.is_empty() && e.children.is_empty()));
    drive.children.sort_by_key(|node| match node {
        Node::Element(child) => child.name.clone(),
        Node::Text(_) => String::new(),
    });
    drive
}

fn is_beside_drive(child: &Element, new: &Element) -> bool {
    match child.name.as_str() {
        "source" | "backingStore" => true,
        "alias" => child.attribute("name").is_some_and(|name| !name.starts_with("ua-")),
        "address" => new.child("address").is_none(),
        _ => false,
    }
}

fn source(disk: &Element) -> Source {
    let empty = Element::new("source");
    let source = disk.child("source").unwrap_or(&empty);
    let chain =
        disk.child("backingStore").is_some_and(|b| !b.attributes.is_empty() || !b.children.is_empty());
    let own = match disk.attribute("type") {
        Some("block") => "dev",
        _ => "file",
    };
    let plain = matches!(disk.attribute("type"), None | Some("file" | "block"));
    let known = |name: &str| name == own || matches!(name, "index" | "startupPolicy");
    let extra = source.attributes.iter().any(|a| !known(&a.name));
    let nothing = ["file", "dev"].iter().all(|name| source.attribute(name).is_none_or(str::is_empty));
    match source.attribute(own).filter(|path| !path.is_empty()).map(str::to_owned) {
        _ if chain || !source.children.is_empty() => Source::Other(source_name(disk)),
        None if nothing
            && source
                .attributes
                .iter()
                .all(|a| known(&a.name) || matches!(a.name.as_str(), "file" | "dev")) =>
        {
            Source::Empty
        }
        Some(path) if plain && !extra && own == "dev" => Source::Block { path, format: format(disk) },
        Some(path) if plain && !extra => Source::File { path, format: format(disk) },
        None | Some(_) => Source::Other(source_name(disk)),
    }
}

fn format(disk: &Element) -> String {
    disk.child("driver").and_then(|d| d.attribute("type")).unwrap_or("raw").to_owned()
}

/// What to send: as the client wrote it where more than a path is asked for, because then it is the
/// whole that is judged.
fn with_medium(disk: &Element, source: &Source) -> Element {
    let (kind, attribute, path) = match source {
        Source::Other(_) | Source::Usb(_) => return disk.clone(),
        Source::Empty => ("file", "file", None),
        Source::File { path, .. } => ("file", "file", Some(path)),
        Source::Block { path, .. } => ("block", "dev", Some(path)),
    };
    let mut element = disk.clone();
    let beside = |e: &Element| e.is("source") || e.is("backingStore") || e.is("driver");
    element.children.retain(|node| !matches!(node, Node::Element(e) if beside(e)));
    let driver = disk.child("driver").cloned().unwrap_or_else(|| Element::new("driver").with("name", "qemu"));
    let element = element.with("type", kind).holding(driver.with("type", &format(disk)));
    let Some(path) = path else { return element };
    let there = Element::new("source").with(attribute, path);
    let policy = disk.child("source").and_then(|s| s.attribute("startupPolicy"));
    element.holding(match policy {
        Some(policy) => there.with("startupPolicy", policy),
        None => there,
    })
}
