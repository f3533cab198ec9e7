// SPDX-License-Identifier: Apache-2.0
//! What a VM's definition contains that rules binding everybody look at.

use crate::policy::request::Right;

use super::device::{self, describe, link};
use super::element::Element;
use super::place::extension;
use super::redirection::Redirection;
use super::reference::{Carried, carried_by};
use super::uses::{self, Use};

pub use super::link::Link;

/// What a definition contains, judged without knowing who asks. The same facts are taken by the
/// gate before a define or start and by the hook when libvirt is about to start a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where its network interfaces lead.
    pub links: Vec<Link>,
    /// Raw doors that the definition opens: `qemu:commandline`, a chosen emulator, ...
    pub raw: Vec<String>,
    /// Memory in KiB, the larger of present and maximum.
    pub memory_kib: u64,
    /// Maximum number of virtual CPUs.
    pub vcpus: u32,
    /// Files, devices and remote images that its disks are made of, backing files included, as
    /// written. What two VMs have in common they share.
    pub sources: Vec<String>,
    /// Pool and name of the volumes among its disks.
    pub volumes: Vec<(String, String)>,
    /// What could carry data out of it or into it.
    pub uses: Vec<Use>,
    /// Whether USB devices can be redirected into it, and which.
    pub redirection: Redirection,
    /// What of the host it carries that could be a removable medium.
    pub media: Vec<Carried>,
    /// Ports for whole devices, of the host or of whoever looks at the screen: what a sensitive VM has none of.
    pub ports: Vec<String>,
}

impl Facts {
    /// Takes the facts of a `<domain>`. A size that is not readable counts as the largest.
    pub fn of(domain: &Element) -> Self {
        let devices: Vec<&Element> = domain.all("devices").flat_map(Element::elements).collect();
        let disks: Vec<&Element> =
            devices.iter().copied().filter(|d| d.is("disk")).flat_map(sources).collect();
        let volume =
            |s: &&Element| Some((s.attribute("pool")?.to_owned(), s.attribute("volume")?.to_owned()));
        Self {
            links: devices.iter().filter(|d| d.is("interface")).map(|d| link(d)).collect(),
            raw: raw(domain, &devices),
            memory_kib: ["memory", "currentMemory", "maxMemory"]
                .iter()
                .map(|name| kib(domain, name))
                .max()
                .unwrap_or(0),
            vcpus: vcpus(domain),
            sources: disks.iter().filter_map(|source| path(source)).collect(),
            volumes: disks.iter().filter_map(volume).collect(),
            uses: uses::of(domain),
            redirection: Redirection::of(domain),
            media: carried_by(domain),
            ports: devices.iter().filter(|d| is_port(d)).map(|d| describe(d)).collect(),
        }
    }
}

fn raw(domain: &Element, devices: &[&Element]) -> Vec<String> {
    let extensions = domain.elements().filter_map(|e| Some(format!("{}:{}", extension(e)?, e.name)));
    let loader = domain.elements().filter(|e| e.is("bootloader")).map(|_| "bootloader".to_owned());
    let opens = |device: &&&Element| device::needs(device).rights().contains(&Right::Raw);
    extensions.chain(loader).chain(devices.iter().filter(opens).map(|d| describe(d))).collect()
}

fn is_port(device: &Element) -> bool {
    let bus = || device.child("target").and_then(|target| target.attribute("bus"));
    match device.name.as_str() {
        "redirdev" | "hostdev" | "smartcard" => true,
        "disk" => bus() == Some("usb"),
        "interface" => device.attribute("type") == Some("hostdev"),
        _ => false,
    }
}

/// Every source of a disk: its own, its backing files, its copies.
fn sources(disk: &Element) -> Vec<&Element> {
    let mut found = Vec::new();
    disk.walk(&mut |part| {
        if part.is("source") {
            found.push(part);
        }
    });
    found
}

fn path(source: &Element) -> Option<String> {
    let path =
        ["file", "dev", "dir", "path"].iter().find_map(|name| source.attribute(name)).map(str::to_owned);
    let remote = || Some(format!("{}:{}", source.attribute("protocol")?, source.attribute("name")?));
    path.or_else(remote)
}

fn vcpus(domain: &Element) -> u32 {
    domain.text_of("vcpu").map_or(1, |count| count.parse().unwrap_or(u32::MAX))
}

fn kib(domain: &Element, name: &str) -> u64 {
    domain.child(name).map_or(0, |size| in_kib(size).unwrap_or(u64::MAX))
}

fn in_kib(size: &Element) -> Option<u64> {
    let number: u64 = size.text().trim().parse().ok()?;
    let bytes: u64 = match size.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1_000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(bytes).map(|bytes| bytes.div_ceil(1 << 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::strict::parse;

    #[test]
    fn facts_are_taken_from_everywhere_libvirt_looks() {
        let domain = parse(
            "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><memory unit='MiB'>512</memory>
             <maxMemory slots='2' unit='GiB'>4</maxMemory><vcpu current='1'>8</vcpu>
             <devices><emulator>/tmp/qemu</emulator>
             <disk><source file='/a'/><backingStore><source file='/b'/><backingStore/></backingStore></disk>
             <disk type='volume'><source pool='p' volume='v'/></disk>
             <disk type='network'><source protocol='nbd' name='x'/></disk>
             <interface type='network'><source network='red'/></interface>
             <interface type='direct'><source dev='eth0'/></interface></devices>
             <q:commandline><q:arg value='-s'/></q:commandline></domain>",
        )
        .unwrap();
        let facts = Facts::of(&domain);
        let direct = Link::Past { kind: "direct".into(), onto: Some("eth0".into()) };
        assert_eq!(facts.links, [Link::Network("red".into()), direct]);
        assert_eq!(facts.raw, ["qemu:commandline", "emulator: `/tmp/qemu`"]);
        assert_eq!((facts.memory_kib, facts.vcpus), (4 << 20, 8));
        assert_eq!(facts.sources, ["/a", "/b", "nbd:x"]);
        assert_eq!(facts.volumes, [("p".to_owned(), "v".to_owned())]);
    }

    #[test]
    fn a_size_that_is_not_readable_is_the_largest() {
        for size in [
            "<memory>x</memory>",
            "<memory unit='parsec'>1</memory>",
            "<memory>99999999999999999999</memory>",
        ] {
            let domain = parse(format!("<domain>{size}<vcpu>-1</vcpu></domain>")).unwrap();
            let facts = Facts::of(&domain);
            assert_eq!((facts.memory_kib, facts.vcpus), (u64::MAX, u32::MAX), "{size}");
        }
    }
}
