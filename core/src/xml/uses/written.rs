// SPDX-License-Identifier: Apache-2.0
//! What an operation on a VM's disks writes besides the disks themselves: a base that is committed into, a
//! copy, an overlay, a backup.

use crate::policy::channel::Channel;
use crate::xml::definition::Definition;
use crate::xml::device::describe;
use crate::xml::element::{Element, Node};

use super::{Access, Use, disk, written};

/// A commit: what was written above a file of a disk's chain goes down into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// The disk, by its name in the guest or by its file.
    pub disk: &'a str,
    /// The file that is written, by its path or as `vda[2]`; none for the one at the end of the chain.
    pub base: Option<&'a str>,
    /// The uppermost file that goes; none for the disk itself.
    pub top: Option<&'a str>,
    /// Where it ends if no base is named.
    pub depth: Depth,
    /// What becomes of the files above the base.
    pub above: Above,
}

/// Where a commit without a base ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// At the end of the chain.
    Deepest,
    /// One below.
    Shallow,
}

/// What becomes of files that were committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Above {
    /// They stay as they are.
    Stays,
    /// They are removed.
    Goes,
}

/// What a commit writes or removes. Where it cannot be told which file is meant, each below the disk.
pub fn by_commit(running: &Definition, commit: &Commit<'_>) -> Vec<Use> {
    let disks = || running.devices().filter(|device| device.is("disk"));
    let named: Vec<_> = disks().filter(|disk| is_called(disk, commit.disk)).collect();
    let meant = if named.is_empty() { disks().collect() } else { named };
    meant.into_iter().flat_map(|disk| committed(disk, commit)).collect()
}

/// Everything that a disk's copy, or an overlay of it, is made of.
pub fn by_making(disk: &Element) -> Vec<Use> {
    disk::parts(disk, describe(disk), Access::Writes)
}

/// A file of the host, by its path.
pub fn by_path(what: &str, path: &str) -> Use {
    written(Channel::Disk, what, path)
}

/// What a snapshot writes when it is made: the overlays that its disks get, and the file of the memory.
pub fn by_snapshot(snapshot: &Element) -> Vec<Use> {
    let disks = snapshot.all("disks").flat_map(Element::elements).flat_map(by_making);
    let memory = snapshot.all("memory").filter_map(|memory| memory.attribute("file"));
    disks.chain(memory.map(|file| by_path("the memory", file))).collect()
}

/// What a backup writes.
pub fn by_backup(backup: &Element) -> Vec<Use> {
    let disks = backup.all("disks").flat_map(Element::elements).flat_map(Element::elements);
    let places = disks.filter(|place| place.is("target") || place.is("scratch"));
    let path = |place: &Element| place.attribute("file").or(place.attribute("dev")).map(str::to_owned);
    places.filter_map(path).map(|path| by_path("a backup", &path)).collect()
}

/// What is written or removed when a snapshot goes whose disks are files of their own: each disk as it was
/// when the snapshot was made gets what was written since.
pub fn by_forgetting(snapshot: &Element) -> Vec<Use> {
    let outside = |disk: &&Element| disk.attribute("snapshot") == Some("external");
    let overlays: Vec<&Element> = snapshot.all("disks").flat_map(Element::elements).filter(outside).collect();
    let is_overlaid = |disk: &&Element| {
        overlays.iter().any(|overlay| overlay.attribute("name").is_none_or(|name| is_called(disk, name)))
    };
    let before = snapshot.elements().filter(|part| part.is("domain") || part.is("inactiveDomain"));
    let disks = before.flat_map(|vm| vm.all("devices")).flat_map(|devices| devices.all("disk"));
    let bases = disks.filter(is_overlaid).map(without_chain).flat_map(|disk| by_making(&disk));
    bases.chain(overlays.iter().flat_map(|overlay| by_making(overlay))).collect()
}

/// What a copy or an active commit ends in when it becomes the disk.
pub fn by_pivot(running: &Definition, name: &str) -> Vec<Use> {
    let disks = running.devices().filter(|device| device.is("disk") && is_called(device, name));
    disks.flat_map(|disk| disk.all("mirror").flat_map(by_making).collect::<Vec<_>>()).collect()
}

fn committed(disk: &Element, commit: &Commit<'_>) -> Vec<Use> {
    let chain = chain(disk);
    let place = |name: &str| chain.iter().position(|file| is_file(file, name));
    let top = commit.top.map_or(Some(0), place);
    let base = match (commit.base, commit.depth) {
        (Some(name), _) => place(name),
        (None, Depth::Shallow) => top.map(|top| top + 1),
        (None, Depth::Deepest) => Some(chain.len().saturating_sub(1)),
    };
    let span = match (top, base, commit.above) {
        (Some(top), Some(base), _) if base <= top || base >= chain.len() => 1..chain.len(),
        (Some(_), Some(base), Above::Stays) => base..base + 1,
        (Some(top), Some(base), Above::Goes) => top..base + 1,
        (_, None, _) | (None, _, _) => 1..chain.len(),
    };
    let what = |file: &Element| match file.child("source").and_then(disk::medium) {
        Some(place) => format!("`{place}`, which {} builds upon", describe(disk)),
        None => describe(disk),
    };
    let files = chain.get(span).unwrap_or_default().iter();
    files.flat_map(|file| disk::parts(&without_chain(file), what(file), Access::Writes)).collect()
}

/// A disk and what it builds upon, from above.
fn chain(disk: &Element) -> Vec<&Element> {
    std::iter::successors(Some(disk), |file| below(file)).collect()
}

fn below(file: &Element) -> Option<&Element> {
    file.child("backingStore").filter(|below| below.child("source").is_some())
}

fn without_chain(file: &Element) -> Element {
    let mut alone = file.clone();
    alone.children.retain(|node| !matches!(node, Node::Element(e) if e.is("backingStore") || e.is("mirror")));
    alone
}

/// libvirt takes a disk's name in the guest, or its file.
fn is_called(disk: &Element, name: &str) -> bool {
    disk.child("target").and_then(|target| target.attribute("dev")) == Some(name) || has_path(disk, name)
}

/// `vda[2]` is the file that libvirt numbers so.
fn is_file(file: &Element, name: &str) -> bool {
    let number = name.strip_suffix(']').and_then(|name| name.split_once('[')).map(|(_, number)| number);
    let own = file.attribute("index").or_else(|| file.child("source").and_then(|s| s.attribute("index")));
    number.map_or_else(|| has_path(file, name), |number| own == Some(number))
}

fn has_path(file: &Element, path: &str) -> bool {
    let source = file.child("source");
    source.is_some_and(|s| ["file", "dev"].iter().any(|name| s.attribute(name) == Some(path)))
}

#[cfg(test)]
mod tests;
