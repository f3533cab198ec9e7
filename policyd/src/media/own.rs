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
        Ok(used.map(|used| format!("{reference} stays with the host, which uses it: {used}")))
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
        let mut ids: Vec<_> = usb.chain(drives).filter(|medium| !medium.is_hub()).map(|m| m.id.clone()).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }
}

/// Files are no devices, unless they are links to one.
fn names_devices(reference: &Reference) -> bool {
    match reference {
        Reference::Usb(_) => false,
        Reference::Image(path) => resolved(path).starts_with("/dev/"),
        Reference::Block(_) | Reference::Scsi(_) | Reference::Pci(_) => true,
    }
}

fn disks<'a>(look: &'a Look, reference: &Reference) -> Vec<&'a Disk> {
    match reference {
        Reference::Usb(_) => Vec::new(),
        Reference::Image(path) | Reference::Block(path) => look.disk(&resolved(path)).into_iter().collect(),
        Reference::Scsi(address) | Reference::Pci(address) => {
            look.disks().filter(|disk| hangs_on(&disk.path, address)).collect()
        }
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
