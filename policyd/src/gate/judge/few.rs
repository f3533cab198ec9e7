// SPDX-License-Identifier: Apache-2.0
//! How many snapshots and checkpoints a VM may have: each fills the host's disk with what changes after it.

use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::value::Value;

use super::needs;
use super::present::handle_of;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};

const DOMAIN_SNAPSHOT_NUM: u32 = 187;
const DOMAIN_LIST_ALL_CHECKPOINTS: u32 = 413;

impl Connection {
    /// Refuses one more than the policy allows to who does not administer the VM. Call it under the VM's turn.
    pub(super) fn insist_on_few(
        &mut self,
        call: &Call<'_>,
        image: Image,
        vm: &Vm,
        needed: &[Need],
    ) -> Result<(), Fault> {
        let object = Object::Vm(vm.clone());
        if !self.may(call, needed) || self.may(call, &needs([Right::Administer], &object)) {
            return Ok(());
        }
        let most = self.gate.monitor.policy().policy.vm().snapshots;
        let there = match image {
            Image::Snapshot => self.ask(DOMAIN_SNAPSHOT_NUM, &[handle_of(vm), Value::Unsigned(0)])?,
            Image::Checkpoint => {
                let count = [handle_of(vm), Value::Boolean(false), Value::Unsigned(0)];
                self.ask(DOMAIN_LIST_ALL_CHECKPOINTS, &count)?
            }
        };
        let values = there.values()?;
        let Some(Value::Int(there)) = values.last() else { return Err(no_number()) };
        if u64::try_from(*there).is_ok_and(|there| there < most) {
            return Ok(());
        }
        let why = format!(
            "the VM has {there} {}, and `snapshots` in [vm] of the policy allows {most}: delete one or ask an administrator",
            image.word()
        );
        Err(self.forbidden(call, &why, needed.to_vec()))
    }
}

/// What is taken of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Image {
    Snapshot,
    Checkpoint,
}

impl Image {
    const fn word(self) -> &'static str {
        match self {
            Image::Snapshot => "snapshots",
            Image::Checkpoint => "checkpoints",
        }
    }
}

fn no_number() -> Fault {
    Fault::Failed(code::RPC, "libvirtd does not say how many there are".to_owned())
}
