// SPDX-License-Identifier: Apache-2.0
//! Why something could not be recorded.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why something could not be recorded. Whatever was to be recorded must then not happen.
#[derive(Clone, Debug)]
pub enum TrailError {
    /// There is no room, and the setting is to refuse.
    Full,
    /// The disk failed; the trail tries again by itself.
    Failed(Arc<str>),
    /// The trail is closed.
    Closed,
    /// Another process writes this trail.
    Busy(PathBuf),
    /// The trail has lines, but the key that sealed them is gone.
    KeyMissing(PathBuf),
    /// The key cannot be used.
    Key(PathBuf, Arc<str>),
    /// The event has no written form.
    Unwritable(Arc<str>),
    /// A file could not be used.
    File(PathBuf, Arc<io::Error>),
}

impl TrailError {
    pub(in crate::trail) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| TrailError::File(path.to_owned(), Arc::new(cause))
    }
}

impl fmt::Display for TrailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrailError::Full => {
                f.write_str("the audit trail is full; an administrator must make room for it")
            }
            TrailError::Failed(cause) => write!(f, "the audit trail cannot be written: {cause}"),
            TrailError::Closed => f.write_str("the audit trail is closed"),
            TrailError::Busy(path) => write!(f, "another process writes the trail in `{}`", path.display()),
            TrailError::KeyMissing(path) => write!(
                f,
                "the trail's key `{}` is missing; restore it, or move the old trail away to begin a new one",
                path.display()
            ),
            TrailError::Key(path, cause) => {
                write!(f, "cannot use the trail's key `{}`: {cause}", path.display())
            }
            TrailError::Unwritable(cause) => write!(f, "the event cannot be written: {cause}"),
            TrailError::File(path, cause) => write!(f, "cannot use `{}`: {cause}", path.display()),
        }
    }
}

impl std::error::Error for TrailError {}
