// SPDX-License-Identifier: Apache-2.0
//! What a snapshot, checkpoint or backup needs beyond the right to checkpoint a VM.

use crate::policy::request::Right;
use crate::table3::Function;

use super::change::{Change, Form, changes_from_any, explain, tidy};
use super::definition::{Definition, DefinitionError, expect};
use super::device::disk_source;
use super::element::{Element, Node};
use super::needs::{CONFIGURE, DEVICE, Needs, SHARING, path};
use super::vocabulary;

const CHECKPOINT: Right = Right::Function(Function::Checkpoint);

/// `VIR_DOMAIN_SNAPSHOT_CREATE_*` and `VIR_DOMAIN_CHECKPOINT_CREATE_*`.
mod flag {
    pub(super) const REDEFINE: u32 = 1;
    pub(super) const NO_METADATA: u32 = 4;
    pub(super) const HALT: u32 = 8;
    pub(super) const DISK_ONLY: u32 = 16;
    pub(super) const REUSE_EXTERNAL: u32 = 32;
    /// Current, quiesce, atomic, live, validate: they change how, not what.
    pub(super) const HARMLESS: u32 = 2 | 64 | 128 | 256 | 512;
    /// Quiesce, validate.
    pub(super) const CHECKPOINT_HARMLESS: u32 = 2 | 4;
}

/// A call that makes a snapshot or a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Its name; none means that libvirt makes one up.
    pub name: Option<String>,
    /// The canonical form, for libvirt.
    pub element: Element,
    /// Definitions of the VM that it brings along: a later revert would put them into force, so the
    /// rules that bind everybody apply to each.
    pub definitions: Vec<Definition>,
    /// What somebody must hold; never empty.
    pub changes: Vec<Change>,
}

/// Judges `DOMAIN_SNAPSHOT_CREATE_XML`. What is known of the VM: its present definitions, and the
/// snapshot's own where it is redefined.
///
/// # Errors
/// Says what is outside the strict subset, or not a snapshot.
pub fn snapshot(
    text: impl AsRef<[u8]>,
    flags: u32,
    known: &[&Definition],
) -> Result<SnapshotRequest, DefinitionError> {
    let element = expect(text, "domainsnapshot")?;
    let needs = element.elements().fold(snapshot_flags(flags), |needs, part| needs.with(snapshot_part(part)));
    request(element, needs, "snapshot", known)
}

/// Judges `DOMAIN_CHECKPOINT_CREATE_XML`.
///
/// # Errors
/// Says what is outside the strict subset, or not a checkpoint.
pub fn checkpoint(
    text: impl AsRef<[u8]>,
    flags: u32,
    known: &[&Definition],
) -> Result<SnapshotRequest, DefinitionError> {
    let element = expect(text, "domaincheckpoint")?;
    let needs = element.elements().fold(checkpoint_flags(flags), |needs, part| {
        needs.with(match part.name.as_str() {
            "name" | "description" | "disks" => Needs::default(),
            "parent" | "creationTime" | "domain" => redefined(),
            _ => unknown(),
        })
    });
    request(element, needs, "checkpoint", known)
}

/// Judges the XML of `DOMAIN_BACKUP_BEGIN`; the checkpoint that may come with it is judged by
/// [`checkpoint`]. A backup carries everything a VM holds to a file, a device or a socket.
///
/// # Errors
/// Says what is outside the strict subset, or not a backup.
pub fn backup(text: impl AsRef<[u8]>) -> Result<SnapshotRequest, DefinitionError> {
    let element = expect(text, "domainbackup")?;
    let mut block = false;
    element.walk(&mut |e| block |= e.attribute("type") == Some("block"));
    let needs = Needs::of(CHECKPOINT)
        .and(SHARING, "the content of the disks leaves the VM")
        .and(Right::Administer, "the content of the disks leaves the VM")
        .when(block, DEVICE, "it writes to a device of the host");
    request(element, needs, "backup", &[])
}

fn request(
    element: Element,
    needs: Needs,
    what: &str,
    known: &[&Definition],
) -> Result<SnapshotRequest, DefinitionError> {
    let embedded = element.elements().filter(|e| e.is("domain") || e.is("inactiveDomain"));
    let definitions = embedded.cloned().map(Definition::new).collect::<Result<Vec<_>, _>>()?;
    let name = element.text_of("name").filter(|name| !name.is_empty());
    let summary = name.as_ref().map_or_else(|| what.to_owned(), |name| format!("{what} `{name}`"));
    let strange = vocabulary::unknown(&own_part(&element)).is_some();
    let needs = Needs::of(CHECKPOINT).with(needs).with(if strange { unknown() } else { Needs::default() });
    let mut changes = explain(&needs, &summary);
    changes.extend(definitions.iter().flat_map(|d| changes_from_any(known, d, Form::Stored)));
    Ok(SnapshotRequest { name, element, definitions, changes: tidy(changes) })
}

/// All but the definitions, which are compared part by part, and libvirt's note to itself.
fn own_part(element: &Element) -> Element {
    let other = |e: &Element| e.is("domain") || e.is("inactiveDomain") || e.is("cookie");
    let mut own = element.clone();
    own.children.retain(|node| !matches!(node, Node::Element(e) if other(e)));
    own
}

fn snapshot_flags(flags: u32) -> Needs {
    let has = |bit| flags & bit != 0;
    let known = flag::REDEFINE
        | flag::NO_METADATA
        | flag::HALT
        | flag::DISK_ONLY
        | flag::REUSE_EXTERNAL
        | flag::HARMLESS;
    Needs::default()
        .when(has(flag::REDEFINE), CONFIGURE, "it is written by the client")
        .when(has(flag::NO_METADATA), CONFIGURE, "libvirt forgets it, so that nobody can undo it")
        .when(has(flag::DISK_ONLY), CONFIGURE, "the disks get new files")
        .when(has(flag::REUSE_EXTERNAL), Right::Administer, "it uses files that are already there")
        .when(has(flag::HALT), Right::Function(Function::Stop), "it stops the VM")
        .when(has(!known), Right::Administer, "it has flags that are not understood")
}

fn checkpoint_flags(flags: u32) -> Needs {
    let known = flag::REDEFINE | flag::CHECKPOINT_HARMLESS;
    Needs::default().when(flags & flag::REDEFINE != 0, CONFIGURE, "it is written by the client").when(
        flags & !known != 0,
        Right::Administer,
        "it has flags that are not understood",
    )
}

fn snapshot_part(part: &Element) -> Needs {
    match part.name.as_str() {
        "name" | "description" => Needs::default(),
        "memory" => memory(part),
        "disks" => part.elements().fold(Needs::default(), |needs, entry| needs.with(disk(entry))),
        "state" | "creationTime" | "parent" | "domain" | "inactiveDomain" | "cookie" | "active"
        | "revertDisks" => redefined(),
        _ => unknown(),
    }
}

fn memory(memory: &Element) -> Needs {
    let inside = matches!(memory.attribute("snapshot"), None | Some("no" | "internal"));
    let file = memory.attribute("file");
    let outside = !inside || file.is_some();
    file.map_or_else(Needs::default, path).when(outside, CONFIGURE, "the memory goes to a file").when(
        file.is_some(),
        Right::Administer,
        "it writes over a file of the host",
    )
}

fn disk(disk: &Element) -> Needs {
    let inside = matches!(disk.attribute("snapshot"), None | Some("no" | "internal"));
    let plain = disk.children.is_empty() && inside;
    let needs = Needs::default().when(!plain, CONFIGURE, "the disks get new files");
    if disk.is("disk") { needs.with(disk_source(disk)) } else { unknown() }
}

fn redefined() -> Needs {
    Needs::default().and(CONFIGURE, "it is written by the client")
}

fn unknown() -> Needs {
    Needs::default().and(Right::Administer, "it has parts that are not understood")
}
