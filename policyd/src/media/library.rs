// SPDX-License-Identifier: Apache-2.0
//! The media library as libvirt's clients know one: a storage pool for each of its directories.
//!
//! virt-manager takes a medium from a pool, and makes the pool itself where there is none, which a User may not. So
//! policyd makes it when libvirtd comes up, and when the policy's library changes. It is transient: nothing of it is
//! written under /etc, and `virtwarden disable` ends it.

use std::path::{Path, PathBuf};

use virtwarden_core::media::library::pool;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::storage::PoolDefinition;

use crate::gate::judge::media::is_safe_directory;
use crate::gate::upstream::{Access, Place, Upstream, UpstreamError};
use crate::monitor::Monitor;

const STORAGE_POOL_CREATE_XML: u32 = 76;
const STORAGE_POOL_DESTROY: u32 = 80;
const STORAGE_POOL_LOOKUP_BY_NAME: u32 = 84;
const STORAGE_POOL_GET_XML_DESC: u32 = 88;
const STORAGE_POOL_LOOKUP_BY_TARGET_PATH: u32 = 391;
/// The longest definition of a pool that is read.
const LONGEST: u32 = 1 << 16;

/// Makes a pool of each directory that is there and is none yet, and ends those of directories that left the library.
pub fn show(place: &Place, monitor: &Monitor, library: &[PathBuf]) {
    if let Err(error) = follow(place, monitor, library) {
        eprintln!("virtwarden-policyd: cannot show the media library to clients of libvirt: {error}");
    }
}

fn follow(place: &Place, monitor: &Monitor, library: &[PathBuf]) -> Result<(), UpstreamError> {
    let mut link = Upstream::open_for_itself(place, Access::Full)?;
    let mut free = Vec::new();
    for number in 0.. {
        let name = pool(number);
        match present(&mut link, &name)? {
            None if number >= library.len() => break,
            None => free.push(name),
            Some((_, path)) if library.contains(&path) => {}
            Some((handle, path)) => {
                let mut arguments = Writer::with_capacity(64);
                arguments.raw(&handle);
                link.call(STORAGE_POOL_DESTROY, arguments)?;
                let gone = format!("`{}` is in the media library no more", path.display());
                monitor.ledger().note(event(&name, gone));
                free.push(name);
            }
        }
    }
    for (number, directory) in library.iter().enumerate() {
        if !is_safe_directory(directory) || is_shown(&mut link, directory)? {
            continue;
        }
        // The name of its place, unless one that had that place before is still shown under it.
        let at = free.iter().position(|name| *name == pool(number)).unwrap_or(0);
        let Some(name) = (at < free.len()).then(|| free.remove(at)) else { break };
        let mut arguments = Writer::with_capacity(256);
        arguments.text(&definition(&name, text(directory)?).to_string());
        arguments.u32(0);
        match link.call(STORAGE_POOL_CREATE_XML, arguments) {
            Ok(_) => {
                let there = format!("the media in `{}` are in storage pool `{name}`", directory.display());
                monitor.ledger().note(event(&name, there));
            }
            // One that cannot be shown, say because it is not there, hides no other.
            Err(UpstreamError::Refused(why)) => {
                eprintln!(
                    "virtwarden-policyd: cannot show `{}` to clients of libvirt: {why}",
                    directory.display()
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The handle of a pool of ours as libvirtd writes it, and the directory that it shows; none if there is no such pool.
fn present(link: &mut Upstream, name: &str) -> Result<Option<(Vec<u8>, PathBuf)>, UpstreamError> {
    let mut arguments = Writer::with_capacity(64);
    arguments.text(name);
    let Some(handle) = found(link.call(STORAGE_POOL_LOOKUP_BY_NAME, arguments))? else { return Ok(None) };
    let mut arguments = Writer::with_capacity(64);
    arguments.raw(&handle);
    arguments.u32(0);
    let answer = link.call(STORAGE_POOL_GET_XML_DESC, arguments)?;
    let nonsense = UpstreamError::Nonsense("the question what a pool shows");
    let told = Reader::new(&answer).text(LONGEST).ok().map(PoolDefinition::parse);
    let Some(Ok(told)) = told else { return Err(nonsense) };
    Ok(Some((handle, PathBuf::from(told.target().unwrap_or_default()))))
}

fn is_shown(link: &mut Upstream, directory: &Path) -> Result<bool, UpstreamError> {
    let mut arguments = Writer::with_capacity(64);
    arguments.text(text(directory)?);
    Ok(found(link.call(STORAGE_POOL_LOOKUP_BY_TARGET_PATH, arguments))?.is_some())
}

/// What is not there is no failure.
fn found(answer: Result<Vec<u8>, UpstreamError>) -> Result<Option<Vec<u8>>, UpstreamError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(UpstreamError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn text(directory: &Path) -> Result<&str, UpstreamError> {
    directory.to_str().ok_or(UpstreamError::Nonsense("a path that is no text"))
}

fn definition(name: &str, path: &str) -> Element {
    let target = Element::new("target").holding(Element::new("path").saying(path));
    let pool = Element::new("pool").with("type", "dir").holding(Element::new("name").saying(name));
    pool.holding(target)
}

fn event(name: &str, detail: String) -> Event {
    Event {
        origin: None,
        kind: Kind::Change,
        outcome: Outcome::Success,
        actor: None,
        operation: "media library".to_owned(),
        functions: Vec::new(),
        targets: vec![Target { kind: "pool".to_owned(), name: Some(name.to_owned()), ..Target::default() }],
        detail,
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
