// SPDX-License-Identifier: Apache-2.0
//! Which names libvirt's XML has, and which elements may stand more than once.
//!
//! Two uses: where libvirt takes the first of two elements, a second one is refused; and what is
//! not in the vocabulary is not understood, so changing it needs the most demanding right.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::element::Element;

static ELEMENTS: LazyLock<BTreeMap<&str, Entry>> = LazyLock::new(|| {
    let lines = include_str!("vocabulary.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(Entry::read).collect()
});

struct Entry {
    attributes: Vec<&'static str>,
    once: Vec<&'static str>,
    repeated: Vec<&'static str>,
}

impl Entry {
    fn read(line: &'static str) -> Option<(&'static str, Self)> {
        let mut columns = line.split('|').map(|column| column.split_whitespace());
        let name = columns.next()?.next()?;
        let mut column = || columns.next().map(Iterator::collect);
        Some((name, Self { attributes: column()?, once: column()?, repeated: column()? }))
    }
}

/// Whether libvirt looks at only one such child. A child that is not known may repeat: it is not
/// understood anyway.
pub fn single(parent: &str, child: &str) -> bool {
    ELEMENTS.get(parent).is_some_and(|e| e.once.contains(&child) && !e.repeated.contains(&child))
}

/// The first name at or below an element that the vocabulary does not have: `disk/turbo`,
/// `disk@turbo`. Metadata may hold everything.
pub fn unknown(element: &Element) -> Option<String> {
    let name = element.name.as_str();
    if element.is("metadata") {
        return None;
    }
    let Some(entry) = ELEMENTS.get(name).filter(|_| element.namespace.is_none()) else {
        return Some(name.to_owned());
    };
    let strange = element.attributes.iter().find(|a| !entry.attributes.contains(&a.name.as_str()));
    if let Some(attribute) = strange {
        return Some(format!("{name}@{}", attribute.name));
    }
    element.elements().find_map(|child| {
        let known = child.namespace.is_none()
            && (entry.once.contains(&child.name.as_str()) || entry.repeated.contains(&child.name.as_str()));
        if known { unknown(child) } else { Some(format!("{name}/{}", child.name)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_whole() {
        let lines = include_str!("vocabulary.txt").lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(ELEMENTS.len(), lines);
        assert!(lines > 500);
    }

    #[test]
    fn elements_where_libvirt_takes_the_first_are_single() {
        for (parent, child) in [
            ("domain", "name"),
            ("domain", "uuid"),
            ("domain", "devices"),
            ("domain", "os"),
            ("disk", "source"),
            ("disk", "target"),
            ("disk", "driver"),
            ("interface", "source"),
            ("interface", "mac"),
            ("hostdev", "source"),
            ("devices", "emulator"),
            ("os", "loader"),
            ("rng", "backend"),
            ("source", "address"),
            ("network", "forward"),
            ("network", "bridge"),
            ("pool", "target"),
            ("volume", "backingStore"),
            ("domainsnapshot", "domain"),
            ("domainsnapshot", "inactiveDomain"),
        ] {
            assert!(single(parent, child), "{parent}/{child}");
        }
    }

    #[test]
    fn elements_that_libvirt_itself_writes_several_times_may_repeat() {
        for (parent, child) in [
            ("devices", "disk"),
            ("devices", "controller"),
            ("devices", "audio"),
            ("domain", "seclabel"),
            ("graphics", "listen"),
            ("os", "boot"),
            ("clock", "timer"),
            ("cpu", "feature"),
            ("channel", "source"),
        ] {
            assert!(!single(parent, child), "{parent}/{child}");
        }
    }
}
