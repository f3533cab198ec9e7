// SPDX-License-Identifier: Apache-2.0
//! What VMs hold on the host, and whether two of them hold the same, however each names it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::policy::channel::Channel;
use crate::xml::uses::{Access, Medium, Use};

/// What a thing is, whatever its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A file or directory: hard links are the same one, and what a symbolic link leads to.
    File {
        /// The file system's number.
        device: u64,
        /// The file's number there.
        inode: u64,
    },
    /// A device of the host, whichever node leads to it.
    Device(u64),
    /// A volume of a pool whose file was not looked at.
    Volume {
        /// The pool.
        pool: String,
        /// The volume.
        name: String,
    },
    /// Nothing that could be looked at: the name itself.
    Name(String),
}

/// What a look at a path finds. Whoever can look at the host's files makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is there.
    There {
        /// What it is, and what it is made of: a loop device is its file as well.
        identities: Vec<Identity>,
        /// Its path without links.
        path: PathBuf,
    },
    /// It is not there yet.
    Absent,
    /// It cannot be looked at, so nobody knows whose it is.
    Unknown(String),
}

/// Something on the host that a VM holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The channel it would be if somebody else held it too.
    pub channel: Channel,
    /// For people.
    pub what: String,
    access: Access,
    identities: Vec<Identity>,
    /// Without links, as far as it was looked at.
    path: Option<PathBuf>,
}

/// Whose the uses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The VM's that is judged: each must be known for what it is.
    Judged,
    /// Another's, whose definition is as it is: what cannot be looked at goes by its name.
    Present,
}

/// What a VM holds by its uses, each looked at.
///
/// # Errors
/// Something cannot be looked at: whether another VM has it too is not known, and so the answer is no.
pub fn hold(uses: &[Use], own: Own, look: &dyn Fn(&str) -> Looked) -> Result<Vec<Held>, String> {
    uses.iter()
        .filter_map(|usage| Some((usage, usage.medium.as_ref()?)))
        .map(|(u, m)| held(u, m, own, look))
        .collect()
}

fn held(usage: &Use, medium: &Medium, own: Own, look: &dyn Fn(&str) -> Looked) -> Result<Held, String> {
    let (identities, path) = match medium {
        Medium::Path(path) => match look(path) {
            Looked::There { identities, path } => (identities, Some(path)),
            Looked::Unknown(why) if own == Own::Judged => {
                return Err(format!(
                    "whether another VM has {} too is not known: {why}; put it where every account may pass",
                    usage.what
                ));
            }
            Looked::Absent | Looked::Unknown(_) => {
                (vec![Identity::Name(path.clone())], Some(PathBuf::from(path)))
            }
        },
        Medium::Volume { pool, name } => {
            (vec![Identity::Volume { pool: pool.clone(), name: name.clone() }], None)
        }
        Medium::Name(name) => (vec![Identity::Name(name.clone())], None),
    };
    Ok(Held { channel: usage.channel, what: usage.what.clone(), access: usage.access, identities, path })
}

impl Held {
    /// Whether the VM writes to something that is there, so that others may have it or build upon it.
    pub fn is_written(&self) -> bool {
        let is_there = |identity: &Identity| matches!(identity, Identity::File { .. } | Identity::Device(_));
        self.access == Access::Writes && self.identities.iter().any(is_there)
    }

    /// Whether data passes if two VMs hold these: it is the same, or within the other, and one of them writes.
    pub(super) fn is_shared_with(&self, other: &Held) -> bool {
        let written = self.access == Access::Writes || other.access == Access::Writes;
        written && (self.is_same(other) || self.is_within(other) || other.is_within(self))
    }

    fn is_same(&self, other: &Held) -> bool {
        self.identities.iter().any(|one| other.identities.contains(one))
            || self.is_volume_of(other)
            || other.is_volume_of(self)
    }

    /// A directory that a VM has is everything below it.
    fn is_within(&self, other: &Held) -> bool {
        let (Some(path), Some(directory)) = (&self.path, &other.path) else { return false };
        other.channel == Channel::SharedFolder && path.starts_with(directory)
    }

    /// The file of a volume has the volume's name. Where it was not looked at, that is all that is known.
    fn is_volume_of(&self, file: &Held) -> bool {
        let named = file.path.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
        self.identities
            .iter()
            .any(|identity| matches!(identity, Identity::Volume { name, .. } if Some(name.as_str()) == named))
    }
}

/// Something that two VMs have in common and that data would pass through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// The channel that it is.
    pub channel: Channel,
    /// What of the one VM it is, for people.
    pub what: String,
}

/// What two VMs have in common, told from the one.
pub fn in_common(held: &[Held], theirs: &[Held]) -> Vec<Common> {
    let pairs = held.iter().flat_map(|one| theirs.iter().map(move |other| (one, other)));
    let shared = pairs.filter(|(one, other)| one.is_shared_with(other));
    shared.map(|(one, other)| Common { channel: channel(one, other), what: one.what.clone() }).collect()
}

/// What it takes for two VMs to hold these. A directory that holds a disk is a directory.
fn channel(one: &Held, other: &Held) -> Channel {
    match (one.channel, other.channel) {
        (Channel::SharedFolder, _) | (_, Channel::SharedFolder) => Channel::SharedFolder,
        (channel, _) => channel,
    }
}
