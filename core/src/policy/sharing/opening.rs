// SPDX-License-Identifier: Apache-2.0
//! What an Administrator opened: a channel, and who is at its ends.

use serde::{Deserialize, Serialize};

use crate::object::Uuid;
use crate::policy::channel::Channel;

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
