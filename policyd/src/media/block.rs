// SPDX-License-Identifier: Apache-2.0
//! Block devices as the kernel shows them.

use std::io;
use std::path::{Path, PathBuf};

use super::kernel::{self, Kernel, attribute};
use super::text;

/// What a block device is, as far as media go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A drive for discs.
    Optical,
    /// A memory card.
    SdCard,
    /// Anything else.
    Other,
}

/// A part of a disk, or the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its directory.
    pub(super) directory: PathBuf,
    /// The kernel's name: `sdb1`.
    pub(super) name: String,
    /// Major and minor.
    pub(super) number: (u32, u32),
    /// Other block devices that are made of it.
    pub(super) holders: Vec<String>,
}

impl Node {
    /// Its place below `/dev`.
    pub(super) fn path(&self) -> String {
        format!("/dev/{}", self.name.replace('!', "/"))
    }
}

/// A whole disk, drive or card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// Where its directory really is.
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) sort: Sort,
    /// Itself.
    pub(super) node: Node,
    /// Its partitions.
    pub(super) partitions: Vec<Node>,
    /// Its name for people.
    pub(super) name: String,
    /// Its serial number.
    pub(super) serial: Option<String>,
}

impl Disk {
    /// Itself and its partitions.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.node).chain(&self.partitions)
    }

    /// What is in it, if it is a drive or reader and something is.
    pub(super) fn content(&self, kernel: &Kernel) -> Option<String> {
        let udev = kernel.udev(self.node.number);
        let there = match self.sort {
            Sort::Optical => udev.property("ID_CDROM_MEDIA") == Some("1"),
            Sort::SdCard => true,
            Sort::Other => false,
        };
        let label = udev.property("ID_FS_LABEL");
        let found = udev.property("ID_FS_UUID").or(label).unwrap_or("unknown");
        there.then(|| text::name(&[Some(found.to_owned()), label.map(str::to_owned)], "unknown"))
    }
}

/// All that there are.
pub(super) fn all(kernel: &Kernel) -> io::Result<Vec<Disk>> {
    let directory = kernel.sys.join("block");
    Ok(kernel.names("block")?.iter().filter_map(|name| read(&directory.join(name), name)).collect())
}

fn read(directory: &Path, name: &str) -> Option<Disk> {
    let path = directory.canonicalize().ok()?;
    let node = node(&path, name)?;
    let sort = sort(&path, name);
    let of_device = |attribute_name: &str| attribute(&path.join("device"), attribute_name);
    let said = match sort {
        Sort::SdCard => [of_device("name"), None],
        Sort::Optical | Sort::Other => [of_device("vendor"), of_device("model")],
    };
    let partitions = kernel::names(&path).unwrap_or_default();
    let partitions = partitions.iter().filter(|part| path.join(part).join("partition").exists());
    Some(Disk {
        sort,
        partitions: partitions.filter_map(|part| self::node(&path.join(part), part)).collect(),
        name: text::name(&said, &node.path()),
        serial: text::serial(of_device("cid").or_else(|| of_device("serial"))),
        node,
        path,
    })
}

fn node(path: &Path, name: &str) -> Option<Node> {
    let holders = kernel::names(&path.join("holders")).unwrap_or_default();
    let directory = path.to_owned();
    Some(Node { directory, name: name.to_owned(), number: number(&attribute(path, "dev")?)?, holders })
}

/// `11:0`.
pub(super) fn number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn sort(path: &Path, name: &str) -> Sort {
    let kind = attribute(&path.join("device"), "type");
    match kind.as_deref().map(str::trim) {
        // `TYPE_ROM` of SCSI.
        Some("5") if name.starts_with("sr") => Sort::Optical,
        Some("SD") if name.starts_with("mmcblk") => Sort::SdCard,
        _ => Sort::Other,
    }
}
