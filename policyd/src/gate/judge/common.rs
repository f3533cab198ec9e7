// SPDX-License-Identifier: Apache-2.0
//! What a VM would have in common with another: the same disk, folder or memory, however each names it.
//!
//! Looked at when it is new to the VM. What was there before is looked at again by the hook when the VM starts.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::policy::sharing::{Channel, Held, Member, Own, hold, in_common};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::strict;
use virtwarden_core::xml::uses::{Access, Medium, Use};

use super::bounds::Judged;
use super::needs;
use super::present::Present;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code, code_of};
use crate::gate::turns::{Matter, Turn};
use crate::sharing::look;

const STORAGE_POOL_LOOKUP_BY_NAME: u32 = 84;
const STORAGE_VOL_LOOKUP_BY_NAME: u32 = 95;
const STORAGE_VOL_LOOKUP_BY_PATH: u32 = 97;
const STORAGE_VOL_GET_XML_DESC: u32 = 99;
const STORAGE_VOL_GET_PATH: u32 = 100;
/// No chain that somebody works with is longer.
const LONGEST_CHAIN: usize = 64;

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
        let fresh = fresh(present, facts);
        if fresh.is_empty() || !self.may(call, needed) {
            return Ok(None);
        }
        let turn = self.take_turn_at(Matter::Media)?;
        let mut located = self.located(fresh)?;
        for usage in located.clone() {
            located.extend(self.below(&usage)?);
        }
        let held = hold(&located, Own::Judged, &look);
        let held = held.map_err(|why| self.forbidden(call, &why, needed.to_vec()))?;
        for other in self.all_vms()? {
            if vm.member().uuid != Some(other.uuid) {
                self.insist_on_nothing_common(call, vm.member(), &held, &other, needed)?;
            }
        }
        Ok(Some(turn))
    }

    fn insist_on_nothing_common(
        &mut self,
        call: &Call<'_>,
        vm: Member<'_>,
        held: &[Held],
        other: &Vm,
        needed: &[Need],
    ) -> Result<(), Fault> {
        let present = match self.present(other) {
            Err(Fault::Theirs(error)) if code_of(&error) == Some(code::NO_DOMAIN) => return Ok(()),
            present => present?,
        };
        let openings = self.gate.monitor.sharing().openings();
        for definition in present.all() {
            let uses = self.located(definition.facts().uses)?;
            let theirs = hold(&uses, Own::Present, &look).unwrap_or_default();
            let common = in_common(held, &theirs);
            let seen = self.may(call, &needs([Right::View], &Object::Vm(other.clone())));
            let member = Member { name: if seen { &other.name } else { "another" }, ..Member::from(other) };
            if let Err(undeclared) = openings.check_between(vm, member, &common) {
                return Err(self.forbidden(call, &undeclared.to_string(), needed.to_vec()));
            }
        }
        Ok(())
    }

    /// Volumes by their files, as far as libvirtd knows them.
    pub(super) fn located(&mut self, uses: Vec<Use>) -> Result<Vec<Use>, Fault> {
        let mut located = Vec::new();
        for usage in uses {
            let path = match &usage.medium {
                Some(Medium::Volume { pool, name }) => self.volume_path(pool, name)?,
                Some(Medium::Path(_) | Medium::Name(_)) | None => None,
            };
            located.push(match path {
                Some(path) => Use { medium: Some(Medium::Path(path)), ..usage },
                None => usage,
            });
        }
        Ok(located)
    }

    /// The files that a disk's image builds upon, as far as libvirtd's pools know them: whoever attaches an
    /// image need not say.
    pub(super) fn below(&mut self, usage: &Use) -> Result<Vec<Use>, Fault> {
        let mut below = Vec::new();
        let mut next = match (&usage.medium, usage.channel) {
            (Some(Medium::Path(path)), Channel::Disk) => Some(path.clone()),
            (Some(_) | None, _) => None,
        };
        while let Some(path) = next.take().filter(|_| below.len() < LONGEST_CHAIN) {
            next = self.backing_of(&path)?;
            below.extend(next.clone().map(|path| Use {
                what: format!("{}, by way of `{path}`", usage.what),
                medium: Some(Medium::Path(path)),
                access: Access::Reads,
                ..usage.clone()
            }));
        }
        Ok(below)
    }

    fn backing_of(&mut self, path: &str) -> Result<Option<String>, Fault> {
        let Some(volume) = self.found(STORAGE_VOL_LOOKUP_BY_PATH, &[Value::Text(path.to_owned().into())])?
        else {
            return Ok(None);
        };
        let Some(text) = self.found(STORAGE_VOL_GET_XML_DESC, &[volume, Value::Unsigned(0)])? else {
            return Ok(None);
        };
        let volume = strict::parse(text.as_text().unwrap_or_default()).ok();
        Ok(volume.and_then(|volume| {
            volume.at(&["backingStore", "path"]).map(|path| path.text().trim().to_owned())
        }))
    }

    fn volume_path(&mut self, pool: &str, name: &str) -> Result<Option<String>, Fault> {
        let pool = [Value::Text(pool.to_owned().into())];
        let Some(pool) = self.found(STORAGE_POOL_LOOKUP_BY_NAME, &pool)? else { return Ok(None) };
        let volume = [pool, Value::Text(name.to_owned().into())];
        let Some(volume) = self.found(STORAGE_VOL_LOOKUP_BY_NAME, &volume)? else { return Ok(None) };
        let path = self.found(STORAGE_VOL_GET_PATH, &[volume])?;
        Ok(path.and_then(|path| path.as_text().map(str::to_owned)))
    }

    /// The first field of an answer; none if there is no such thing.
    fn found(&mut self, number: u32, question: &[Value<'_>]) -> Result<Option<Value<'static>>, Fault> {
        let answer = match self.ask(number, question) {
            Err(Fault::Theirs(_)) => return Ok(None),
            answer => answer?,
        };
        let values = answer.values()?;
        Ok(values.first().cloned().map(crate::gate::listed::owned))
    }
}

/// What the VM does not hold yet.
fn fresh(present: Option<&Present>, facts: &Facts) -> Vec<Use> {
    let known: Vec<Use> = present.map(|present| present.stored.facts().uses).unwrap_or_default();
    let is_known = |usage: &Use| known.iter().any(|k| (&k.medium, k.access) == (&usage.medium, usage.access));
    facts.uses.iter().filter(|usage| usage.medium.is_some() && !is_known(usage)).cloned().collect()
}
