// SPDX-License-Identifier: Apache-2.0
//! The policy's statements that are not about roles: raw doors, media, saved VMs, trail, gate, sessions.
//!
//! Each has a value that holds where no file says anything, always the tightest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::media::{Kind, Rule};
use crate::policy::place::Place;

/// Who may pass a raw door, if his role holds `raw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawDoors {
    /// Roles of the Administrator column that hold `raw`.
    Administrator,
    /// Nobody, and no VM whose definition opens one may start.
    Nobody,
}

impl RawDoors {
    /// The word in a policy file.
    pub const fn word(self) -> &'static str {
        match self {
            RawDoors::Administrator => "administrator",
            RawDoors::Nobody => "nobody",
        }
    }
}

/// `[vm]`: what binds every VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmRules {
    /// Raw doors.
    pub raw: RawDoors,
    /// Most snapshots, and most checkpoints, of one VM that who does not administer it may bring about.
    pub snapshots: u64,
    /// The template that a new VM's safety elements are taken from; none takes none.
    pub template: Option<String>,
    /// Where it is defined.
    pub place: Place,
}

impl Default for VmRules {
    fn default() -> Self {
        Self { raw: RawDoors::Nobody, snapshots: 16, template: None, place: Place::built_in() }
    }
}

/// `[media]`: which media may be where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Directories whose files may be inserted; absolute, without `.` or `..`.
    pub library: Vec<PathBuf>,
    /// `[media.KIND]`: a rule for each kind; one that is missing is denied.
    pub kinds: BTreeMap<Kind, Rule>,
    /// Where it is defined.
    pub place: Place,
}

impl Default for Media {
    fn default() -> Self {
        Self { library: Vec::new(), kinds: BTreeMap::new(), place: Place::built_in() }
    }
}

/// `[saved]`: where saved VMs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Holds one directory for each VM, named by its UUID.
    pub directory: PathBuf,
    /// Where it is defined.
    pub place: Place,
}

impl Default for Saved {
    fn default() -> Self {
        Self { directory: PathBuf::from("/var/lib/virtwarden/saved"), place: Place::built_in() }
    }
}

/// What happens when the trail's store is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullStore {
    /// What cannot be recorded is refused.
    Refuse,
    /// The oldest segment goes, and the trail says so.
    OverwriteOldest,
}

impl FullStore {
    /// The word in a policy file.
    pub const fn word(self) -> &'static str {
        match self {
            FullStore::Refuse => "refuse",
            FullStore::OverwriteOldest => "overwrite-oldest",
        }
    }
}

/// `[audit]`: the trail's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Size of one segment, in bytes.
    pub segment_size: u64,
    /// Size of all segments together, in bytes.
    pub store_size: u64,
    /// What happens then.
    pub full_store: FullStore,
    /// Where it is defined.
    pub place: Place,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            segment_size: 16 << 20,
            store_size: 1 << 30,
            full_store: FullStore::Refuse,
            place: Place::built_in(),
        }
    }
}

/// `[gate]`: how many clients at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Open connections in all.
    pub connections: u64,
    /// Open connections of one account.
    pub per_account: u64,
    /// Where it is defined.
    pub place: Place,
}

impl Default for Gate {
    fn default() -> Self {
        Self { connections: 512, per_account: 128, place: Place::built_in() }
    }
}

/// From when on an Administrator's roles count in his login session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// From the login.
    Login,
    /// From `virtwarden session elevate` on, for a limited time.
    Raise,
}

impl Activation {
    /// The word in a policy file.
    pub const fn word(self) -> &'static str {
        match self {
            Activation::Login => "login",
            Activation::Raise => "raise",
        }
    }
}

/// `[session]`: what makes a login session an Administrator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// From when on his roles count.
    pub activation: Activation,
    /// For how many seconds a session stays raised.
    pub raised: u64,
    /// Where it is defined.
    pub place: Place,
}

impl Default for Session {
    fn default() -> Self {
        Self { activation: Activation::Raise, raised: 15 * 60, place: Place::built_in() }
    }
}
