// SPDX-License-Identifier: Apache-2.0
//! Changing the medium in a drive, told apart from changing the drive.

use super::device::{is_drive, source_name};
use super::element::{Element, Node};

/// A medium that goes into, or leaves, a drive that the VM already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// The drive, by its name in the guest: `sda`.
    pub target: String,
    /// What shall be in it.
    pub source: Source,
    /// The drive with that medium, to be sent to libvirt in place of what the client sent: the
    /// format is written out, and nothing stands beside the path.
    pub element: Element,
}

/// What shall be in a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing: the medium is ejected.
    Empty,
    /// A file on the host and nothing more than its path.
    File {
        /// As written; not yet looked at on the host.
        path: String,
        /// How its content is read. libvirt reads a drive without a format as `raw`, and that is
        /// then what it says here. Only `raw` has no backing chain that could lead to other files.
        format: String,
    },
    /// Anything else, described: a device, a network address, a file with further settings.
    Other(String),
}

/// The medium, if nothing but that differs between a drive now and as it shall be. What the new one
/// leaves out of what libvirt filled in (address, alias, tray) does not count.
pub(super) fn change(old: &Element, new: &Element) -> Option<Medium> {
    let same_drive = is_drive(old) && is_drive(new) && drive(old, new) == drive(new, new);
    let policy =
        |disk: &Element| disk.child("source").and_then(|s| s.attribute("startupPolicy")).map(str::to_owned);
    let same_policy = policy(new).is_none() || policy(new) == policy(old);
    let target = new.child("target").and_then(|t| t.attribute("dev"))?;
    (same_drive && same_policy).then(|| Medium {
        target: target.to_owned(),
        source: source(new),
        element: with_medium(new, &source(new)),
    })
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
    let extra =
        source.attributes.iter().any(|a| !matches!(a.name.as_str(), "file" | "index" | "startupPolicy"));
    let file = matches!(disk.attribute("type"), None | Some("file"));
    if chain || extra || !source.children.is_empty() {
        return Source::Other(source_name(disk));
    }
    match source.attribute("file").filter(|path| !path.is_empty()) {
        None => Source::Empty,
        Some(path) if file => Source::File { path: path.to_owned(), format: format(disk) },
        Some(_) => Source::Other(source_name(disk)),
    }
}

fn format(disk: &Element) -> String {
    disk.child("driver").and_then(|d| d.attribute("type")).unwrap_or("raw").to_owned()
}

/// What to send: as the client wrote it where more than a file is asked for, because then it is the
/// whole that is judged.
fn with_medium(disk: &Element, source: &Source) -> Element {
    let mut element = disk.clone();
    let beside = |e: &Element| e.is("source") || e.is("backingStore") || e.is("driver");
    match source {
        Source::Other(_) => return element,
        Source::Empty | Source::File { .. } => {
            element.children.retain(|node| !matches!(node, Node::Element(e) if beside(e)));
        }
    }
    let driver = disk.child("driver").cloned().unwrap_or_else(|| Element::new("driver").with("name", "qemu"));
    element = element.with("type", "file").holding(driver.with("type", &format(disk)));
    if let Source::File { path, .. } = source {
        element = element.holding(file(disk, path));
    }
    element
}

fn file(disk: &Element, path: &str) -> Element {
    let source = Element::new("source").with("file", path);
    let policy = disk.child("source").and_then(|s| s.attribute("startupPolicy"));
    policy.map_or(source.clone(), |policy| source.with("startupPolicy", policy))
}
