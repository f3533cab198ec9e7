// SPDX-License-Identifier: Apache-2.0
//! How far the journal has been read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The longest cursor in bytes; journald's have about 130.
const LONGEST: usize = 512;

/// A file with a cursor of journald's.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The last entry that was dealt with. None: begin with what comes from now on.
    pub(crate) fn last(&self) -> Option<String> {
        fs::read_to_string(&self.0).ok().filter(|cursor| is_cursor(cursor))
    }

    /// Replaced in one step: half a cursor would be none.
    pub(crate) fn keep(&self, cursor: &str) -> io::Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, cursor)?;
        fs::rename(&new, &self.0)
    }
}

/// It becomes an argument of journalctl's.
pub(crate) fn is_cursor(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b';' | b'-');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again_and_what_is_none_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::at(&directory.path().join("cursor"));
        assert_eq!(place.last(), None);
        place.keep("s=0a;i=1;b=2;m=3;t=4;x=5").unwrap();
        assert_eq!(place.last().as_deref(), Some("s=0a;i=1;b=2;m=3;t=4;x=5"));
        for damaged in ["", "s=1\n", "--output=export", "s=1 --file=/tmp/x", "ß"] {
            fs::write(directory.path().join("cursor"), damaged).unwrap();
            assert_eq!(place.last().is_some(), damaged == "--output=export", "{damaged:?}");
        }
    }
}
