// SPDX-License-Identifier: Apache-2.0
//! What VMs may share with each other or with the host: nothing, unless an Administrator opened a
//! channel between them. Row 8 of Table 3, FDP_VMS_EXT.1.
//!
//! An opening binds everybody: what a definition contains beyond the openings is refused to
//! Administrators too. To open a channel and to use it are two acts, each on record.

mod media;
mod undeclared;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::{Uuid, Vm};
use crate::xml::uses::{Reach, Use};

pub use media::{Common, Held, Identity, Looked, Own, hold, in_common};
pub use undeclared::Undeclared;

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

/// Who is at one end of a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The host, and whoever looks at the VM's screen.
    Host,
    /// One VM, whatever its name.
    Vm(Uuid),
    /// Every VM of an information domain.
    InformationDomain(String),
}

/// A channel that an Administrator opened between two parties.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The channel.
    pub channel: Channel,
    /// Both ends, in order, so that an opening has one spelling.
    between: (Party, Party),
}

impl Opening {
    /// The channel between two parties, in whichever order they are named.
    pub fn new(channel: Channel, one: Party, other: Party) -> Self {
        let between = if one <= other { (one, other) } else { (other, one) };
        Self { channel, between }
    }

    /// Both ends.
    pub fn parties(&self) -> [&Party; 2] {
        [&self.between.0, &self.between.1]
    }

    /// The VMs that it names.
    pub fn vms(&self) -> Vec<Uuid> {
        let vm = |party: &Party| match party {
            Party::Vm(uuid) => Some(*uuid),
            Party::Host | Party::InformationDomain(_) => None,
        };
        self.parties().into_iter().filter_map(vm).collect()
    }

    /// Whether it goes when a VM goes.
    pub fn is_of(&self, vm: Uuid) -> bool {
        self.parties().contains(&&Party::Vm(vm))
    }
}

/// A VM as the openings see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// None: it is about to be made, so that nothing can have been opened for it.
    pub uuid: Option<Uuid>,
    /// For people.
    pub name: &'a str,
    /// Where it belongs.
    pub information_domain: Option<&'a str>,
}

impl<'a> Member<'a> {
    /// A VM that is about to be made.
    pub fn new(name: &'a str) -> Self {
        Self { uuid: None, name, information_domain: None }
    }

    fn is(&self, party: &Party) -> bool {
        match party {
            Party::Host => false,
            Party::Vm(uuid) => self.uuid == Some(*uuid),
            Party::InformationDomain(name) => self.information_domain == Some(name),
        }
    }
}

impl<'a> From<&'a Vm> for Member<'a> {
    fn from(vm: &'a Vm) -> Self {
        let information_domain = vm.assignment.as_ref().and_then(|a| a.information_domain.as_deref());
        Self { uuid: Some(vm.uuid), name: &vm.name, information_domain }
    }
}

/// All openings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings(BTreeSet<Opening>);

impl FromIterator<Opening> for Openings {
    fn from_iter<I: IntoIterator<Item = Opening>>(openings: I) -> Self {
        Self(openings.into_iter().collect())
    }
}

impl Openings {
    /// Judges what leads out of a VM by itself, whoever is at the other end.
    ///
    /// # Errors
    /// The first use whose channel is open for this VM to nobody.
    pub fn check(&self, vm: Member<'_>, uses: &[Use]) -> Result<(), Undeclared> {
        let closed = |usage: &&Use| usage.reach == Reach::Outside && !self.leads_out(usage.channel, vm);
        uses.iter().find(closed).map_or(Ok(()), |usage| Err(Undeclared::way_out(vm, usage)))
    }

    /// Judges what two VMs have in common.
    ///
    /// # Errors
    /// The first of it whose channel is not open between them.
    pub fn check_between(
        &self,
        vm: Member<'_>,
        other: Member<'_>,
        common: &[Common],
    ) -> Result<(), Undeclared> {
        let closed = common.iter().find(|common| !self.joins(common.channel, vm, other));
        closed.map_or(Ok(()), |common| Err(Undeclared::common(vm, other, common)))
    }

    /// Whether a channel is open for a VM at all.
    fn leads_out(&self, channel: Channel, vm: Member<'_>) -> bool {
        self.of(channel).any(|opening| opening.parties().into_iter().any(|party| vm.is(party)))
    }

    /// Whether a channel is open between two VMs.
    fn joins(&self, channel: Channel, one: Member<'_>, other: Member<'_>) -> bool {
        self.of(channel).any(|opening| {
            let [first, second] = opening.parties();
            (one.is(first) && other.is(second)) || (one.is(second) && other.is(first))
        })
    }

    fn of(&self, channel: Channel) -> impl Iterator<Item = &Opening> {
        self.0.iter().filter(move |opening| opening.channel == channel)
    }
}

#[cfg(test)]
mod tests;
