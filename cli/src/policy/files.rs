// SPDX-License-Identifier: Apache-2.0
//! Policy files that somebody names: read here, for policyd reads its own alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use virtwarden_core::control::PolicyFile;
use virtwarden_core::policy::LARGEST_FILE;

use crate::exit::{Exit, Failed};

/// Their texts, by their names.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<PolicyFile>, Failed> {
    paths
        .iter()
        .map(|path| {
            let text = text(path).map_err(|error| unreadable(path, &error))?;
            Ok(PolicyFile { path: path.display().to_string(), text })
        })
        .collect()
}

/// Nobody waits for a pipe, and nothing is read that no policy can be.
pub(super) fn text(path: &Path) -> io::Result<String> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    bounded(&file)
}

fn bounded(file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST_FILE {
        return Err(io::Error::other(format!("it is larger than {LARGEST_FILE} bytes; split it")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is no text in UTF-8"))
}

/// What is not there, and what is there and cannot be read, end differently.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failed {
    let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Error };
    Failed { exit, message: format!("cannot read `{}`: {error}", path.display()) }
}
