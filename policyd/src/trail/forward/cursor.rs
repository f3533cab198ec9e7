// SPDX-License-Identifier: Apache-2.0
//! How far the trail was handed over, kept over restarts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long what was handed over may stay unwritten: so much would be handed over again after a crash.
const SOON: Duration = Duration::from_secs(1);

/// The number of the last line that was handed over.
#[derive(Debug)]
pub(super) struct Cursor {
    path: PathBuf,
    sent: Option<u64>,
    kept: Option<u64>,
    written: Instant,
}

impl Cursor {
    /// As it was kept; none if nothing was handed over yet, or the file cannot be understood.
    pub(super) fn open(path: &Path) -> Self {
        let sent = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
        Self { path: path.to_owned(), sent, kept: sent, written: Instant::now() }
    }

    pub(super) fn sent(&self) -> Option<u64> {
        self.sent
    }

    pub(super) fn set(&mut self, sent: u64) {
        self.sent = Some(sent);
        if self.written.elapsed() > SOON {
            self.save();
        }
    }

    /// Goes forward to a line, never back: what went is not sent again.
    pub(super) fn skip_to(&mut self, line: u64) {
        self.sent = self.sent.max(Some(line));
    }

    /// Keeps it. A disk that fails costs lines that are handed over twice, no more.
    pub(super) fn save(&mut self) {
        let Some(sent) = self.sent.filter(|_| self.kept != self.sent) else { return };
        let beside = self.path.with_extension("new");
        let written = fs::write(&beside, format!("{sent}\n")).and_then(|()| fs::rename(&beside, &self.path));
        self.written = Instant::now();
        if written.is_ok() {
            self.kept = Some(sent);
        }
    }
}
