// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a message.

use std::{fmt, io};

/// Why a message cannot be written or understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends too early.
    Short,
    /// It goes on after its end.
    Trailing,
    /// A field or the whole is over its limit.
    TooLong,
    /// It is of another version of these messages.
    Version(u8),
    /// It has a tag that is not known where it stands.
    Tag(u8),
    /// A text is not UTF-8, or has a control character that a terminal would obey.
    Text,
    /// A line of the snapshot of locks is not in its form; lines count from 1.
    Line(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Short => f.write_str("ends too early"),
            Fault::Trailing => f.write_str("goes on after its end"),
            Fault::TooLong => f.write_str("longer than allowed"),
            Fault::Version(theirs) => write!(f, "of version {theirs}, which is not known here"),
            Fault::Tag(tag) => write!(f, "unknown tag {tag}"),
            Fault::Text => f.write_str("text that is not plain"),
            Fault::Line(number) => write!(f, "line {number} is malformed"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why no message was received.
#[derive(Debug)]
pub enum ReceiveError {
    /// The connection failed, or its deadline passed.
    Io(io::Error),
    /// What came is not a message.
    Fault(Fault),
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for ReceiveError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Io(error) => write!(f, "login socket: {error}"),
            ReceiveError::Fault(fault) => write!(f, "login message: {fault}"),
        }
    }
}

impl std::error::Error for ReceiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReceiveError::Io(error) => Some(error),
            ReceiveError::Fault(fault) => Some(fault),
        }
    }
}
