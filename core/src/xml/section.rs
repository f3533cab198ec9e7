// SPDX-License-Identifier: Apache-2.0
//! What a difference in a part of a VM's definition other than its devices needs.

use std::collections::BTreeMap;

use crate::policy::request::Right;

use super::element::Element;
use super::metadata;
use super::needs::{self, CONFIGURE, CRYPTOGRAPHY, HYPERCALLS, Needs, SHARING};
use super::paths::is_stock_firmware;
use super::place::extension;
use super::vocabulary;

/// One part of a definition before and after; several elements where it may repeat.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) old: Vec<&'a Element>,
    pub(super) new: Vec<&'a Element>,
}

impl<'a> Part<'a> {
    fn of(name: &'a str) -> Self {
        Self { name, old: Vec::new(), new: Vec::new() }
    }

    fn all(&self) -> impl Iterator<Item = &'a Element> {
        self.old.iter().chain(&self.new).copied()
    }

    fn any(&self, holds: impl Fn(&Element) -> bool) -> bool {
        self.all().any(holds)
    }
}

/// The parts of two elements that differ, by the name of the child.
pub(super) fn differing<'a>(old: &[&'a Element], new: &[&'a Element]) -> Vec<Part<'a>> {
    let mut parts: BTreeMap<Key<'a>, Part<'a>> = BTreeMap::new();
    for child in old.iter().flat_map(|e| e.elements()) {
        parts.entry(key(child)).or_insert_with(|| Part::of(&child.name)).old.push(child);
    }
    for child in new.iter().flat_map(|e| e.elements()) {
        parts.entry(key(child)).or_insert_with(|| Part::of(&child.name)).new.push(child);
    }
    parts.into_values().filter(|part| part.old != part.new).collect()
}

/// A name, and a namespace where it has one.
type Key<'a> = (&'a str, Option<&'a str>);

fn key(element: &Element) -> Key<'_> {
    (&element.name, element.namespace.as_ref().map(|n| n.uri.as_str()))
}

/// The table: one line for each part that libvirt knows.
pub(super) fn needs(part: &Part<'_>) -> Needs {
    if part.any(|e| e.namespace.is_some()) {
        let known = part.any(|e| extension(e).is_some());
        return Needs::of(Right::Raw).when(!known, Right::Administer, "it is not understood");
    }
    let simple = || Needs::of(CONFIGURE).with(contents(part));
    match part.name {
        "name" | "title" | "description" | "genid" => Needs::of(CONFIGURE),
        "uuid" => Needs::of(CONFIGURE).when(!part.old.is_empty(), Right::Administer, "it is another VM"),
        "resource" => {
            unknown(part).when(part.any(is_chosen_partition), Right::Administer, "it leaves libvirt's limits")
        }
        "memory" | "currentMemory" | "maxMemory" | "vcpu" | "vcpus" | "iothreads" | "iothreadids"
        | "defaultiothread" | "cputune" | "blkiotune" | "memtune" | "numatune" | "throttlegroups"
        | "perf" | "pm" | "on_poweroff" | "on_reboot" | "on_crash" | "on_lockfailure" => simple(),
        "metadata" => metadata::needs(&part.old, &part.new),
        "os" => os(part),
        "features" => unknown(part).with(of_parts(part, feature)),
        "clock" => simple().with(of_parts(part, clock)),
        "cpu" => simple().with(of_parts(part, cpu)),
        "sysinfo" => simple().when(part.any(names_file), Right::Administer, "it names a file of the host"),
        "memoryBacking" => simple().when(part.any(shares_memory), SHARING, "it shares the memory"),
        "seclabel" => Needs::of(CONFIGURE).with(contents(part)),
        "keywrap" => Needs::of(CRYPTOGRAPHY).with(contents(part)),
        "launchSecurity" => Needs::of(CRYPTOGRAPHY).and(Right::Administer, "it holds secrets"),
        "bootloader" | "bootloader_args" => Needs::of(Right::Raw),
        _ => Needs::of(Right::Administer).and(CONFIGURE, ""),
    }
}

fn contents(part: &Part<'_>) -> Needs {
    part.all().fold(Needs::default(), |needs, element| needs.with(needs::contents(element)))
}

fn unknown(part: &Part<'_>) -> Needs {
    let strange = part.any(|e| vocabulary::unknown(e).is_some());
    Needs::of(CONFIGURE).when(strange, Right::Administer, "it has parts that are not understood")
}

fn of_parts(part: &Part<'_>, needs: impl Fn(&Part<'_>) -> Needs) -> Needs {
    let parts = differing(&part.old, &part.new);
    parts.iter().fold(Needs::default(), |all, inner| all.with(needs(inner)))
}

fn os(part: &Part<'_>) -> Needs {
    unknown(part).with(of_parts(part, |inner| match inner.name {
        "type" | "boot" | "bootmenu" | "bios" | "smbios" | "firmware" | "cmdline" => Needs::default(),
        "loader" | "nvram" => Needs::default().when(
            inner.any(|e| !is_stock(e)),
            Right::Administer,
            "it names a file of the host",
        ),
        _ => Needs::default().and(Right::Administer, "it names a file of the host"),
    }))
}

/// Firmware of the distribution. Which file holds the variables is libvirt's to choose: a chosen one
/// could be another VM's.
fn is_stock(element: &Element) -> bool {
    let text = element.text();
    let chosen = text.trim();
    let file = chosen.is_empty() || (element.name == "loader" && is_stock_firmware(chosen));
    let local = matches!(element.attribute("type"), None | Some("rom" | "pflash"));
    let template = element.attribute("template").is_none_or(is_stock_firmware);
    file && local && template && element.elements().next().is_none()
}

fn feature(part: &Part<'_>) -> Needs {
    let hypercalls = matches!(part.name, "hyperv" | "kvm" | "xen" | "pvspinlock");
    Needs::default().when(hypercalls, HYPERCALLS, "")
}

fn clock(part: &Part<'_>) -> Needs {
    let hypercalls = |e: &Element| matches!(e.attribute("name"), Some("hypervclock" | "kvmclock"));
    let of =
        |side: &[&Element]| side.iter().filter(|e| hypercalls(e)).map(|e| (*e).clone()).collect::<Vec<_>>();
    Needs::default().when(of(&part.old) != of(&part.new), HYPERCALLS, "")
}

fn cpu(part: &Part<'_>) -> Needs {
    let hypercalls = |e: &Element| e.attribute("name").is_some_and(|name| name.starts_with("hv-"));
    let of =
        |side: &[&Element]| side.iter().filter(|e| hypercalls(e)).map(|e| (*e).clone()).collect::<Vec<_>>();
    Needs::default().when(of(&part.old) != of(&part.new), HYPERCALLS, "")
}

fn is_chosen_partition(resource: &Element) -> bool {
    resource.elements().any(|e| !e.is("partition") || e.text().trim() != "/machine")
}

fn names_file(sysinfo: &Element) -> bool {
    sysinfo.elements().any(|entry| entry.attribute("file").is_some())
}

fn shares_memory(backing: &Element) -> bool {
    let says =
        |child, attribute, value| backing.child(child).and_then(|c| c.attribute(attribute)) == Some(value);
    says("access", "mode", "shared") || says("source", "type", "file")
}
