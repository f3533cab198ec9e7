// SPDX-License-Identifier: Apache-2.0
//! Files and directories that were not there before.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::exit::Failed;

/// Makes a directory.
pub(super) fn directory(path: &Path, mode: u32) -> Result<PathBuf, Failed> {
    let made = fs::DirBuilder::new().mode(mode).create(path);
    made.map_err(|error| Failed::error(format!("cannot make `{}`: {error}", path.display())))?;
    Ok(path.to_owned())
}

/// Writes a file that was not there.
pub(super) fn file(path: &Path, text: &str, mode: u32) -> Result<(), Failed> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| Failed::error(format!("cannot write `{}`: {error}", path.display())))
}
