// SPDX-License-Identifier: Apache-2.0
//! What in a definition could carry data out of the VM or into it: the channels of FDP_VMS_EXT.1.

mod disk;
mod line;
pub mod written;

use std::fmt;

use crate::policy::channel::Channel;

use super::element::Element;

/// One part of a definition that data could pass through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Which way it would pass.
    pub channel: Channel,
    /// For people: "disk `vda`: `/a.img`".
    pub what: String,
    /// How far it leads.
    pub reach: Reach,
    /// What of the host it is made of; none where that is nothing another VM could have.
    pub medium: Option<Medium>,
    /// What the VM does with it.
    pub access: Access,
    /// Whether the definition tells what the medium builds upon.
    pub chain: Chain,
}

/// Whether a definition tells all that a medium builds upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// It does, or there is nothing.
    Told,
    /// libvirt finds out when the VM starts.
    Untold,
}

/// How far something leads by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Out of the VM.
    Outside,
    /// Nowhere, unless another VM has the same medium.
    Own,
}

/// What the VM does with a medium. Many may read what nobody writes, such as the base of their disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads.
    Reads,
    /// It may write.
    Writes,
}

/// What something is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A file, directory, socket or device of the host.
    Path(String),
    /// A volume in a pool.
    Volume {
        /// The pool.
        pool: String,
        /// The volume.
        name: String,
    },
    /// Something else that has a name: shared memory, an address of the network.
    Name(String),
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Medium::Path(text) | Medium::Name(text) => f.write_str(text),
            Medium::Volume { pool, name } => write!(f, "{pool}/{name}"),
        }
    }
}

impl Use {
    fn outside(channel: Channel, what: impl Into<String>) -> Self {
        Self {
            channel,
            what: what.into(),
            reach: Reach::Outside,
            medium: None,
            access: Access::Writes,
            chain: Chain::Told,
        }
    }

    fn own(channel: Channel, what: impl Into<String>, medium: Medium) -> Self {
        Self { reach: Reach::Own, medium: Some(medium), ..Self::outside(channel, what) }
    }

    fn made_of(self, medium: Option<Medium>) -> Self {
        Self { medium, ..self }
    }

    fn built(self, chain: Chain) -> Self {
        Self { chain, ..self }
    }

    fn reading(self) -> Self {
        Self { access: Access::Reads, ..self }
    }
}

/// All of a `<domain>`.
pub(super) fn of(domain: &Element) -> Vec<Use> {
    let devices = domain.all("devices").flat_map(Element::elements).flat_map(device);
    domain.all("os").flat_map(firmware).chain(devices).collect()
}

fn device(device: &Element) -> Vec<Use> {
    let kind = device.attribute("type").unwrap_or_default();
    let mut uses = match device.name.as_str() {
        "disk" => disk::uses(device),
        "filesystem" => vec![folder(device)],
        "shmem" => vec![shmem(device)],
        "memory" => file_of(device, &["source", "path"], Channel::Shmem),
        "vsock" => vec![Use::outside(Channel::Vsock, "a vsock")],
        "graphics" => screen(device, kind),
        "serial" | "parallel" | "console" | "channel" => line::uses(device, kind),
        "interface" => line::interface(device, kind),
        "rng" => device.all("backend").flat_map(|b| line::backend(b, "egd")).collect(),
        "tpm" => device.all("backend").flat_map(tpm).collect(),
        "smartcard" if device.attribute("mode") == Some("passthrough") => line::uses(device, kind),
        "pstore" => file_of(device, &["path"], Channel::Disk),
        _ => Vec::new(),
    };
    let logs = device.all("log").filter_map(|log| log.attribute("file"));
    uses.extend(logs.map(|file| written(Channel::Chardev, "the log of a line", file)));
    uses
}

fn written(channel: Channel, what: &str, path: &str) -> Use {
    Use::own(channel, format!("{what}: `{path}`"), Medium::Path(path.to_owned()))
}

/// Files that the firmware or the kernel come from; of those, the variables are written.
fn firmware(os: &Element) -> Vec<Use> {
    let mut uses = Vec::new();
    for part in os.elements() {
        let file = part.child("source").and_then(|source| source.attribute("file")).map(str::to_owned);
        let path = file.unwrap_or_else(|| part.text().trim().to_owned());
        let writes = match part.name.as_str() {
            "nvram" => true,
            "loader" => part.attribute("readonly") == Some("no"),
            "kernel" | "initrd" | "dtb" => false,
            _ => continue,
        };
        if path.starts_with('/') {
            let usage = written(Channel::Disk, &part.name, &path);
            uses.push(if writes { usage } else { usage.reading() });
        }
    }
    uses
}

/// `virtiofs`, `9p` and their like.
fn folder(device: &Element) -> Use {
    let source = device.child("source");
    let place = source.and_then(|source| {
        ["dir", "file", "socket", "dev", "name"].iter().find_map(|name| source.attribute(name))
    });
    let medium = match source.and_then(|s| Some((s.attribute("pool")?, s.attribute("volume")?))) {
        Some((pool, volume)) => Some(Medium::Volume { pool: pool.to_owned(), name: volume.to_owned() }),
        None => place.map(named),
    };
    let what = place.map_or_else(|| "a shared folder".to_owned(), |place| format!("folder `{place}`"));
    let usage = Use::outside(Channel::SharedFolder, what).made_of(medium);
    if device.child("readonly").is_some() { usage.reading() } else { usage }
}

/// An absolute path is a file, everything else a name.
fn named(text: &str) -> Medium {
    if text.starts_with('/') { Medium::Path(text.to_owned()) } else { Medium::Name(text.to_owned()) }
}

fn shmem(device: &Element) -> Use {
    let name = device.attribute("name").unwrap_or_default();
    let server = device.child("server").and_then(|server| server.attribute("path"));
    let medium = server.map_or_else(|| Medium::Name(format!("shmem {name}")), named);
    Use::outside(Channel::Shmem, format!("shared memory `{name}`")).made_of(Some(medium))
}

/// A device whose content is a file.
fn file_of(device: &Element, path: &[&str], channel: Channel) -> Vec<Use> {
    let path = device.at(path).map(|path| path.text().trim().to_owned()).filter(|path| !path.is_empty());
    path.map(|path| written(channel, &device.name, &path)).into_iter().collect()
}

/// SPICE carries both unless told otherwise.
fn screen(graphics: &Element, kind: &str) -> Vec<Use> {
    let is_off = |part, attribute| graphics.child(part).and_then(|p| p.attribute(attribute)) == Some("no");
    let carries = |channel, what: &str| Use::outside(channel, format!("{what} of its `{kind}` screen"));
    match kind {
        "spice" => {
            let clipboard = (!is_off("clipboard", "copypaste")).then_some(Channel::Clipboard);
            let files = (!is_off("filetransfer", "enable")).then_some(Channel::FileTransfer);
            let clipboard = clipboard.map(|channel| carries(channel, "the clipboard"));
            clipboard.into_iter().chain(files.map(|channel| carries(channel, "the file transfer"))).collect()
        }
        "dbus" | "rdp" => vec![carries(Channel::Clipboard, "the clipboard")],
        _ => Vec::new(),
    }
}

fn tpm(backend: &Element) -> Vec<Use> {
    let source = backend.child("source");
    let path = source.and_then(|source| source.attribute("path"));
    match backend.attribute("type") {
        Some("external") => {
            vec![Use::outside(Channel::Chardev, "a TPM that another process serves").made_of(path.map(named))]
        }
        _ => path.map(|path| written(Channel::Disk, "tpm", path)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
