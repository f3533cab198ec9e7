// SPDX-License-Identifier: Apache-2.0
//! What a VM would have in common with another: the same disk, folder or memory, however each names it.
//!
//! Looked at when it is new to the VM. What was there before is looked at again by the hook when the VM starts.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::policy::sharing::{Channel, Common, Held, Looked, Member, Own, hold, in_common};
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::uses::{Medium, Use};

use super::bounds::Judged;
use super::needs;
use super::present::Present;
use crate::belongings::Belonging;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::turns::{Matter, Turn};
use crate::sharing::look;

/// What it means if nobody knows whether another VM's image builds upon what is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// It is looked at again when the VM starts.
    Passes,
    /// It is too late then.
    Counts,
}

/// What is judged against what other VMs have.
struct Wanted<'a> {
    vm: Member<'a>,
    held: Vec<Held>,
    doubt: Doubt,
}

impl Connection {
    /// Refuses what another VM has too, unless a channel is open between them. Nobody else's disks change
    /// before the turn is over. Who may not make the change hears nothing of other VMs.
    pub(super) fn insist_on_own_media(
        &mut self,
        call: &Call<'_>,
        (vm, present): (Judged<'_>, Option<&Present>),
        facts: &Facts,
        needed: &[Need],
    ) -> Result<Option<Turn>, Fault> {
        self.insist_on_nothing_common(call, (vm.member(), Doubt::Passes), fresh(present, facts), needed)
    }

    /// Refuses to write what another VM has, or builds upon: what one wrote, the other would read.
    pub(super) fn insist_on_own_writes(
        &mut self,
        call: &Call<'_>,
        vm: &Vm,
        written: Vec<Use>,
        needed: &[Need],
    ) -> Result<Option<Turn>, Fault> {
        self.insist_on_nothing_common(call, (Member::from(vm), Doubt::Counts), written, needed)
    }

    fn insist_on_nothing_common(
        &mut self,
        call: &Call<'_>,
        (vm, doubt): (Member<'_>, Doubt),
        uses: Vec<Use>,
        needed: &[Need],
    ) -> Result<Option<Turn>, Fault> {
        if uses.is_empty() || !self.may(call, needed) {
            return Ok(None);
        }
        let turn = self.take_turn_at(Matter::Media)?;
        let located = self.located_with_chains(uses)?;
        let held = hold(&located, Own::Judged, &look);
        let held = held.map_err(|why| self.forbidden(call, &why, needed.to_vec()))?;
        let wanted = Wanted { vm, held, doubt };
        for other in self.all_vms()? {
            if vm.uuid != Some(other.uuid) {
                self.insist_on_nothing_of(call, &other, &wanted, needed)?;
            }
        }
        Ok(Some(turn))
    }

    fn insist_on_nothing_of(
        &mut self,
        call: &Call<'_>,
        other: &Vm,
        wanted: &Wanted<'_>,
        needed: &[Need],
    ) -> Result<(), Fault> {
        let Some(belonging) = self.belonging(other)? else { return Ok(()) };
        let common = common_with(&belonging, wanted);
        let openings = self.gate.monitor.sharing().openings();
        let seen = self.may(call, &needs([Right::View], &Object::Vm(other.clone())));
        let member = Member { name: if seen { &other.name } else { "another" }, ..Member::from(other) };
        let checked = openings.check_between(wanted.vm, member, &common);
        checked.map_err(|undeclared| self.forbidden(call, &undeclared.to_string(), needed.to_vec()))
    }
}

/// What of this a VM has too, with all that its images build upon where somebody would write to that.
fn common_with(belonging: &Belonging, wanted: &Wanted<'_>) -> Vec<Common> {
    let written = wanted.held.iter().find(|held| held.is_written());
    let theirs = |uses| hold(uses, Own::Present, &look).unwrap_or_default();
    let mut common = in_common(&wanted.held, &theirs(&belonging.uses));
    if let Some(written) = written {
        common.extend(in_common(&wanted.held, &theirs(&belonging.below)));
        if wanted.doubt == Doubt::Counts && belonging.lost.iter().any(is_there) {
            common.push(in_doubt(written));
        }
    }
    common
}

/// What another VM may build upon for all that is known.
fn in_doubt(held: &Held) -> Common {
    let what = format!(
        "{} (what its images build upon is not known, one is in no storage pool that is active and refreshed)",
        held.what
    );
    Common { channel: Channel::Disk, what }
}

/// Where there is no file, nothing is built upon. What goes by another name is somewhere.
fn is_there(usage: &Use) -> bool {
    match &usage.medium {
        Some(Medium::Path(path)) => look(path) != Looked::Absent,
        Some(Medium::Volume { .. } | Medium::Name(_)) => true,
        None => false,
    }
}

/// What the VM does not hold yet.
fn fresh(present: Option<&Present>, facts: &Facts) -> Vec<Use> {
    let known: Vec<Use> = present.map(|present| present.stored.facts().uses).unwrap_or_default();
    let is_known = |usage: &Use| known.iter().any(|k| (&k.medium, k.access) == (&usage.medium, usage.access));
    facts.uses.iter().filter(|usage| usage.medium.is_some() && !is_known(usage)).cloned().collect()
}
