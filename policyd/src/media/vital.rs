// SPDX-License-Identifier: Apache-2.0
//! What the host cannot do without, found out and not configured: FDP_PPR_EXT.1, the list of what is always denied.
//!
//! The disks that it runs on, with all that lies between them and the processor; the network interface that leads out;
//! the controllers that its keyboards and mice hang on. No VM gets them, whoever asks.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::block::Node;
use super::host::{mounts, swaps};
use super::kernel::{self, Kernel, attribute};
use super::look::Look;

/// How far block devices and network interfaces are followed to what they are made of.
const DEEP: usize = 16;
/// `PCI_BASE_CLASS_NETWORK`, as `class` begins.
const NETWORK: &str = "0x02";

/// A device of the host, as a definition names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostDevice<'a> {
    /// A PCI function.
    Pci {
        /// Domain.
        domain: u16,
        /// Bus.
        bus: u8,
        /// Slot.
        slot: u8,
        /// Function.
        function: u8,
    },
    /// A SCSI device.
    Scsi {
        /// The number of its adapter.
        host: u32,
        /// Bus.
        bus: u32,
        /// Target.
        target: u32,
        /// Unit.
        unit: u64,
    },
    /// A USB device, by bus and number on it.
    Usb(u16, u16),
    /// A block device, by a path below `/dev`.
    Block(&'a str),
    /// Anything, by its directory below `/sys`.
    Directory(&'a str),
}

impl fmt::Display for HostDevice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostDevice::Pci { domain, bus, slot, function } => {
                write!(f, "PCI device {domain:04x}:{bus:02x}:{slot:02x}.{function:x}")
            }
            HostDevice::Scsi { host, bus, target, unit } => {
                write!(f, "SCSI device {host}:{bus}:{target}:{unit}")
            }
            HostDevice::Usb(bus, device) => write!(f, "USB device {device} on bus {bus}"),
            HostDevice::Block(path) | HostDevice::Directory(path) => write!(f, "`{path}`"),
        }
    }
}

/// Something that the host needs: where it is, and what it is for.
struct Own {
    path: PathBuf,
    what: String,
}

/// Why a device is the host's own; none if it is not.
///
/// # Errors
/// It cannot be told.
pub(super) fn reason(kernel: &Kernel, look: &Look, device: &HostDevice<'_>) -> io::Result<Option<String>> {
    let Some(path) = place(kernel, look, device)? else { return Ok(None) };
    let needed = needed(kernel, look)?;
    if let Some(own) = needed.iter().find(|own| own.path.starts_with(&path)) {
        return Ok(Some(format!("{device} is always denied to VMs: {}", own.what)));
    }
    let way = way_out(kernel, &path)?;
    Ok(way.map(|what| format!("{device} is always denied to VMs: {what}")))
}

/// The device's directory; none if there is no such device.
fn place(kernel: &Kernel, look: &Look, device: &HostDevice<'_>) -> io::Result<Option<PathBuf>> {
    let named = |below: String| kernel.sys.join(below).canonicalize().ok();
    Ok(match device {
        HostDevice::Pci { domain, bus, slot, function } => {
            named(format!("bus/pci/devices/{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"))
        }
        HostDevice::Scsi { host, bus, target, unit } => {
            named(format!("bus/scsi/devices/{host}:{bus}:{target}:{unit}"))
        }
        HostDevice::Usb(bus, number) => {
            let mut devices = look.usb().map(|(usb, _)| usb);
            devices
                .find(|usb| (usb.device.bus, usb.device.device) == (*bus, *number))
                .map(|usb| usb.path.clone())
        }
        HostDevice::Block(path) => match look.node(path) {
            Some(node) => Some(node.directory.clone()),
            None => {
                let why = format!("`{path}` is no name that the kernel or udev gave to a block device");
                return Err(io::Error::other(why));
            }
        },
        HostDevice::Directory(path) => {
            let below = path.strip_prefix("/sys/");
            let below = below.ok_or_else(|| io::Error::other(format!("`{path}` is not below /sys")))?;
            named(below.to_owned())
        }
    })
}

fn needed(kernel: &Kernel, look: &Look) -> io::Result<Vec<Own>> {
    let mut needed = storage(kernel, look)?;
    for (usb, medium) in look.usb().filter(|(_, medium)| medium.is_input() && !medium.is_hub()) {
        // Itself it may be given by an Administrator's hand, not what it hangs on.
        let above = usb.path.parent().unwrap_or(&usb.path).to_owned();
        needed.push(Own { path: above, what: format!("`{}` hangs on it", medium.name) });
    }
    Ok(needed)
}

/// Whatever is mounted or swap space, and everything that it is made of.
fn storage(kernel: &Kernel, look: &Look) -> io::Result<Vec<Own>> {
    let mut used = Vec::new();
    for mount in mounts(kernel)? {
        let what = format!("the host has it mounted at `{}`", mount.at);
        used.extend(
            look.node(&mount.source).or_else(|| look.numbered(mount.number)).map(|node| (node, what)),
        );
    }
    for path in swaps(kernel)? {
        used.extend(look.node(&path).map(|node| (node, "it is swap space of the host".to_owned())));
    }
    for file_system in kernel.names("fs/btrfs")? {
        for name in kernel.names(&format!("fs/btrfs/{file_system}/devices"))? {
            used.extend(
                look.named(&name).map(|node| (node, "it is part of a file system of the host".to_owned())),
            );
        }
    }
    let mut own = Vec::new();
    for (node, what) in used {
        made_of(look, node, &what, &mut own, DEEP)?;
    }
    Ok(own)
}

/// A node and, where it is made of others, those.
fn made_of(look: &Look, node: &Node, what: &str, own: &mut Vec<Own>, deep: usize) -> io::Result<()> {
    let deeper = deep.checked_sub(1).ok_or_else(|| io::Error::other("block devices are nested too deep"))?;
    own.push(Own { path: node.directory.clone(), what: what.to_owned() });
    for part in kernel::names(&node.directory.join("slaves"))? {
        let below = look
            .named(&part)
            .ok_or_else(|| io::Error::other(format!("there is no block device `{part}`")))?;
        made_of(look, below, what, own, deeper)?;
    }
    Ok(())
}

fn is_network(path: &Path) -> bool {
    attribute(path, "class").is_some_and(|class| class.starts_with(NETWORK))
}

/// Whether the host's way out goes over a device or over what hangs on it. A network controller that cannot be told
/// not to carry it is taken for it.
fn way_out(kernel: &Kernel, device: &Path) -> io::Result<Option<String>> {
    let may_be_it = is_network(device) && !is_released(device);
    for interface in default_routes(kernel)? {
        let lowest = lower(kernel, &interface, DEEP)?;
        for name in lowest {
            match kernel.sys.join("class/net").join(&name).canonicalize() {
                Ok(card) if card.starts_with(device) => {
                    return Ok(Some(format!("the host's way out is `{interface}`")));
                }
                Err(_) if may_be_it => {
                    let why = "and policyd cannot see that this is another";
                    return Ok(Some(format!("the host's way out is `{name}`, {why}")));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    Ok(None)
}

/// Whether no driver of the host serves it.
fn is_released(controller: &Path) -> bool {
    match std::fs::read_link(controller.join("driver")) {
        Ok(driver) => driver.ends_with("vfio-pci") || driver.ends_with("pci-stub"),
        Err(_) => true,
    }
}

/// The network interfaces that lead everywhere, of the host and not of policyd, which has none.
fn default_routes(kernel: &Kernel) -> io::Result<BTreeSet<String>> {
    let four = kernel.table("1/net/route")?;
    let four = four.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (fields.get(1) == Some(&"00000000") && fields.get(7) == Some(&"00000000"))
            .then(|| fields.first().copied())?
    });
    // A host without IPv6 has no such table.
    let six = kernel.table("1/net/ipv6_route").unwrap_or_default();
    let six = six.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let everywhere = fields.first().is_some_and(|to| to.bytes().all(|digit| digit == b'0'));
        (everywhere && fields.get(1) == Some(&"00")).then(|| fields.get(9).copied())?
    });
    Ok(four.chain(six).filter(|name| *name != "lo").map(str::to_owned).collect())
}

/// What a bridge, bond or VLAN is made of; of any other interface itself.
fn lower(kernel: &Kernel, interface: &str, deep: usize) -> io::Result<Vec<String>> {
    let deeper =
        deep.checked_sub(1).ok_or_else(|| io::Error::other("network interfaces are nested too deep"))?;
    let names = kernel.names(&format!("class/net/{interface}"))?;
    let below: Vec<_> = names.iter().filter_map(|name| name.strip_prefix("lower_")).collect();
    if below.is_empty() {
        return Ok(vec![interface.to_owned()]);
    }
    let mut lowest = Vec::new();
    for name in below {
        lowest.extend(lower(kernel, name, deeper)?);
    }
    Ok(lowest)
}
