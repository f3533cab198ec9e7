// SPDX-License-Identifier: Apache-2.0
//! What can go wrong while libvirt is taken over or given back.

use std::fmt;
use std::io;

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The file system said no.
    Io {
        /// What was being done, as in "write `/etc/x`".
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program of the host failed.
    Command {
        /// As it would be typed.
        command: String,
        /// How it exited; none if a signal ended it.
        code: Option<i32>,
        /// What it printed.
        said: String,
    },
    /// The host is not in a state that can be taken over, or the request makes no sense; says what to do.
    Refused(String),
    /// The journal of the takeover cannot be trusted.
    Journal(String),
}

impl Trouble {
    /// Wraps an error of the file system with what was being done.
    pub(crate) fn io(doing: impl fmt::Display) -> Box<dyn FnOnce(io::Error) -> Self> {
        let doing = doing.to_string();
        Box::new(move |source| Self::Io { doing, source })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, source } => write!(f, "cannot {doing}: {source}"),
            Self::Command { command, said, .. } => write!(f, "`{command}` failed: {}", said.trim()),
            Self::Refused(why) => f.write_str(why),
            Self::Journal(why) => write!(f, "the takeover's journal cannot be used: {why}"),
        }
    }
}

impl std::error::Error for Trouble {}
