// SPDX-License-Identifier: Apache-2.0
//! dpkg's list of files whose owner and mode the host chose itself.

use serde::{Deserialize, Serialize};

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// One line of the list, without its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    owner: String,
    group: String,
    mode: u32,
}

impl Entry {
    pub(crate) fn new(owner: &str, group: &str, mode: u32) -> Self {
        Self { owner: owner.to_owned(), group: group.to_owned(), mode }
    }

    /// Reads `root kvm 0750 /usr/bin/x`; none if it is about another path.
    fn parse(line: &str, path: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let (owner, group, mode) = (words.next()?, words.next()?, words.next()?);
        (words.next()? == path).then_some(())?;
        Some(Self::new(owner, group, u32::from_str_radix(mode, 8).ok()?))
    }
}

/// What the list says of a path.
pub(crate) fn find(host: &Host<'_>, path: &str) -> Result<Option<Entry>, Trouble> {
    let listed = host.ask(1, "dpkg-statoverride", &["--list", path])?.unwrap_or_default();
    Ok(listed.lines().find_map(|line| Entry::parse(line, path)))
}

/// Lists a path and gives the file, if it is there, that owner and mode.
pub(crate) fn set(host: &Host<'_>, path: &str, entry: &Entry) -> Result<(), Trouble> {
    unset(host, path)?;
    let mode = format!("{:04o}", entry.mode);
    host.run("dpkg-statoverride", &["--update", "--add", &entry.owner, &entry.group, &mode, path]).map(drop)
}

/// Takes a path off the list; the file stays as it is.
pub(crate) fn unset(host: &Host<'_>, path: &str) -> Result<(), Trouble> {
    match find(host, path)? {
        Some(_) => host.run("dpkg-statoverride", &["--remove", path]).map(drop),
        None => Ok(()),
    }
}
