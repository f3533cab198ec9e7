// SPDX-License-Identifier: Apache-2.0
//! A report in a file: whole or not at all, and its writer's alone, for it tells of the host.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Failed;

/// Writes a file beside `path` and renames it there: a link that somebody put in the way is replaced, not followed.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Failed> {
    let new = unfinished(path);
    let written = create(&new, content).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        // What cannot be removed is named in the message; there is nothing else to be done about it.
        let _ = fs::remove_file(&new);
        Failed::error(format!("cannot write `{}` (by way of `{}`): {error}", path.display(), new.display()))
    })
}

fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_link_in_the_way_is_replaced_and_what_it_names_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (victim, path) = (directory.path().join("victim"), directory.path().join("report.html"));
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, &path).unwrap();
        write(&path, b"page").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(&path).unwrap(), "page");
        assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let failed = write(Path::new("/nonexistent/report.html"), b"page").unwrap_err();
        assert!(failed.message.contains("`/nonexistent/report.html`"), "{}", failed.message);
    }
}
