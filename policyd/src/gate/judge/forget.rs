// SPDX-License-Identifier: Apache-2.0
//! A snapshot that is deleted: what is outside the disks does not go, it is merged.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::uses::written::by_forgetting;

use super::snapshot::handle_of_snapshot;
use super::{needs, row};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::listed::owned;

const DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN: u32 = 275;
/// `VIR_DOMAIN_SNAPSHOT_DELETE_*`.
const CHILDREN: u32 = 1;
const METADATA_ONLY: u32 = 2;
const CHILDREN_ONLY: u32 = 4;
/// `VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS`.
const DESCENDANTS: u32 = 1;

impl Connection {
    /// DOMAIN_SNAPSHOT_DELETE: what a VM wrote after a snapshot that is outside its disks goes down into what
    /// it had before, which others may build upon too.
    pub(super) fn judge_snapshot_delete(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let needed = needs([row(Function::Checkpoint)], &Object::Vm(vm.clone()));
        if !self.may(call, &needed) || call.flag_bits() & METADATA_ONLY != 0 {
            return Ok(Forward { replaced, ..Forward::from(needed) });
        }
        let turn = self.take_turn(vm.uuid)?;
        let root = self.snapshot_of(call, &vm)?;
        let mut written = by_forgetting(&root);
        if call.flag_bits() & (CHILDREN | CHILDREN_ONLY) != 0 {
            for child in self.children_of(call, &vm)? {
                written.extend(by_forgetting(&self.snapshot_at(call, child)?));
            }
        }
        let turn = turn.and(self.insist_on_own_writes(call, &vm, written, &needed)?);
        let detail = format!("snapshot `{}`", root.text_of("name").unwrap_or_default());
        Ok(Forward { detail, replaced, turn: Some(turn), ..Forward::from(needed) })
    }

    /// All that were made on top of a snapshot.
    fn children_of(&mut self, call: &Call<'_>, vm: &Vm) -> Result<Vec<Value<'static>>, Fault> {
        let question = [handle_of_snapshot(call, vm)?, Value::Boolean(true), Value::Unsigned(DESCENDANTS)];
        let answer = self.ask(DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN, &question)?;
        let values = answer.values()?;
        Ok(values.first().map_or(&[][..], Value::parts).iter().cloned().map(owned).collect())
    }
}
