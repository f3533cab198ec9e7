// SPDX-License-Identifier: Apache-2.0
//! What differs between two definitions of a VM, as rights.
//!
//! What is the same needs nothing. What differs needs the rights of what it was and of what it
//! shall be, and what is not understood needs the most demanding one.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::request::Right;
use crate::table3::Function;

use super::definition::Definition;
use super::device::{self, describe};
use super::element::{Element, Node};
use super::expansion;
use super::media;
use super::needs::{CONFIGURE, Needs};
use super::normal;
use super::section::{self, Part};

pub use super::form::Form;
pub use super::media::{Medium, Source, Way};

/// One difference and a right it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What somebody must hold to make it.
    pub right: Right,
    /// For the record and the person: "interface added: network `red`". Never a secret.
    pub summary: String,
    /// Set where a medium is inserted or ejected: the right is not enough, the medium must be
    /// judged as well.
    pub medium: Option<Medium>,
}

/// What somebody must hold to turn one definition into another; empty if they mean the same.
/// Without a current one, everything in the proposed one is new.
pub fn changes(current: Option<&Definition>, proposed: &Definition, form: Form) -> Vec<Change> {
    let new = normal::definition(proposed.root(), form);
    let Some(current) = current else {
        let nothing = Element::new("domain");
        let created = vec![change(CONFIGURE, format!("VM created: `{}`", proposed.name()))];
        return tidy(created.into_iter().chain(differences(&nothing, &new, form)).collect());
    };
    let old = normal::definition(current.root(), form);
    tidy(differences(&old, &new, form))
}

/// As [`changes`], where a VM has several present definitions: running, stored, in an earlier
/// snapshot. What any of them already is, is no change.
pub fn changes_from_any(known: &[&Definition], proposed: &Definition, form: Form) -> Vec<Change> {
    let mut all = known.iter().map(|current| changes(Some(current), proposed, form));
    let Some(first) = all.next() else { return changes(None, proposed, form) };
    if first.is_empty() || all.any(|other| other.is_empty()) { Vec::new() } else { first }
}

fn differences(old: &Element, new: &Element, form: Form) -> Vec<Change> {
    let mut found = root(old, new);
    for part in section::differing(&[old], &[new]) {
        match part.name {
            "devices" => found.extend(devices(&part, form)),
            _ if form == Form::Running && expansion::of_part(&part) => {}
            _ => found.extend(explain(&section::needs(&part), &summary(&part))),
        }
    }
    found
}

/// The attributes of the outermost element.
fn root(old: &Element, new: &Element) -> Vec<Change> {
    let mut names: Vec<&str> =
        old.attributes.iter().chain(&new.attributes).map(|a| a.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let differing = names.into_iter().filter(|name| old.attribute(name) != new.attribute(name));
    let right = |name| if name == "type" { CONFIGURE } else { Right::Administer };
    differing.map(|name| change(right(name), format!("attribute changed: {name}"))).collect()
}

fn summary(part: &Part<'_>) -> String {
    let name = part.name;
    match (part.old.as_slice(), part.new.as_slice()) {
        ([], _) => format!("{name} added"),
        (_, []) => format!("{name} removed"),
        ([old], [new]) if matches!(name, "name" | "memory" | "currentMemory" | "vcpu") => {
            format!("{name} changed: {} to {}", old.text(), new.text())
        }
        _ => format!("{name} changed"),
    }
}

/// Devices, each on its own: the same ones cancel out in any order, then those that libvirt would
/// take for the same device are compared.
fn devices(part: &Part<'_>, form: Form) -> Vec<Change> {
    let children = |side: &[&Element]| side.iter().flat_map(|d| d.elements().cloned()).collect::<Vec<_>>();
    let (old, new) = without_equal(children(&part.old), children(&part.new));
    let strange = !part.old.iter().chain(&part.new).all(|devices| is_plain_list(devices));
    let what = "devices changed; they have parts that are not understood";
    let mut found = if strange { vec![change(Right::Administer, what.to_owned())] } else { Vec::new() };
    let mut waiting = Waiting::new();
    let mut removed = Vec::new();
    for device in old {
        match key(&device) {
            Some(key) => waiting.entry(key).or_default().push(device),
            None => removed.push(device),
        }
    }
    for device in new {
        match key(&device).and_then(|key| waiting.get_mut(&key)).and_then(Vec::pop) {
            Some(before) => found.extend(changed(&before, &device, form)),
            None => found.extend(added(&device, form)),
        }
    }
    removed.extend(waiting.into_values().flatten());
    found.extend(removed.iter().flat_map(|device| one("removed", device)));
    found
}

/// Devices that are no longer as they were, by kind and by what libvirt finds them by.
type Waiting = BTreeMap<(String, String), Vec<Element>>;

fn key(device: &Element) -> Option<(String, String)> {
    device::identity(device).map(|identity| (device.name.clone(), identity))
}

/// What was plugged into a VM that ran was a medium, if it was nothing else; in a saved state it still is.
fn added(device: &Element, form: Form) -> Vec<Change> {
    match (form, media::plugged(device)) {
        (Form::Running, Some(medium)) => medium_changes(medium, device),
        (Form::Running, None) | (Form::Stored, _) => one("added", device),
    }
}

fn one(word: &str, device: &Element) -> Vec<Change> {
    explain(&device::needs(device), &format!("{word}: {}", describe(device)))
}

fn is_plain_list(devices: &Element) -> bool {
    devices.attributes.is_empty() && devices.children.iter().all(|node| matches!(node, Node::Element(_)))
}

fn without_equal(old: Vec<Element>, new: Vec<Element>) -> (Vec<Element>, Vec<Element>) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for device in &new {
        *count.entry(device.to_string()).or_default() += 1;
    }
    let mut common: BTreeMap<String, usize> = BTreeMap::new();
    let old = old.into_iter().filter(|device| !take(&mut count, &mut common, device.to_string())).collect();
    let mut none = BTreeMap::new();
    let new = new.into_iter().filter(|device| !take(&mut common, &mut none, device.to_string())).collect();
    (old, new)
}

/// Moves one of what `from` counts to `to`; whether there was one.
fn take(from: &mut BTreeMap<String, usize>, to: &mut BTreeMap<String, usize>, key: String) -> bool {
    let Some(left) = from.get_mut(&key).filter(|left| **left > 0) else { return false };
    *left -= 1;
    *to.entry(key).or_default() += 1;
    true
}

fn changed(old: &Element, new: &Element, form: Form) -> Vec<Change> {
    if form == Form::Running && expansion::of_disk(old, new) {
        return Vec::new();
    }
    if let Some(medium) = media::change(old, new) {
        return medium_changes(medium, new);
    }
    let (before, after) = (describe(old), describe(new));
    let summary =
        if before == after { format!("changed: {before}") } else { format!("changed: {before} to {after}") };
    explain(&device::needs(old).with(device::needs(new)), &summary)
}

/// A medium is for whoever may connect media, once it has been judged. What is more than a medium needs
/// what it would need in a disk too.
pub(super) fn medium_changes(medium: Medium, device: &Element) -> Vec<Change> {
    let summary = summary_of(&medium, device);
    let more = match medium.source {
        Source::Other(_) => explain(&device::needs(device), &summary),
        Source::Empty | Source::File { .. } | Source::Block { .. } | Source::Usb(_) => Vec::new(),
    };
    let right = Right::Function(Function::ConnectRemovable);
    std::iter::once(Change { right, summary, medium: Some(medium) }).chain(more).collect()
}

fn summary_of(medium: &Medium, device: &Element) -> String {
    let target = &medium.target;
    match (medium.way, &medium.source) {
        (Way::Connect, _) => format!("medium connected: {}", describe(device)),
        (Way::Disconnect, _) => format!("medium disconnected: {}", describe(device)),
        (Way::Eject, _) | (Way::Insert, Source::Empty) => format!("medium ejected: `{target}`"),
        (Way::Insert, Source::File { path, .. } | Source::Block { path, .. }) => {
            format!("medium inserted: `{target}`: `{path}`")
        }
        (Way::Insert, Source::Usb(usb)) => format!("medium inserted: `{target}`: {usb}"),
        (Way::Insert, Source::Other(what)) => format!("medium inserted: `{target}`: {what}"),
    }
}

pub(super) fn change(right: Right, summary: String) -> Change {
    Change { right, summary, medium: None }
}

/// One change for each right; the reason stands where the right does not follow from the summary.
pub(super) fn explain(needs: &Needs, summary: &str) -> Vec<Change> {
    let one = |(right, why): (Right, &str)| match why {
        "" => change(right, summary.to_owned()),
        why => change(right, format!("{summary}; {why}")),
    };
    needs.iter().map(one).collect()
}

const LONGEST_SUMMARY: usize = 200;
const MOST_CHANGES: usize = 100;

/// Each change once, and none longer than a line. Of very many, only those with a right that no
/// other has are kept after the first; a medium always is, because each must be judged.
pub(super) fn tidy(changes: Vec<Change>) -> Vec<Change> {
    let (mut seen, mut rights) = (BTreeSet::new(), BTreeSet::new());
    let lines = changes.into_iter().map(|c| Change { summary: line(&c.summary), ..c });
    lines
        .filter(|c| {
            let new_right = rights.insert(c.right);
            let new = seen.insert((c.right, c.summary.clone()));
            c.medium.is_some() || new_right || (new && seen.len() <= MOST_CHANGES)
        })
        .collect()
}

fn line(text: &str) -> String {
    text.chars().take(LONGEST_SUMMARY).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
