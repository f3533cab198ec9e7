// SPDX-License-Identifier: Apache-2.0
//! One look at the host: all media that are there, with the names they go by.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use virtwarden_core::media::{BlockDevice, Id, Kind, Medium, Source};

use super::block::{self, Disk, Node, Sort};
use super::kernel::{self, Kernel};
use super::text;
use super::usb::{self, Usb};
use crate::gate::judge::media as library;

/// What is there.
#[derive(Clone, Debug)]
pub(super) struct Look {
    kernel: Kernel,
    usb: Vec<Usb>,
    disks: Vec<Disk>,
    /// In the order of `usb`.
    usb_media: Vec<Medium>,
    /// The drives and cards that are no part of a USB device.
    drives: Vec<Medium>,
}

impl Look {
    /// Looks.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(super) fn at(kernel: &Kernel) -> io::Result<Self> {
        let (usb, disks) = (usb::all(kernel)?, block::all(kernel)?);
        let mut usb_media: Vec<_> = usb.iter().map(of_usb).collect();
        tell_twins_apart(&mut usb_media);
        let mut drives = Vec::new();
        for disk in &disks {
            if above(disk, &usb).is_none() {
                drives.extend(of_disk(disk, kernel));
            }
        }
        Ok(Self { kernel: kernel.clone(), usb, disks, usb_media, drives })
    }

    /// USB devices with what they are as media.
    pub(super) fn usb(&self) -> impl Iterator<Item = (&Usb, &Medium)> {
        self.usb.iter().zip(&self.usb_media)
    }

    /// All media but images.
    pub(super) fn media(&self) -> impl Iterator<Item = &Medium> {
        self.usb_media.iter().chain(&self.drives)
    }

    /// The disk that a path below `/dev` names, itself or one of its partitions.
    pub(super) fn disk(&self, path: &str) -> Option<&Disk> {
        let number = self.node(path)?.number;
        self.disks.iter().find(|disk| disk.nodes().any(|node| node.number == number))
    }

    /// The disk or partition that a path below `/dev` names, by a name that the kernel or udev gave to it.
    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        self.nodes().find(|node| node.path() == path).or_else(|| {
            let link = path.strip_prefix("/dev/")?;
            self.nodes().find(|node| self.kernel.udev(node.number).links().any(|name| name == link))
        })
    }

    /// The disk or partition with the kernel's name.
    pub(super) fn named(&self, name: &str) -> Option<&Node> {
        self.nodes().find(|node| node.name == name)
    }

    /// The disk or partition with a device number.
    pub(super) fn numbered(&self, number: (u32, u32)) -> Option<&Node> {
        self.nodes().find(|node| node.number == number)
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.disks.iter().flat_map(Disk::nodes)
    }

    /// All disks.
    pub(super) fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.disks.iter()
    }

    /// The media that some of the disks are, or are parts of.
    pub(super) fn disks_on(&self, which: impl Fn(&Disk) -> bool) -> impl Iterator<Item = &Medium> {
        self.disks.iter().filter(move |disk| which(disk)).filter_map(|disk| self.medium_of(disk))
    }

    /// The medium that a disk is, or is a part of.
    pub(super) fn medium_of(&self, disk: &Disk) -> Option<&Medium> {
        if let Some(index) = above(disk, &self.usb) {
            return self.usb_media.get(index);
        }
        let same = |medium: &&Medium| matches!(&medium.source, Source::Block(block) if block.number == disk.node.number);
        self.drives.iter().find(same)
    }

    /// The block devices that a medium is for the host.
    pub(super) fn disks_of<'a>(&'a self, medium: &'a Medium) -> impl Iterator<Item = &'a Disk> {
        self.disks.iter().filter(move |disk| self.medium_of(disk).is_some_and(|other| other.id == medium.id))
    }

    /// The USB device that a medium is.
    pub(super) fn usb_of(&self, medium: &Medium) -> Option<&Usb> {
        self.usb().find(|(_, other)| other.id == medium.id).map(|(usb, _)| usb)
    }
}

/// Which USB device a disk belongs to: the innermost, as a stick hangs below a hub.
fn above(disk: &Disk, usb: &[Usb]) -> Option<usize> {
    let found = usb.iter().enumerate().filter(|(_, usb)| disk.path.starts_with(&usb.path));
    found.max_by_key(|(_, usb)| usb.path.as_os_str().len()).map(|(index, _)| index)
}

fn of_usb(usb: &Usb) -> Medium {
    let device = &usb.device;
    let ids = format!("usb:{:04x}:{:04x}", device.vendor, device.product);
    let id = match &device.serial {
        Some(serial) => format!("{ids}:{}", text::identifying(serial)),
        None => format!("{ids}@{}", device.port),
    };
    Medium { id: Id(id), kind: usb.kind(), name: usb.name.clone(), source: Source::Usb(device.clone()) }
}

/// Two that say the same serial number are told apart by where they are plugged in.
fn tell_twins_apart(media: &mut [Medium]) {
    let mut seen: HashMap<Id, usize> = HashMap::new();
    media.iter().for_each(|medium| *seen.entry(medium.id.clone()).or_default() += 1);
    for medium in media {
        if let (Source::Usb(usb), Some(2..)) = (&medium.source, seen.get(&medium.id)) {
            medium.id.0 = format!("{}@{}", medium.id, usb.port);
        }
    }
}

fn of_disk(disk: &Disk, kernel: &Kernel) -> Option<Medium> {
    let kind = match disk.sort {
        Sort::Optical => Kind::Optical,
        Sort::SdCard => Kind::SdCard,
        Sort::Other => return None,
    };
    let known = disk.serial.as_deref().map_or_else(|| format!("@{}", disk.node.name), text::identifying);
    let block = BlockDevice {
        node: disk.node.path(),
        number: disk.node.number,
        serial: disk.serial.clone(),
        content: disk.content(kernel),
    };
    let id = Id(format!("{}:{known}", kind.word()));
    Some(Medium { id, kind, name: disk.name.clone(), source: Source::Block(block) })
}

/// All images of the libraries.
///
/// # Errors
/// A library cannot be read.
pub(super) fn images(libraries: &[PathBuf]) -> io::Result<Vec<Medium>> {
    let mut media = Vec::new();
    for directory in libraries {
        for name in kernel::names(directory)? {
            let path = directory.join(name).to_string_lossy().into_owned();
            media.extend(image(&path, libraries).ok());
        }
    }
    Ok(media)
}

/// An image of a library.
///
/// # Errors
/// Why it is none.
pub(super) fn image(path: &str, libraries: &[PathBuf]) -> Result<Medium, library::NotMedium> {
    library::check(path, libraries)?;
    let file = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let source = Source::Image { path: path.to_owned() };
    Ok(Medium { id: Id(format!("image:{path}")), kind: Kind::Image, name: text::name(&[file], path), source })
}
