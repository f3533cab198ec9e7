// SPDX-License-Identifier: Apache-2.0
//! A copy of the last checkpoint apart from the trail, by which an end that was cut off is found.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::trail::keys::replace;

/// The file with the copy.
#[derive(Debug)]
pub(super) struct Anchor {
    path: PathBuf,
    kept: Instant,
    /// The last copy could not be written, which has been told.
    adrift: bool,
}

impl Anchor {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, kept: Instant::now(), adrift: false }
    }

    /// When the next copy may be written, if they are to be so far apart.
    pub(super) fn due(&self, interval: Duration) -> Instant {
        self.kept + interval
    }

    /// Writes a copy. Returns why it could not, the first time.
    pub(super) fn keep(&mut self, checkpoint: &[u8]) -> Option<io::Error> {
        self.kept = Instant::now();
        let failed = replace(&self.path, checkpoint, 0o644).err();
        let news = !self.adrift;
        self.adrift = failed.is_some();
        failed.filter(|_| news)
    }
}
