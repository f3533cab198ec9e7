// SPDX-License-Identifier: Apache-2.0
//! Names of VMs are one space for everybody, and libvirt tells with the UUID whose name is taken.
//!
//! Who gives his VM the name of one that he does not see hears what he would hear without the function at all:
//! the same words for every name, in the same error. That some names are refused and others are not cannot be
//! kept from him; that is for who chooses the names.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::handle::HandleKind;
use virtwarden_core::table3::Function;

use super::call::Call;
use super::connection::Connection;
use super::fault::Fault;
use crate::monitor::Refusal;

impl Connection {
    /// Refuses a new name that belongs to a VM which the subject does not see.
    pub(super) fn insist_on_free_name(&mut self, call: &Call<'_>, needs: &[Need]) -> Result<(), Fault> {
        let Some(name) = call.arguments.text("new_name") else { return Ok(()) };
        if !self.may(call, needs) || self.sees_all(call, HandleKind::Vm) {
            return Ok(());
        }
        let Some(other) = self.find_vm(None, name)? else { return Ok(()) };
        let needed = vec![Need { right: Right::Function(Function::ConfigureVms), object: Object::Vm(other) }];
        if self.may(call, &needed) {
            return Ok(());
        }
        match self.gate.monitor.judge(&call.subject, call.procedure.name, needed) {
            Ok(_permit) => Ok(()),
            Err(Refusal::Hidden { words, .. }) => Err(Refusal::Denied(words).into()),
            Err(refusal @ (Refusal::Denied(_) | Refusal::Unrecorded(_))) => Err(refusal.into()),
        }
    }
}
