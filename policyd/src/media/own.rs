// SPDX-License-Identifier: Apache-2.0
//! What stays with the host whoever asks: the disks it runs on, and whatever they hang on (FDP_PPR_EXT.1, always denied).
//! And what goes along with a device that others hang on.

use std::path::Path;

use virtwarden_core::media::Id;
use virtwarden_core::xml::reference::Reference;

use super::Media;
use super::block::Disk;
use super::find::Unclear;
use super::host::{mounts, swaps, use_of_node};
use super::look::Look;
use super::vital::HostDevice;

/// Most links that a path may have.
const LINKS: usize = 8;

impl Media {
    /// Why something that a definition names stays with the host; nothing if it need not.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn stays(&self, reference: &Reference) -> Result<Option<String>, Unclear> {
        let unreadable = |error: std::io::Error| Unclear::Unreadable(error.to_string());
        if !names_devices(reference) {
            return Ok(None);
        }
        let (kernel, look) = self.look()?;
        let (mounts, swaps) = (mounts(kernel).map_err(unreadable)?, swaps(kernel).map_err(unreadable)?);
        let mut nodes = disks(&look, reference).into_iter().flat_map(Disk::nodes);
        let used = nodes.find_map(|node| use_of_node(node, &mounts, &swaps));
        if let Some(used) = used {
            return Ok(Some(format!("{reference} stays with the host, which uses it: {used}")));
        }
        let path = path_of(reference);
        host_device(reference, &path).map_or(Ok(None), |device| self.is_hosts_own(&device))
    }

    /// The media that go along with a device: with a controller, whatever is plugged into it.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn along_with(&self, reference: &Reference) -> Result<Vec<Id>, Unclear> {
        let (Reference::Pci(address) | Reference::Scsi(address)) = reference else { return Ok(Vec::new()) };
        let (_, look) = self.look()?;
        let usb = look.usb().filter(|(usb, _)| hangs_on(&usb.path, address)).map(|(_, medium)| medium);
        let drives = look.disks_on(|disk| hangs_on(&disk.path, address));
        let mut ids: Vec<_> =
            usb.chain(drives).filter(|medium| !medium.is_hub()).map(|m| m.id.clone()).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }
}

/// Files are no devices, unless they are links to one.
fn names_devices(reference: &Reference) -> bool {
    match reference {
        Reference::Usb(_) | Reference::Known(_) => false,
        Reference::Image(path) => resolved(path).starts_with("/dev/"),
        Reference::Block(_) | Reference::Scsi(_) | Reference::Pci(_) => true,
    }
}

fn disks<'a>(look: &'a Look, reference: &Reference) -> Vec<&'a Disk> {
    match reference {
        Reference::Usb(_) | Reference::Known(_) => Vec::new(),
        Reference::Image(path) | Reference::Block(path) => look.disk(&resolved(path)).into_iter().collect(),
        Reference::Scsi(address) | Reference::Pci(address) => {
            look.disks().filter(|disk| hangs_on(&disk.path, address)).collect()
        }
    }
}

fn path_of(reference: &Reference) -> String {
    match reference {
        Reference::Image(path) | Reference::Block(path) => resolved(path),
        Reference::Usb(_) | Reference::Scsi(_) | Reference::Pci(_) | Reference::Known(_) => String::new(),
    }
}

fn host_device<'a>(reference: &Reference, path: &'a str) -> Option<HostDevice<'a>> {
    let mut parts = match reference {
        Reference::Usb(_) | Reference::Known(_) => return None,
        Reference::Image(_) | Reference::Block(_) => return Some(HostDevice::Block(path)),
        Reference::Scsi(address) | Reference::Pci(address) => address.split([':', '.']),
    };
    let mut hexadecimal = || u16::from_str_radix(parts.next()?, 16).ok();
    match reference {
        Reference::Pci(_) => Some(HostDevice::Pci {
            domain: hexadecimal()?,
            bus: u8::try_from(hexadecimal()?).ok()?,
            slot: u8::try_from(hexadecimal()?).ok()?,
            function: u8::try_from(hexadecimal()?).ok()?,
        }),
        Reference::Scsi(_) => {
            let mut decimal = || parts.next()?.parse::<u32>().ok();
            Some(HostDevice::Scsi {
                host: decimal()?,
                bus: decimal()?,
                target: decimal()?,
                unit: u64::from(decimal()?),
            })
        }
        Reference::Usb(_) | Reference::Image(_) | Reference::Block(_) | Reference::Known(_) => None,
    }
}

/// Whether a device's place is below that of another.
fn hangs_on(path: &Path, address: &str) -> bool {
    path.components().any(|part| part.as_os_str() == address)
}

/// Where links lead, as far as they can be followed.
fn resolved(path: &str) -> String {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::read_link(&path) {
            Ok(target) => {
                let above = Path::new(&path).parent().unwrap_or(Path::new("/"));
                path = above.join(target).to_string_lossy().into_owned();
            }
            Err(_) => return path,
        }
    }
    path
}
