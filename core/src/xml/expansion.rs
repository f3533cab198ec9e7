// SPDX-License-Identifier: Apache-2.0
//! What libvirt writes out in a running VM's definition where the stored one leaves it to libvirt.
//!
//! Goes with the list of [`super::ignored::IGNORED`] and is for the same definitions only. Here it
//! takes both sides to tell: where both say something, what they say is compared.

use super::element::{Element, Node};
use super::paths::{is_stock_firmware, is_variables};
use super::section::Part;

/// Whether one side of a part is only the other one written out.
pub(super) fn of_part(part: &Part<'_>) -> bool {
    let ([old], [new]) = (part.old.as_slice(), part.new.as_slice()) else { return false };
    match part.name {
        "cpu" => is_cpu(old, new),
        "os" => is_firmware(old, new) || is_firmware(new, old),
        _ => false,
    }
}

/// libvirt writes a running VM's `host-model` out as the model and features that this host has, not
/// always in the same words. Whoever has the one has the other; features of the hypervisor itself
/// and everything else in the element are compared all the same.
fn is_cpu(old: &Element, new: &Element) -> bool {
    [old, new].iter().all(|cpu| is_host_model(cpu)) && without_model(old) == without_model(new)
}

fn is_host_model(cpu: &Element) -> bool {
    let exact = || {
        let forbid = cpu.child("model").is_some_and(|m| m.attribute("fallback") == Some("forbid"));
        cpu.attribute("match") == Some("exact") && forbid && cpu.child("vendor").is_some()
    };
    match cpu.attribute("mode") {
        Some("host-model") => true,
        Some("custom") => exact(),
        _ => false,
    }
}

fn without_model(cpu: &Element) -> Element {
    let model = |e: &Element| match e.name.as_str() {
        "model" | "vendor" => true,
        "feature" => e.attribute("name").is_some_and(|name| !name.starts_with("hv-")),
        _ => false,
    };
    let mut rest = cpu.clone();
    rest.attributes.retain(|a| !matches!(a.name.as_str(), "mode" | "match" | "check"));
    rest.children.retain(|node| !matches!(node, Node::Element(e) if model(e)));
    rest
}

/// libvirt chooses the distribution's firmware for `firmware='efi'` and makes a file for its
/// variables. Nobody gets a file that libvirt would not have given him.
fn is_firmware(asked: &Element, chosen: &Element) -> bool {
    let has = |name| asked.child(name).is_some();
    let text = |name| chosen.child(name).map(|e| e.text().trim().to_owned());
    let stock = text("loader").is_some_and(|path| is_stock_firmware(&path));
    let variables = text("nvram").is_none_or(|path| is_variables(&path));
    let rest = |os: &Element| {
        let mut os = os.clone();
        os.attributes.retain(|a| a.name != "firmware");
        os.children.retain(|node| !matches!(node, Node::Element(e) if e.is("loader") || e.is("nvram")));
        os
    };
    let automatic = asked.attribute("firmware") == Some("efi") && !has("loader") && !has("nvram");
    automatic && stock && variables && rest(asked) == rest(chosen)
}

/// libvirt writes the backing files of a running VM's disk out. They follow from the file, which is
/// the same; only where both sides name them can they differ.
pub(super) fn of_disk(old: &Element, new: &Element) -> bool {
    let one = old.child("backingStore").is_none() != new.child("backingStore").is_none();
    let without = |disk: &Element| {
        let mut disk = disk.clone();
        disk.children.retain(|node| !matches!(node, Node::Element(e) if e.is("backingStore")));
        disk
    };
    one && old.is("disk") && without(old) == without(new)
}
