// SPDX-License-Identifier: Apache-2.0
//! The host: its files below a root, and its programs. Tests choose both.

use std::cell::Cell;
use std::fmt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use crate::file::{self, Content};
use crate::program::{Input, OfHost, Programs, Ran};

/// Where candidates lie while a component's own checker reads them. Nobody else can reach it.
const SCRATCH: &str = "/run/virtwarden/settingsd/candidate";

/// What units that settingsd starts are told, and what they say.
const UNITS: &str = "/run/virtwarden/settingsd";

/// The host.
pub(crate) struct Host {
    root: PathBuf,
    owner: u32,
    programs: Box<dyn Programs>,
    is_outgrown: Cell<bool>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Host {
    /// This one.
    pub(crate) fn this() -> Self {
        Self { root: "/".into(), owner: 0, programs: Box::new(OfHost), is_outgrown: Cell::new(false) }
    }

    /// One below a directory, whose files belong to an account.
    #[cfg(test)]
    pub(crate) fn below(root: &Path, owner: u32, programs: Box<dyn Programs>) -> Self {
        Self { root: root.to_owned(), owner, programs, is_outgrown: Cell::new(false) }
    }

    /// Its root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path of the host is.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The account that all directories on the way must belong to: root.
    pub(crate) fn owner(&self) -> u32 {
        self.owner
    }

    /// The group of files that we make: root's.
    pub(crate) fn group(&self) -> u32 {
        rustix::process::getegid().as_raw()
    }

    /// A file of ours.
    pub(crate) fn content(&self, text: &str, mode: u32) -> Content {
        Content { bytes: text.as_bytes().to_vec(), mode, uid: self.owner, gid: self.group() }
    }

    /// Where a file belongs, as far as that is there, if nothing can be written there.
    pub(crate) fn closed_directory(&self, path: &str) -> Option<String> {
        let there = Path::new(path).ancestors().skip(1).find(|way| self.has(&way.to_string_lossy()))?;
        let there = there.to_string_lossy();
        let is_closed = access(self.root.join(there.trim_start_matches('/')), Access::WRITE_OK);
        (is_closed == Err(Errno::ROFS)).then(|| there.into_owned())
    }

    /// The service sees the host as it no longer is: another one is to carry out what comes next.
    pub(crate) fn start_anew(&self) {
        self.is_outgrown.set(true);
    }

    /// Whether it is so.
    pub(crate) fn is_outgrown(&self) -> bool {
        self.is_outgrown.get()
    }

    /// Whether there is such a program, directory or file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.place(path).exists()
    }

    /// Runs one of its programs.
    ///
    /// # Errors
    /// It could not be run, or did not end in time.
    pub(crate) fn run(&self, words: &[&str], input: Input<'_>) -> Result<Ran, String> {
        self.programs.run(words, input)
    }

    /// Runs one that must end with 0; returns what it said.
    ///
    /// # Errors
    /// It did not.
    pub(crate) fn must(&self, words: &[&str]) -> Result<String, String> {
        let ran = self.run(words, Input::Nothing)?;
        if ran.succeeded() {
            Ok(ran.said)
        } else {
            Err(format!("`{}`: {}", words.join(" "), ran.said.trim()))
        }
    }

    /// The text of a file; none if there is none.
    ///
    /// # Errors
    /// It is no plain file behind root's directories, or cannot be read.
    pub(crate) fn text(&self, path: &str) -> Result<Option<String>, String> {
        let content = file::read(self, path)?;
        Ok(content.map(|content| String::from_utf8_lossy(&content.bytes).into_owned()))
    }

    /// The names in a directory, in order; none if there is no such directory.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.place(directory));
        let names =
            entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    /// Puts a text where our own units read it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn scratch(&self, name: &str, text: &str) -> Result<(), String> {
        file::replace(self, &format!("{UNITS}/{name}"), &self.content(text, 0o644))
    }

    /// Lets a program look at a candidate.
    ///
    /// # Errors
    /// As the program's, or the candidate cannot be written.
    pub(crate) fn with_candidate<T>(
        &self,
        text: &str,
        look: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        file::replace(self, SCRATCH, &self.content(text, 0o600))?;
        let seen = look(&self.place(SCRATCH).to_string_lossy());
        file::remove(self, SCRATCH)?;
        seen
    }
}
