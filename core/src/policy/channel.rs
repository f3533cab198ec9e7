// SPDX-License-Identifier: Apache-2.0
//! The ways in which data can pass between VMs, or between a VM and the host. Row 8 of Table 3.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way in which data can pass from one VM to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The clipboard of whoever looks at the VM's screen.
    Clipboard,
    /// Files dropped on the VM's screen.
    FileTransfer,
    /// A directory of the host, or of whoever looks at the screen.
    SharedFolder,
    /// A disk, or another file of the host, that two VMs have.
    Disk,
    /// Memory that two VMs have.
    Shmem,
    /// A socket between the guest and the host.
    Vsock,
    /// A serial line, socket or pipe that leads out of the VM.
    Chardev,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Clipboard,
        Self::FileTransfer,
        Self::SharedFolder,
        Self::Disk,
        Self::Shmem,
        Self::Vsock,
        Self::Chardev,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clipboard => "clipboard",
            Self::FileTransfer => "file-transfer",
            Self::SharedFolder => "shared-folder",
            Self::Disk => "disk",
            Self::Shmem => "shmem",
            Self::Vsock => "vsock",
            Self::Chardev => "chardev",
        }
    }

    /// The channel of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.word() == word)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
