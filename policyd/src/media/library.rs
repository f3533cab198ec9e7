// SPDX-License-Identifier: Apache-2.0
//! The media library as libvirt's clients know one: a storage pool for each of its directories.
//!
//! virt-manager takes a medium from a pool, and makes the pool itself where there is none, which a User may not. So
//! policyd makes it when libvirtd comes up. It is transient: nothing of it is written under /etc, and `virtwarden
//! disable` ends it.

use std::path::Path;

use virtwarden_core::media::library::pool;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::xml::element::Element;

use crate::gate::judge::media::is_safe_directory;
use crate::gate::upstream::{Access, Place, Upstream, UpstreamError};
use crate::monitor::Monitor;

const STORAGE_POOL_CREATE_XML: u32 = 76;
const STORAGE_POOL_LOOKUP_BY_TARGET_PATH: u32 = 391;

/// Makes a pool of each directory of the library that is there and is none yet.
pub fn show(place: &Place, monitor: &Monitor) {
    let policy = monitor.policy();
    for (number, directory) in policy.policy.media().iter().enumerate() {
        if !is_safe_directory(directory) {
            continue;
        }
        match make(place, &pool(number), directory) {
            Ok(Made::Now) => monitor.ledger().note(made(&pool(number), directory)),
            Ok(Made::Before) => {}
            Err(error) => eprintln!(
                "virtwarden-policyd: cannot show `{}` to clients of libvirt: {error}",
                directory.display()
            ),
        }
    }
}

/// Since when there is a pool.
enum Made {
    Now,
    Before,
}

fn make(place: &Place, name: &str, directory: &Path) -> Result<Made, UpstreamError> {
    let Some(path) = directory.to_str() else {
        return Err(UpstreamError::Nonsense("a path that is no text"));
    };
    let mut link = Upstream::open_for_itself(place, Access::Full)?;
    let mut arguments = Writer::with_capacity(64);
    arguments.text(path);
    match link.call(STORAGE_POOL_LOOKUP_BY_TARGET_PATH, arguments) {
        Ok(_) => return Ok(Made::Before),
        Err(UpstreamError::Refused(_)) => {}
        Err(error) => return Err(error),
    }
    let mut arguments = Writer::with_capacity(256);
    arguments.text(&definition(name, path).to_string());
    arguments.u32(0);
    link.call(STORAGE_POOL_CREATE_XML, arguments).map(|_| Made::Now)
}

fn definition(name: &str, path: &str) -> Element {
    let target = Element::new("target").holding(Element::new("path").saying(path));
    let pool = Element::new("pool").with("type", "dir").holding(Element::new("name").saying(name));
    pool.holding(target)
}

fn made(name: &str, directory: &Path) -> Event {
    Event {
        origin: None,
        kind: Kind::Change,
        outcome: Outcome::Success,
        actor: None,
        operation: "media library".to_owned(),
        functions: Vec::new(),
        targets: vec![Target { kind: "pool".to_owned(), name: Some(name.to_owned()), ..Target::default() }],
        detail: format!("the media in `{}` are in storage pool `{name}`", directory.display()),
        of: None,
        count: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_a_directory_as_it_stands() {
        assert_eq!(
            definition("virtwarden-media", "/srv/a&b").to_string().replace('"', "'"),
            "<pool type='dir'><name>virtwarden-media</name><target><path>/srv/a&amp;b</path></target></pool>"
        );
    }
}
