// SPDX-License-Identifier: Apache-2.0
//! How the command ends: its exit codes and what it says when it fails.

use std::io;
use std::process::ExitCode;

use virtwarden_core::trail::escape::printable;

/// The exit codes that every verb shares. 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It was tried and failed.
    Error = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The asker may not.
    Denied = 3,
    /// There is no such thing, or the asker may not know of it.
    NotFound = 4,
}

/// Why the command failed, in words for the person who typed it.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Lower case, no full stop, what to do next. Empty: there is nobody left to tell.
    pub(crate) message: String,
}

impl Failed {
    /// Something went wrong.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, message: message.into() }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// Says so on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        for (index, line) in self.message.lines().enumerate() {
            let who = if index == 0 { "virtwarden: " } else { "" };
            eprintln!("{who}{}", printable(line));
        }
        ExitCode::from(self.exit as u8)
    }
}

/// Printing failed. Whoever closed the pipe (`| head`) knows.
impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::error("");
        }
        Self::error(format!("cannot print: {error}"))
    }
}
