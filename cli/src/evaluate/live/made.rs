// SPDX-License-Identifier: Apache-2.0
//! What the evaluation has put on the host, noted on disk before it is there, so that it can be taken back: by this run at
//! its end, however it ends, or by a later one if this one is killed.

mod undo;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtwarden_core::control::SettingRow;

use crate::exit::Failed;

/// Below it each run has a directory of its own.
pub(super) const HOME: &str = "/var/lib/virtwarden-evaluate";
/// What every name of ours begins with: nothing else is ever removed.
pub(super) const PREFIX: &str = "vweval-";

/// One thing that was put there, or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Thing {
    /// An account, its processes, its failures.
    Account(String),
    /// An account's role.
    Role {
        /// The role.
        role: String,
        /// The account.
        account: String,
    },
    /// A unit that systemd runs for us.
    Unit(String),
    /// A VM with all that libvirt keeps of it.
    Vm(String),
    /// A network.
    Network(String),
    /// A file.
    File(PathBuf),
    /// A directory and what is in it.
    Directory(PathBuf),
    /// A file of the policy.
    PolicyFile(PathBuf),
    /// A package.
    Package(String),
    /// A setting, as it was before.
    Setting(Box<SettingRow>),
}

/// What one run has made.
pub(super) struct Made {
    directory: PathBuf,
    socket: PathBuf,
    things: Vec<Thing>,
}

impl Made {
    /// A run of this name begins; its directory is its first thing.
    pub(super) fn begin(name: &str, socket: &Path) -> Result<Self, Failed> {
        let directory = Path::new(HOME).join(name);
        let trouble = |error: std::io::Error| Failed::error(format!("cannot make `{HOME}/{name}`: {error}"));
        fs::DirBuilder::new().recursive(true).mode(0o711).create(HOME).map_err(trouble)?;
        fs::DirBuilder::new().mode(0o711).create(&directory).map_err(trouble)?;
        let mut made = Self { directory: directory.clone(), socket: socket.to_owned(), things: Vec::new() };
        made.note(Thing::Directory(directory))?;
        Ok(made)
    }

    /// Where this run keeps its keys, homes and notes.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Notes a thing that is about to be made.
    pub(super) fn note(&mut self, thing: Thing) -> Result<(), Failed> {
        let path = notes(&self.directory);
        let line = serde_json::to_string(&thing).map_err(|error| Failed::error(error.to_string()))?;
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{line}").and_then(|()| file.sync_all()));
        written.map_err(|error| Failed::error(format!("cannot write `{}`: {error}", path.display())))?;
        self.things.push(thing);
        Ok(())
    }

    /// Takes everything back, the newest first; gives what is still there and why.
    pub(super) fn take_all_back(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        while let Some(thing) = self.things.pop() {
            // The notes are in the first thing: while something is left they stay, for the next run.
            if matches!(thing, Thing::Directory(_)) && !left.is_empty() {
                continue;
            }
            left.extend(undo::undo(&thing, &self.socket).err());
        }
        let _ = fs::remove_dir(HOME);
        left
    }

    /// Takes one thing back before its time.
    pub(super) fn take_back(&mut self, thing: &Thing) -> Result<(), String> {
        self.things.retain(|other| other != thing);
        undo::undo(thing, &self.socket)
    }

    /// What killed runs left on this host is taken back; gives what was and what could not be.
    pub(super) fn of_earlier_runs(socket: &Path) -> Vec<Self> {
        let entries = fs::read_dir(HOME).into_iter().flatten().flatten();
        let directories = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
        directories.map(|directory| Self::read(directory, socket)).collect()
    }

    /// A note that was cut off was of a thing that was not made yet.
    fn read(directory: PathBuf, socket: &Path) -> Self {
        let text = fs::read_to_string(notes(&directory)).unwrap_or_default();
        let mut things: Vec<Thing> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if things.is_empty() {
            things.push(Thing::Directory(directory.clone()));
        }
        Self { directory, socket: socket.to_owned(), things }
    }

    /// Keeps everything for somebody who wants to look; a later run takes it back.
    pub(super) fn keep(&mut self) -> Vec<String> {
        std::mem::take(&mut self.things).iter().map(|thing| format!("kept: {}", undo::name(thing))).collect()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for left in self.take_all_back() {
            eprintln!("virtwarden: {left}");
        }
    }
}

fn notes(directory: &Path) -> PathBuf {
    directory.join("made.jsonl")
}
