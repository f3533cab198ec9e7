// SPDX-License-Identifier: Apache-2.0
//! The drives of a VM, and which of them a medium goes into.

use virtwarden_core::media::{Access, Kind, Medium, Source};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::{Element, Node};

/// A drive of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drive {
    /// The name in the definition: `sda`, `hdc`, `fda`.
    pub(super) target: String,
    /// Whether it takes discs or floppies.
    pub(super) takes: Takes,
    /// What is in it: a path; none if it is empty.
    pub(super) content: Option<String>,
    /// As the definition has it.
    element: Element,
}

/// What fits into a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Discs.
    Discs,
    /// Floppies.
    Floppies,
}

/// The drives of a definition.
pub(super) fn drives(definition: &Definition) -> Vec<Drive> {
    definition.devices().filter_map(drive).collect()
}

fn takes(device: &Element) -> Option<Takes> {
    match device.attribute("device").filter(|_| device.is("disk"))? {
        "cdrom" => Some(Takes::Discs),
        "floppy" => Some(Takes::Floppies),
        _ => None,
    }
}

fn drive(device: &Element) -> Option<Drive> {
    let takes = takes(device)?;
    let target = device.child("target")?.attribute("dev")?.to_owned();
    let source = device.child("source");
    let content = source.and_then(content);
    Some(Drive { target, takes, content, element: device.clone() })
}

/// What a source names. A drive that runs keeps an element for a medium that has left it.
fn content(source: &Element) -> Option<String> {
    let known = ["file", "dev", "name", "volume", "dir"].iter().find_map(|name| source.attribute(name));
    let beside = |name: &str| matches!(name, "index" | "startupPolicy");
    let left = source.children.is_empty() && source.attributes.iter().all(|one| beside(&one.name));
    known.or((!left).then_some("something")).map(str::to_owned)
}

/// The drive to insert a medium into: the one that was named, or the only one that fits and is empty.
///
/// # Errors
/// Which drives there are, and what to do.
pub(super) fn receiving(drives: &[Drive], named: Option<&str>, medium: &Medium) -> Result<Drive, String> {
    if let Some(name) = named {
        let drive = drives.iter().find(|drive| drive.target == name);
        return drive.ok_or_else(|| no_such(drives, name)).and_then(|drive| insist_on_empty(drive).cloned());
    }
    let fitting: Vec<_> = drives.iter().filter(|drive| fits(drive, drives, medium)).collect();
    let empty: Vec<_> = fitting.iter().filter(|drive| drive.content.is_none()).collect();
    match (fitting.as_slice(), empty.as_slice()) {
        ([], _) => Err("the VM has no drive for it; an Administrator can add one".to_owned()),
        ([only], []) => insist_on_empty(only).cloned(),
        (_, [only]) => Ok((**only).clone()),
        (_, []) => Err(format!("no drive is empty: {}; eject one first", told(drives))),
        (_, _) => Err(format!("the VM has several drives: {}; name one with --drive", told(drives))),
    }
}

/// The drive to eject from: the one that was named, or the only one that has something.
///
/// # Errors
/// Which drives there are, and what to do.
pub(super) fn giving(drives: &[Drive], named: Option<&str>) -> Result<Drive, String> {
    if let Some(name) = named {
        let drive = drives.iter().find(|drive| drive.target == name).ok_or_else(|| no_such(drives, name))?;
        let empty = || format!("drive `{name}` is empty");
        return drive.content.is_some().then(|| drive.clone()).ok_or_else(empty);
    }
    let full: Vec<_> = drives.iter().filter(|drive| drive.content.is_some()).collect();
    match full.as_slice() {
        [] => Err("nothing is in a drive of the VM".to_owned()),
        [only] => Ok((*only).clone()),
        _ => Err(format!("the VM has several drives with a medium: {}; name one with --drive", told(drives))),
    }
}

/// Floppies are told from discs by their file's name; a VM without a floppy drive gets them as discs.
fn fits(drive: &Drive, drives: &[Drive], medium: &Medium) -> bool {
    let floppies = drives.iter().any(|drive| drive.takes == Takes::Floppies);
    let wanted = if floppies && is_floppy(medium) { Takes::Floppies } else { Takes::Discs };
    drive.takes == wanted
}

fn is_floppy(medium: &Medium) -> bool {
    let Source::Image { path } = &medium.source else { return false };
    [".img", ".ima", ".flp", ".vfd"].iter().any(|end| path.to_ascii_lowercase().ends_with(end))
}

fn insist_on_empty(drive: &Drive) -> Result<&Drive, String> {
    match &drive.content {
        None => Ok(drive),
        Some(content) => Err(format!("`{content}` is in drive `{}`; eject it first", drive.target)),
    }
}

fn no_such(drives: &[Drive], name: &str) -> String {
    format!("the VM has no drive `{name}`; it has {}", told(drives))
}

fn told(drives: &[Drive]) -> String {
    let tell = |drive: &Drive| {
        format!("`{}` ({})", drive.target, drive.content.as_deref().map_or("empty", |content| content))
    };
    if drives.is_empty() {
        return "none".to_owned();
    }
    drives.iter().map(tell).collect::<Vec<_>>().join(", ")
}

/// A drive with nothing in it.
pub(super) fn emptied(drive: &Element) -> Element {
    let mut drive = drive.clone();
    let stays = |child: &Element| !["source", "backingStore", "driver"].iter().any(|name| child.is(name));
    drive.children.retain(|node| matches!(node, Node::Element(child) if stays(child)));
    let raw = Element::new("driver").with("name", "qemu").with("type", "raw");
    drive.with("type", "file").holding(raw)
}

impl Drive {
    /// A drive that can write shall not hold what may only be read. Discs cannot be written to.
    ///
    /// # Errors
    /// It could; in words.
    pub(super) fn insist_on(&self, access: Access) -> Result<(), String> {
        let writes = self.takes == Takes::Floppies && self.element.child("readonly").is_none();
        match access {
            Access::ReadOnly if writes => Err(format!(
                "the medium may only be read, and drive `{}` could write to it; an Administrator can make it read-only",
                self.target
            )),
            Access::ReadOnly | Access::ReadWrite => Ok(()),
        }
    }

    /// The drive with a medium in it, or with none, to be sent to libvirt.
    pub(super) fn with(&self, medium: Option<(&Medium, Access)>) -> Element {
        let drive = emptied(&self.element);
        match medium.map(|(medium, access)| (&medium.source, medium.kind, access)) {
            Some((Source::Image { path }, Kind::Image, _)) => {
                drive.holding(Element::new("source").with("file", path))
            }
            Some((Source::Block(block), _, _)) => {
                drive.with("type", "block").holding(Element::new("source").with("dev", &block.node))
            }
            Some((Source::Image { .. } | Source::Usb(_), _, _)) | None => drive,
        }
    }
}

#[cfg(test)]
#[path = "drive/tests.rs"]
mod tests;
