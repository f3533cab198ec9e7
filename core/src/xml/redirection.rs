// SPDX-License-Identifier: Apache-2.0
//! USB redirection over SPICE: which devices of whoever looks at the screen may get into the VM (row 10).
//!
//! They are plugged in far away, where nobody can see who had them; so only what the policy grants to the VM
//! outright gets in, by a filter that libvirt hands to the emulator. What a filter cannot tell apart is left out.

use std::fmt;

use crate::media::{Access, Choice, Class, Granted, Kind, Party, Pattern, Rule, Rules};

use super::element::Element;
use super::reference::number;

const STORAGE: u16 = 0x08;
const HUB: u16 = 0x09;
const HUMAN_INTERFACE: u16 = 0x03;

/// One line of a filter; of several that fit, the first counts. What is left out fits everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    class: Option<u16>,
    vendor: Option<u16>,
    product: Option<u16>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allow,
    Deny,
    /// It cannot be read, or says more than we write.
    Other,
}

/// The devices that may be redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<Line>);

/// What a definition says of redirection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Redirection {
    /// Nothing can be redirected.
    #[default]
    None,
    /// Something can, and this is the filter; none means everything.
    Possible(Option<Filter>),
}

impl Redirection {
    /// Takes it from a `<domain>`.
    pub(super) fn of(domain: &Element) -> Self {
        let devices: Vec<&Element> = domain.all("devices").flat_map(Element::elements).collect();
        if !devices.iter().any(|device| device.is("redirdev")) {
            return Redirection::None;
        }
        let mut filters = devices.iter().filter(|device| device.is("redirfilter"));
        let first = filters.next().map(|filter| Filter(filter.elements().map(read).collect()));
        // Of two nobody knows which one counts.
        Redirection::Possible(first.filter(|_| filters.next().is_none()))
    }
}

impl Filter {
    /// What the policy lets into a VM of this party.
    pub fn of(rules: &Rules, party: &Party) -> Self {
        let (always, others): (Vec<&Class>, Vec<&Class>) =
            rules.classes.values().partition(|class| class.rule.is_none());
        let mut lines = Vec::new();
        for class in always.into_iter().chain(others) {
            for pattern in &class.patterns {
                match line(pattern, class.rule.as_ref(), party) {
                    Told::Line(line) => lines.push(line),
                    Told::Nothing => {}
                    Told::Unspeakable => return Self(vec![rest(Verdict::Deny)]),
                }
            }
        }
        let kind = |kind| rules.kinds.get(&kind).map_or(Verdict::Deny, |rule| verdict(rule, party));
        let of_class = |class, verdict| Line { class: Some(class), vendor: None, product: None, verdict };
        lines.push(of_class(HUB, Verdict::Deny));
        lines.push(of_class(HUMAN_INTERFACE, Verdict::Deny));
        lines.push(of_class(STORAGE, kind(Kind::UsbStorage)));
        lines.push(rest(kind(Kind::Usb)));
        Self(lines)
    }

    /// As libvirt has it.
    pub fn element(&self) -> Element {
        self.0.iter().fold(Element::new("redirfilter"), |filter, line| filter.holding(line.element()))
    }

    /// The definition with this filter in place of any other, if it can redirect at all.
    #[must_use]
    pub fn put_into(&self, domain: &Element) -> Element {
        let mut domain = domain.clone();
        if Redirection::of(&domain) == Redirection::None {
            return domain;
        }
        for devices in domain.children.iter_mut().filter_map(|node| match node {
            super::element::Node::Element(element) if element.is("devices") => Some(element),
            super::element::Node::Element(_) | super::element::Node::Text(_) => None,
        }) {
            *devices = devices.clone().with_child(self.element());
        }
        domain
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.element().fmt(f)
    }
}

impl Line {
    fn element(&self) -> Element {
        let numbers = [("class", self.class, 2), ("vendor", self.vendor, 4), ("product", self.product, 4)];
        let device =
            numbers.into_iter().fold(Element::new("usbdev"), |device, (name, number, digits)| match number {
                Some(number) => device.with(name, &format!("0x{number:0digits$x}")),
                None => device,
            });
        device.with("allow", if self.verdict == Verdict::Allow { "yes" } else { "no" })
    }
}

fn read(device: &Element) -> Line {
    let known = |name: &str| matches!(name, "class" | "vendor" | "product" | "allow");
    let any = |name| device.attribute(name).is_none_or(|value| value == "-1");
    let value = |name| if any(name) { Some(None) } else { device.attribute(name).and_then(number).map(Some) };
    let plain = device.is("usbdev")
        && device.children.is_empty()
        && any("version")
        && device.attributes.iter().all(|a| known(&a.name) || a.name == "version");
    let other = Line { class: None, vendor: None, product: None, verdict: Verdict::Other };
    let verdict = match device.attribute("allow") {
        Some("yes") => Verdict::Allow,
        Some("no") => Verdict::Deny,
        _ => Verdict::Other,
    };
    match (value("class"), value("vendor"), value("product")) {
        (Some(class), Some(vendor), Some(product)) if plain => Line { class, vendor, product, verdict },
        _ => other,
    }
}

const fn rest(verdict: Verdict) -> Line {
    Line { class: None, vendor: None, product: None, verdict }
}

/// Only what is granted outright: what must be ejected first or confirmed, nobody could tell far away.
fn verdict(rule: &Rule, party: &Party) -> Verdict {
    let granted = match (&rule.granted, party) {
        (Granted::AllVms, Party::InformationDomain(_) | Party::Vm(_)) => true,
        (Granted::Listed(names), Party::InformationDomain(name)) => names.contains(name),
        (Granted::AllVms, Party::Host) | (Granted::Listed(_), Party::Vm(_) | Party::Host) => false,
    };
    match (rule.choice, rule.access) {
        (Choice::Grant, Access::ReadWrite) if granted => Verdict::Allow,
        (Choice::Grant | Choice::EjectFirst | Choice::AskUser | Choice::Deny, _) => Verdict::Deny,
    }
}

enum Told {
    Line(Line),
    /// It is not about USB devices, or grants what a filter cannot tell apart.
    Nothing,
    /// It denies what a filter cannot tell apart.
    Unspeakable,
}

fn line(pattern: &Pattern, rule: Option<&Rule>, party: &Party) -> Told {
    let verdict = rule.map_or(Verdict::Deny, |rule| verdict(rule, party));
    let elsewhere = matches!(pattern.kind, Some(Kind::Optical | Kind::SdCard | Kind::Image));
    if elsewhere || pattern.path.is_some() {
        return Told::Nothing;
    }
    let exact = pattern.serial.is_none() && pattern.port.is_none();
    let class = match pattern.kind {
        Some(Kind::UsbStorage) => Some(STORAGE),
        Some(Kind::Usb | Kind::Optical | Kind::SdCard | Kind::Image) | None => None,
    };
    // What is denied by more than a filter can tell is denied by less: to more devices.
    match (verdict, pattern.vendor.is_some() || class.is_some()) {
        (Verdict::Allow, _) if !exact => Told::Nothing,
        (Verdict::Deny | Verdict::Other, false) if pattern.product.is_none() => Told::Unspeakable,
        _ => Told::Line(Line { class, vendor: pattern.vendor, product: pattern.product, verdict }),
    }
}

#[cfg(test)]
mod tests;
