// SPDX-License-Identifier: Apache-2.0
//! What can be chosen about the trail.

use std::path::{Path, PathBuf};
use std::time::Duration;

use virtwarden_core::trail::digest::Digest;

use crate::trail::forward::Forward;

/// What happens when there is no room, or the trail has reached its greatest size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Nothing that needs a record is permitted until there is room.
    #[default]
    Refuse,
    /// The oldest segment goes, which is recorded.
    OverwriteOldest,
}

/// Whether events also go to the kernel's audit system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kernel {
    /// As user messages, as far as the kernel takes them.
    #[default]
    Send,
    /// Not at all.
    Silent,
}

/// What can be chosen about the trail.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where segments are kept.
    pub directory: PathBuf,
    /// Where the key and the anchor are kept, apart from the segments.
    pub state: PathBuf,
    /// The length of a segment.
    pub segment_bytes: u64,
    /// The greatest length of all segments together, the prepared one included.
    pub total_bytes: u64,
    /// Free space that is left to others on the same file system.
    pub reserve_bytes: u64,
    /// What happens when there is no room.
    pub when_full: WhenFull,
    /// The most lines between two checkpoints.
    pub seal_lines: u64,
    /// The longest time that a line stays unsealed.
    pub seal_after: Duration,
    /// The longest time between two checkpoints even if nothing happens.
    pub heartbeat: Duration,
    /// The most memory for events that wait to be written.
    pub queue_bytes: usize,
    /// How long to wait before trying again after the disk failed.
    pub retry_after: Duration,
    /// The digest of the policy in force.
    pub policy: Digest,
    /// Whether events also go to the kernel's audit system.
    pub kernel: Kernel,
    /// Who sends the lines on, if anybody does.
    pub forward: Option<Forward>,
}

impl Config {
    /// The shipped values, with segments in one directory, key and anchor in another.
    pub fn new(directory: &Path, state: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            state: state.to_owned(),
            segment_bytes: 8 << 20,
            total_bytes: 1 << 30,
            reserve_bytes: 64 << 20,
            when_full: WhenFull::default(),
            seal_lines: 1000,
            seal_after: Duration::from_secs(1),
            heartbeat: Duration::from_secs(3600),
            queue_bytes: 4 << 20,
            retry_after: Duration::from_secs(1),
            policy: Digest::START,
            kernel: Kernel::default(),
            forward: None,
        }
    }

    /// The file with the private key.
    pub fn key(&self) -> PathBuf {
        self.state.join("trail.key")
    }

    /// The file with the public key.
    pub fn public_key(&self) -> PathBuf {
        self.state.join("trail.pub")
    }

    /// The file with a copy of the last checkpoint, to find a trail that was cut off.
    pub fn anchor(&self) -> PathBuf {
        self.state.join("trail.head")
    }
}
