// SPDX-License-Identifier: Apache-2.0
//! What the files of a setting were like before the first write: on disk before each write, so that
//! they can be given back byte for byte whenever and however the writing ended.

use std::fs::File;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use serde::{Deserialize, Serialize};
use virtwarden_core::setting::SettingName;

use crate::file::{self, Content};
use crate::host::Host;

/// Where journals are. The directory above is sticky, so that only root can replace this one.
const DIRECTORY: &str = "/var/lib/virtwarden/settings-journal";
/// The format that this build writes and reads.
const FORMAT: u32 = 1;

/// One file before we wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The file.
    pub(crate) path: String,
    /// What it was; none if there was none.
    pub(crate) before: Option<Content>,
    /// Directories that were not there, innermost first.
    pub(crate) made: Vec<String>,
}

/// The journal of one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    format: u32,
    pub(crate) entries: Vec<Entry>,
}

impl Journal {
    /// One that knows of nothing.
    pub(crate) fn empty() -> Self {
        Self { format: FORMAT, entries: Vec::new() }
    }

    /// What it knows and an earlier one did not.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let news = self.entries.iter().filter(|entry| earlier.entry(&entry.path).is_none());
        Self { format: FORMAT, entries: news.cloned().collect() }
    }

    /// Reads it; an empty one if nothing was written for the setting.
    ///
    /// # Errors
    /// It is not root's, cannot be understood, or names a file that is not one of the setting's.
    pub(crate) fn load(host: &Host, name: SettingName, files: &[&str]) -> Result<Self, String> {
        let Some(journal) = read(host, name)? else { return Ok(Self::empty()) };
        match journal.entries.iter().find(|entry| !files.contains(&entry.path.as_str())) {
            Some(entry) => {
                Err(format!("`{}` names `{}`, which is no file of {name}", path(name), entry.path))
            }
            None => Ok(journal),
        }
    }

    /// What all other settings wrote: some of it may be ours as well, and is given back by the last.
    ///
    /// # Errors
    /// A journal cannot be understood.
    pub(crate) fn of_others(host: &Host, name: SettingName) -> Result<Self, String> {
        let mut others = Self::empty();
        for other in SettingName::ALL.into_iter().filter(|other| *other != name) {
            if let Some(journal) = read(host, other)? {
                others.entries.extend(journal.entries);
            }
        }
        Ok(others)
    }

    /// Puts it on disk; an empty one is removed.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) fn save(&self, host: &Host, name: SettingName) -> Result<(), String> {
        if self.entries.is_empty() {
            return file::remove(host, &path(name));
        }
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        file::replace(host, &path(name), &host.content(&text, 0o600))
    }

    /// Takes a file in as it is now, unless it is known already, here or to others, what it was before.
    pub(crate) fn remember(&mut self, host: &Host, others: &Self, path: &str, now: Option<&Content>) {
        if self.entry(path).is_some() {
            return;
        }
        self.entries.push(others.entry(path).cloned().unwrap_or_else(|| {
            let theirs = others.entries.iter().flat_map(|entry| &entry.made);
            let above = theirs.filter(|directory| path.starts_with(&format!("{directory}/"))).cloned();
            let made = file::missing(host, path).into_iter().chain(above).collect();
            Entry { path: path.to_owned(), before: now.cloned(), made }
        }));
    }

    /// What is known of a file.
    pub(crate) fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

fn read(host: &Host, name: SettingName) -> Result<Option<Journal>, String> {
    let path = path(name);
    let Some(text) = host.text(&path)? else { return Ok(None) };
    let journal: Journal = serde_json::from_str(&text).map_err(|error| format!("`{path}`: {error}"))?;
    if journal.format == FORMAT {
        Ok(Some(journal))
    } else {
        Err(format!("`{path}`: format {} is not known to this version", journal.format))
    }
}

fn path(name: SettingName) -> String {
    format!("{DIRECTORY}/{name}.json")
}

/// Held while an order is carried out, by the daemon or by root's own hand: one at a time.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "open as long as the turn lasts")] File);

impl Turn {
    /// Waits for it. Each order ends, so waiting does.
    ///
    /// # Errors
    /// The directory of the journals cannot be made or is not root's.
    pub(crate) fn take(host: &Host) -> Result<Self, String> {
        let path = format!("{DIRECTORY}/turn");
        if file::read(host, &path)?.is_none() {
            file::replace(host, &path, &host.content("", 0o600))?;
        }
        let place = host.place(&path);
        let opened = open(&place, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        let opened = opened.map_err(|error| format!("cannot open `{path}`: {error}"))?;
        flock(&opened, FlockOperation::LockExclusive)
            .map_err(|error| format!("cannot lock `{path}`: {error}"))?;
        Ok(Self(opened.into()))
    }
}
