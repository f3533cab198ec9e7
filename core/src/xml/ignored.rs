// SPDX-License-Identifier: Apache-2.0
//! What libvirt itself writes into the definition of a VM while it runs.
//!
//! The one list of what does not count when a running VM's definition is compared with a stored
//! one, each with the reason why leaving it out gives nobody anything. It is only for definitions
//! that libvirt wrote; one that a client sent is compared in full.

use std::sync::LazyLock;

use super::device::is_drive;
use super::device::is_loopback;
use super::element::Element;
use super::paths::is_made_up;

/// One entry of the list.
#[derive(Clone, Copy)]
pub struct Ignored {
    /// Where: `domain/devices/*/alias` for an element, `domain@id` for an attribute. `*` is any one
    /// element, `**` any number of them.
    pub what: &'static str,
    /// Why it gives nobody anything.
    pub reason: &'static str,
    pub(super) when: fn(&At<'_>) -> bool,
}

/// The place that an entry looks at.
pub(super) struct At<'a> {
    /// What the element is in.
    pub(super) parent: Option<&'a Element>,
    /// The element, or the one that has the attribute.
    pub(super) element: &'a Element,
    /// The attribute's value; empty for elements.
    pub(super) value: &'a str,
}

const fn always(_: &At<'_>) -> bool {
    true
}

/// The list. Children are looked at before what they are in.
pub const IGNORED: &[Ignored] = &[
    Ignored { what: "domain@id", reason: "a number for this run", when: always },
    Ignored {
        what: "domain/currentMemory",
        reason: "the balloon's size at the moment; the maximum is compared",
        when: |at| at.parent.is_some_and(|domain| is_at_most(at.element, domain.child("memory"))),
    },
    Ignored {
        what: "domain/resource",
        reason: "libvirt's own default, written out",
        when: |at| *at.element == *DEFAULT_PARTITION,
    },
    Ignored {
        what: "domain/seclabel",
        reason: "the label that libvirt made up for this run",
        when: |at| {
            at.element.attribute("type") == Some("dynamic")
                && at.element.attribute("relabel") == Some("yes")
                && at.element.child("baselabel").is_none()
        },
    },
    Ignored {
        what: "domain/devices/*/alias",
        reason: "a name for this run; those that somebody chose begin with `ua-`",
        when: |at| at.element.attribute("name").is_some_and(|name| !name.starts_with("ua-")),
    },
    Ignored { what: "domain/devices/disk/**/source@index", reason: "a number for this run", when: is_number },
    Ignored {
        what: "domain/devices/disk/**/backingStore@index",
        reason: "a number for this run",
        when: is_number,
    },
    Ignored {
        what: "domain/devices/disk/backingStore",
        reason: "says that the file, whose name is compared, has no backing file",
        when: |at| is_empty(at.element),
    },
    Ignored {
        what: "domain/devices/disk/driver@type",
        reason: "an empty drive has no format",
        when: |at| at.parent.is_some_and(|disk| is_drive(disk) && disk.child("source").is_none()),
    },
    Ignored {
        what: "domain/devices/disk/target@tray",
        reason: "the guest opens and closes the tray of its drive itself",
        when: |at| at.parent.is_some_and(is_drive),
    },
    Ignored {
        what: "domain/devices/interface/source@portid",
        reason: "a number for this run; the network's name is compared",
        when: |at| at.element.attribute("network").is_some(),
    },
    Ignored {
        what: "domain/devices/interface/source@bridge",
        reason: "follows from the network, whose name is compared",
        when: |at| at.element.attribute("network").is_some(),
    },
    Ignored {
        what: "domain/devices/interface/target@dev",
        reason: "the host's end, named for this run; libvirt does not take such a name from a client either",
        when: |at| ["vnet", "vif", "macvtap", "macvlan"].iter().any(|prefix| is_numbered(at.value, prefix)),
    },
    Ignored {
        what: "domain/devices/interface/target",
        reason: "nothing is left in it",
        when: |at| is_empty(at.element),
    },
    Ignored {
        what: "domain/devices/console@tty",
        reason: "the terminal that libvirt made for this run",
        when: |at| at.element.attribute("type") == Some("pty") && is_made_up(at.value),
    },
    Ignored { what: "domain/devices/serial/source", reason: MADE_UP, when: is_made_up_source },
    Ignored { what: "domain/devices/parallel/source", reason: MADE_UP, when: is_made_up_source },
    Ignored { what: "domain/devices/console/source", reason: MADE_UP, when: is_made_up_source },
    Ignored { what: "domain/devices/channel/source", reason: MADE_UP, when: is_made_up_source },
    Ignored {
        what: "domain/devices/channel/target@state",
        reason: "whether the guest listens now",
        when: always,
    },
    Ignored { what: "domain/devices/graphics@port", reason: AUTOPORT, when: is_autoport },
    Ignored { what: "domain/devices/graphics@tlsPort", reason: AUTOPORT, when: is_autoport },
    Ignored {
        what: "domain/devices/graphics@listen",
        reason: "repeats the listen element, and only this host can connect",
        when: |at| is_loopback(at.value),
    },
    Ignored {
        what: "domain/devices/graphics/listen@address",
        reason: "the default address, and only this host can connect",
        when: |at| at.element.attribute("type") == Some("address") && is_loopback(at.value),
    },
    Ignored {
        what: "domain/devices/vsock/cid@address",
        reason: "libvirt chooses it for this run",
        when: |at| at.element.attribute("auto") == Some("yes"),
    },
    Ignored { what: "domain/devices/graphics@socket", reason: MADE_UP, when: |at| is_made_up(at.value) },
    Ignored {
        what: "domain/devices/graphics/listen@socket",
        reason: MADE_UP,
        when: |at| is_made_up(at.value),
    },
];

const MADE_UP: &str = "the terminal or socket that libvirt made for this run";
const AUTOPORT: &str = "libvirt chooses it for each run";

static DEFAULT_PARTITION: LazyLock<Element> =
    LazyLock::new(|| Element::new("resource").holding(Element::new("partition").saying("/machine")));

fn is_empty(element: &Element) -> bool {
    element.attributes.is_empty() && element.children.is_empty()
}

fn is_number(at: &At<'_>) -> bool {
    is_numbered(at.value, "")
}

fn is_numbered(value: &str, prefix: &str) -> bool {
    let rest = value.strip_prefix(prefix);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
}

fn is_autoport(at: &At<'_>) -> bool {
    at.element.attribute("autoport") == Some("yes")
}

/// A host end that is libvirt's choice: there is no other attribute than its path and the mode that
/// goes with it.
fn is_made_up_source(at: &At<'_>) -> bool {
    let known = |name: &str, value: &str| {
        (name == "mode" && value == "bind") || (name == "path" && is_made_up(value))
    };
    at.element.children.is_empty() && at.element.attributes.iter().all(|a| known(&a.name, &a.value))
}

fn is_at_most(current: &Element, maximum: Option<&Element>) -> bool {
    let size = |element: &Element| match element.attribute("unit") {
        Some("KiB") | None => element.text().trim().parse::<u64>().ok(),
        Some(_) => None,
    };
    let limit = maximum.and_then(size);
    size(current).zip(limit).is_some_and(|(current, limit)| current <= limit)
}

/// An entry with its place taken apart.
pub(super) struct Rule {
    steps: Vec<&'static str>,
    attribute: Option<&'static str>,
    pub(super) when: fn(&At<'_>) -> bool,
}

/// The list, ready to be applied.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| IGNORED.iter().map(Rule::new).collect());

impl Rule {
    fn new(entry: &Ignored) -> Self {
        let (elements, attribute) =
            entry.what.split_once('@').map_or((entry.what, None), |(e, a)| (e, Some(a)));
        Self { steps: elements.split('/').collect(), attribute, when: entry.when }
    }

    /// Whether it is for a place: the names of the elements down to it, outermost first, and the
    /// attribute.
    pub(super) fn matches(&self, path: &[String], attribute: Option<&str>) -> bool {
        let last = self.steps.last().copied() == path.last().map(String::as_str);
        last && self.attribute == attribute && steps(&self.steps, path)
    }
}

fn steps(pattern: &[&str], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), None) => steps(rest, path),
        (Some((&"**", rest)), Some((_, deeper))) => steps(rest, path) || steps(pattern, deeper),
        (Some((wanted, rest)), Some((name, deeper))) => {
            (*wanted == "*" || wanted == name) && steps(rest, deeper)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_match_whole() {
        let table = [
            ("domain@id", &["domain"][..], Some("id"), true),
            ("domain@id", &["domain"], None, false),
            ("domain/devices/*/alias", &["domain", "devices", "disk", "alias"], None, true),
            ("domain/devices/*/alias", &["domain", "devices", "alias"], None, false),
            ("domain/devices/*/alias", &["domain", "devices", "disk", "source", "alias"], None, false),
            ("d/**/s@i", &["d", "s"], Some("i"), true),
            ("d/**/s@i", &["d", "b", "b", "s"], Some("i"), true),
            ("d/**/s@i", &["d", "b"], Some("i"), false),
        ];
        for (what, path, attribute, expected) in table {
            let rule = Rule::new(&Ignored { what, reason: "", when: always });
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(rule.matches(&path, attribute), expected, "{what} {path:?}");
        }
    }

    #[test]
    fn every_entry_has_a_reason() {
        assert!(IGNORED.iter().all(|entry| !entry.reason.is_empty() && entry.what.starts_with("domain")));
    }
}
