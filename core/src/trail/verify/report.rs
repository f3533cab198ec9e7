// SPDX-License-Identifier: Apache-2.0
//! What a verification found.

use std::fmt;

use serde::Serialize;

use crate::trail::digest::Digest;
use crate::trail::entry::Removal;
use crate::trail::time::Time;

/// The answer. Each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Whole, unchanged and sealed.
    Intact,
    /// A line is not as it was written.
    Changed,
    /// Lines or segments are missing in the middle, or at the beginning without a record of their removal.
    Gap,
    /// The end is missing.
    Truncated,
    /// A seal is not by the key that was to seal there, or the trail is not the one that the anchor knows.
    Resealed,
    /// More lines than allowed were never sealed.
    Unsealed,
    /// A file could not be read, or there is none.
    Unreadable,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 7] = [
        Verdict::Intact,
        Verdict::Changed,
        Verdict::Gap,
        Verdict::Truncated,
        Verdict::Resealed,
        Verdict::Unsealed,
        Verdict::Unreadable,
    ];

    /// The exit code of a command that verified: 0 if intact, else from 10 to 15.
    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Intact => 0,
            Verdict::Changed => 10,
            Verdict::Gap => 11,
            Verdict::Truncated => 12,
            Verdict::Resealed => 13,
            Verdict::Unsealed => 14,
            Verdict::Unreadable => 15,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Intact => "intact",
            Verdict::Changed => "changed",
            Verdict::Gap => "gap",
            Verdict::Truncated => "truncated",
            Verdict::Resealed => "resealed",
            Verdict::Unsealed => "unsealed",
            Verdict::Unreadable => "unreadable",
        })
    }
}

/// Where the first flaw is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The name of the segment, as it was given.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// The sequence number that stands or should stand there.
    pub seq: u64,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The answer.
    pub verdict: Verdict,
    /// Where the first flaw is, if there is one.
    pub place: Option<Place>,
    /// What is wrong there; empty if nothing is.
    pub reason: String,
    /// How many segments were begun.
    pub segments: u64,
    /// How many good lines there are up to the end or the flaw.
    pub lines: u64,
    /// The sequence number of the first line.
    pub first: Option<u64>,
    /// The sequence number of the last good line.
    pub last: Option<u64>,
    /// The hash of the last good line.
    pub head: Digest,
    /// When the last good line was written.
    pub time: Option<Time>,
    /// How many good checkpoints there are.
    pub checkpoints: u64,
    /// Everything up to this sequence number is sealed.
    pub sealed: Option<u64>,
    /// The digest of the policy that the last checkpoint names.
    pub policy: Option<Digest>,
    /// How many lines stand after the last checkpoint.
    pub unsealed: u64,
    /// The record that says why the trail does not begin at its beginning.
    pub removed: Option<Removal>,
    /// Bytes of a line that was being written when the writer died. It was never acknowledged.
    pub torn: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        if let Some(Place { file, line, seq }) = &self.place {
            write!(f, ": sequence {seq}, {file} line {line}: {}", self.reason)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_own_exit_code() {
        let codes = Verdict::ALL.map(Verdict::exit_code);
        assert_eq!(codes, [0, 10, 11, 12, 13, 14, 15]);
    }
}
