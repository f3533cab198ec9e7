// SPDX-License-Identifier: Apache-2.0
//! What a disk is made of: its own file or device, what that builds upon, and copies of it.

use crate::policy::channel::Channel;
use crate::xml::device::describe;
use crate::xml::element::Element;

use super::{Access, Chain, Medium, Reach, Use};

pub(super) fn uses(disk: &Element) -> Vec<Use> {
    let reads = disk.child("readonly").is_some() || disk.attribute("device") == Some("cdrom");
    let access = if reads { Access::Reads } else { Access::Writes };
    let mut found = parts(disk, describe(disk), access);
    if disk.child("shareable").is_some() {
        let what = format!("a disk that is marked as shareable: {}", describe(disk));
        found.push(Use { reach: Reach::Outside, medium: None, access, ..Use::outside(Channel::Disk, what) });
    }
    found
}

/// What a disk, a file of its chain or a copy is made of. What is built upon is only read.
pub(super) fn parts(holder: &Element, what: String, access: Access) -> Vec<Use> {
    let mut found: Vec<Use> = holder
        .all("source")
        .filter_map(|source| {
            let usage = Use::own(Channel::Disk, what.clone(), medium(source)?).built(chain(holder));
            Some(Use { access, ..directory(source, usage) })
        })
        .collect();
    let below = |name: &'static str, access| (name, access);
    let inner =
        [below("backingStore", Access::Reads), below("mirror", Access::Writes), below("dataStore", access)];
    for (name, access) in inner {
        let within = holder.all("source").flat_map(|source| source.all(name));
        for part in holder.all(name).chain(within) {
            let place = part.child("source").and_then(medium).map(|medium| medium.to_string());
            let what = place.map_or_else(|| what.clone(), |place| format!("{what}, by way of `{place}`"));
            found.extend(parts(part, what, access));
        }
    }
    found
}

/// Only `raw` has nothing below it.
fn chain(holder: &Element) -> Chain {
    let format = ["driver", "format"].iter().find_map(|name| holder.child(name)?.attribute("type"));
    match (format, holder.child("backingStore")) {
        (Some("raw"), _) | (_, Some(_)) => Chain::Told,
        (Some(_) | None, None) => Chain::Untold,
    }
}

/// A directory of the host that is shown as a disk.
fn directory(source: &Element, usage: Use) -> Use {
    match source.attribute("dir") {
        Some(_) => Use { channel: Channel::SharedFolder, reach: Reach::Outside, ..usage },
        None => usage,
    }
}

pub(super) fn medium(source: &Element) -> Option<Medium> {
    let attribute = |name| source.attribute(name).map(str::to_owned);
    let path = ["file", "dev", "dir", "path"].iter().find_map(|name| attribute(name));
    match (attribute("pool"), attribute("volume"), path, attribute("protocol")) {
        (Some(pool), Some(name), _, _) => Some(Medium::Volume { pool, name }),
        (_, _, Some(path), _) => Some(Medium::Path(path)),
        (_, _, None, Some(protocol)) => {
            Some(Medium::Name(format!("{protocol} {}", attribute("name").unwrap_or_default())))
        }
        (_, _, None, None) => {
            let empty = source.attributes.iter().all(|a| a.name == "startupPolicy" || a.name == "index");
            (!empty || source.elements().next().is_some()).then(|| Medium::Name(source.to_string()))
        }
    }
}
