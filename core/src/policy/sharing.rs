// SPDX-License-Identifier: Apache-2.0
//! What VMs may share with each other or with the host: nothing, unless an Administrator opened a
//! channel between them. Row 8 of Table 3, FDP_VMS_EXT.1.
//!
//! An opening binds everybody: what a definition contains beyond the openings is refused to
//! Administrators too. To open a channel and to use it are two acts, each on record.

mod media;
mod member;
mod opening;
mod undeclared;

use std::collections::BTreeSet;

use crate::xml::uses::{Reach, Use};

pub use crate::policy::channel::Channel;
pub use media::{Common, Held, Identity, Looked, Own, hold, in_common};
pub use member::Member;
pub use opening::{Opening, Party};
pub use undeclared::Undeclared;

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
        vm.sensitivity.is_ordinary()
            && self.of(channel).any(|opening| opening.parties().into_iter().any(|party| vm.is(party)))
    }

    /// Whether a channel is open between two VMs.
    fn joins(&self, channel: Channel, one: Member<'_>, other: Member<'_>) -> bool {
        let ordinary = one.sensitivity.is_ordinary() && other.sensitivity.is_ordinary();
        ordinary
            && self.of(channel).any(|opening| {
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
