// SPDX-License-Identifier: Apache-2.0
//! The host that is taken over: its files and its own commands.
//!
//! Both come in from outside, so that a test can use a directory and a script instead.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::takeover::trouble::Trouble;

/// Runs the host's own programs.
pub(crate) trait Commands {
    /// Runs one to its end and gives what it printed.
    ///
    /// # Errors
    /// When it cannot be started or exits with anything but 0.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Trouble>;
}

/// The programs of this machine.
pub(crate) struct Programs;

impl Commands for Programs {
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Trouble> {
        let command = [&[program], arguments].concat().join(" ");
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .env("LC_ALL", "C.UTF-8")
            .output()
            .map_err(Trouble::io(format_args!("run `{command}`")))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let said = [output.stderr, output.stdout].concat();
            Err(Trouble::Command {
                command,
                code: output.status.code(),
                said: String::from_utf8_lossy(&said).into_owned(),
            })
        }
    }
}

/// A host: where its root directory is and how its programs are run.
pub(crate) struct Host<'a> {
    root: PathBuf,
    commands: &'a dyn Commands,
}

impl<'a> Host<'a> {
    /// The host whose `/` is `root`.
    pub(crate) fn new(root: impl Into<PathBuf>, commands: &'a dyn Commands) -> Self {
        Self { root: root.into(), commands }
    }

    /// The same programs with another root directory.
    pub(crate) fn at(&self, root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), commands: self.commands }
    }

    /// Where an absolute path of the host is found.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// The host's name of a path below its root.
    pub(crate) fn name(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        format!("/{}", below.display())
    }

    /// Whether anything, even a dangling link, is there.
    pub(crate) fn has(&self, absolute: &str) -> bool {
        self.path(absolute).symlink_metadata().is_ok()
    }

    /// The account that owns the host's root directory: root, but for a test that runs as somebody else.
    pub(crate) fn owner(&self) -> Result<u32, Trouble> {
        Ok(self.root.metadata().map_err(Trouble::io("look at `/`"))?.uid())
    }

    /// The names in a directory, sorted; none if it is not there.
    pub(crate) fn list(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(directory)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Runs a program of the host.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Trouble> {
        self.commands.run(program, arguments)
    }

    /// Runs a program of the host that exits with `nothing` when there is nothing to tell.
    ///
    /// # Errors
    /// When it fails in any other way: not to know is not the same as nothing.
    pub(crate) fn ask(
        &self,
        nothing: i32,
        program: &str,
        arguments: &[&str],
    ) -> Result<Option<String>, Trouble> {
        match self.commands.run(program, arguments) {
            Ok(said) => Ok(Some(said)),
            Err(Trouble::Command { code, said, .. }) if code == Some(nothing) && said.trim().is_empty() => {
                Ok(None)
            }
            Err(trouble) => Err(trouble),
        }
    }
}
