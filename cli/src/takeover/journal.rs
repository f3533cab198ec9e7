// SPDX-License-Identifier: Apache-2.0
//! What the host was like before: written, and on disk, before each change.
//!
//! Giving back needs nothing but this file, so that an enable that was interrupted anywhere can be undone.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use crate::takeover::before::{self, Before};
use crate::takeover::change::Change;
use crate::takeover::host::Host;
use crate::takeover::place;
use crate::takeover::trouble::Trouble;

/// Where it is. The directory is sticky, so that only root can replace it.
pub(crate) const PATH: &str = "/var/lib/virtwarden/takeover.json";

/// How far the takeover has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Begun; anything may be half done.
    Enabling,
    /// Done and verified.
    Enabled,
    /// Giving back has begun.
    Disabling,
}

/// One change and what it replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) change: Change,
    pub(crate) before: Before,
    /// Directories that were not there, innermost first.
    pub(crate) made: Vec<String>,
}

impl Entry {
    /// Puts back what the change replaced. Can be done twice.
    ///
    /// # Errors
    /// When what is there now cannot be replaced, or the journal says what cannot have been.
    pub(crate) fn restore(&self, host: &Host<'_>) -> Result<(), Trouble> {
        before::restore(host, &self.change, &self.before, &self.made)
    }
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    version: u32,
    pub(crate) phase: Phase,
    /// Units of libvirt that were running.
    pub(crate) running: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

impl Journal {
    /// A new one: these units were running.
    pub(crate) fn begin(running: Vec<String>) -> Self {
        Self { version: 1, phase: Phase::Enabling, running, entries: Vec::new() }
    }

    /// Reads it; none if this host was not taken over.
    ///
    /// # Errors
    /// When it is not root's, or cannot be understood.
    pub(crate) fn load(host: &Host<'_>) -> Result<Option<Self>, Trouble> {
        let path = host.path(PATH);
        let Ok(metadata) = path.symlink_metadata() else { return Ok(None) };
        if !metadata.is_file() || metadata.uid() != host.owner()? || metadata.mode() & 0o022 != 0 {
            return Err(Trouble::Journal(format!("`{PATH}` is not a file that only root can write")));
        }
        let text = fs::read_to_string(&path).map_err(Trouble::io(format_args!("read `{PATH}`")))?;
        let journal: Self = serde_json::from_str(&text).map_err(|e| Trouble::Journal(e.to_string()))?;
        if journal.version == 1 {
            Ok(Some(journal))
        } else {
            Err(Trouble::Journal(format!("version {} is from another release", journal.version)))
        }
    }

    /// Puts it on disk.
    pub(crate) fn save(&self, host: &Host<'_>) -> Result<(), Trouble> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Trouble::Journal(e.to_string()))?;
        place::write(&host.path(PATH), &text, 0o600, None)
    }

    /// Notes a change that is about to be made. What an earlier run noted as its "before" stays.
    pub(crate) fn note(&mut self, host: &Host<'_>, change: &Change) -> Result<(), Trouble> {
        match self.entries.iter_mut().find(|entry| entry.change.same_place(change)) {
            Some(entry) => entry.change = change.clone(),
            None => self.entries.push(Entry {
                change: change.clone(),
                before: Before::look(host, change)?,
                made: missing_directories(host, change),
            }),
        }
        self.save(host)
    }

    /// Forgets the takeover: everything has been given back.
    pub(crate) fn remove(host: &Host<'_>) -> Result<(), Trouble> {
        let path = host.path(PATH);
        place::sweep(&path)?;
        place::remove(&path)?;
        place::sync_parent(&path)
    }
}

fn missing_directories(host: &Host<'_>, change: &Change) -> Vec<String> {
    let (Change::File { path, .. } | Change::Link { path, .. }) = change else { return Vec::new() };
    let place = host.path(path);
    let missing = place.ancestors().skip(1).take_while(|directory| !directory.exists());
    missing.map(|directory| host.name(directory)).collect()
}
