// SPDX-License-Identifier: Apache-2.0
//! Where saved states are: each VM has one directory, named by its UUID. Any other path is the host's.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::table3::Function;

use super::{media, need, needs, row};
use crate::gate::call::{Call, on_host};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};
use crate::monitor::Refusal;

/// Most saved states in a VM's own directory: each is as large as the VM's memory.
const SAVED_STATES: usize = 8;

impl Connection {
    /// Refuses, before anything is read, a path that is neither the subject's VM's nor open to him.
    pub(super) fn insist_on_place(&self, call: &Call<'_>, path: &str, wanted: &[Right]) -> Result<(), Fault> {
        if self.may(call, &[on_host(Right::Administer)]) {
            return Ok(());
        }
        let Some(uuid) = self.saved_vm(path) else {
            return Err(self.forbidden(call, &elsewhere(path), vec![on_host(Right::Administer)]));
        };
        let object = self.gate.monitor.vm(uuid, "");
        let needed = needs(wanted.iter().copied(), &object);
        if self.may(call, &needed) {
            return Ok(());
        }
        match self.gate.monitor.judge(&call.subject, call.procedure.name, needed) {
            Ok(_) => Ok(()),
            Err(Refusal::Hidden { .. }) => Err(Fault::Failed(code::ACCESS_DENIED, elsewhere(path))),
            Err(refusal @ (Refusal::Denied(_) | Refusal::Unrecorded(_))) => Err(refusal.into()),
        }
    }

    /// A path outside the VM's own directory, as a need; refused with a hint to who may not.
    pub(super) fn host_path(&self, call: &Call<'_>, path: &str, object: &Object) -> Result<Need, Fault> {
        let administer = need(Right::Administer, object);
        if self.may(call, std::slice::from_ref(&administer)) {
            return Ok(administer);
        }
        let suspend = need(row(Function::Suspend), object);
        Err(self.forbidden(call, &elsewhere(path), vec![suspend]))
    }

    /// Whose directory of saved states a path is directly in. Every spelling but the plain one is nobody's.
    pub(super) fn saved_vm(&self, path: &str) -> Option<Uuid> {
        let policy = self.gate.monitor.policy();
        let rest = path.strip_prefix(policy.policy.saved_directory().to_str()?)?.strip_prefix('/')?;
        let (directory, name) = rest.split_once('/')?;
        let plain = !matches!(name, "" | "." | "..") && !name.contains('/');
        let uuid = Uuid::parse(directory).filter(|uuid| uuid.to_string() == directory)?;
        (plain && media::is_safe_directory(policy.policy.saved_directory())).then_some(uuid)
    }

    /// Saving a VM again and again under new names would fill the host's disk.
    pub(super) fn insist_on_room(&self, call: &Call<'_>, path: &Path, needed: &[Need]) -> Result<(), Fault> {
        let entries = path.parent().and_then(|directory| std::fs::read_dir(directory).ok());
        let others = entries.into_iter().flatten().flatten().filter(|entry| entry.path() != path);
        if others.take(SAVED_STATES).count() < SAVED_STATES {
            return Ok(());
        }
        let why = format!(
            "the VM has {SAVED_STATES} saved states, save over one of them or ask an administrator to remove some"
        );
        Err(self.forbidden(call, &why, needed.to_vec()))
    }

    /// libvirt does not make directories. Should this fail, its own error says so.
    pub(super) fn make_saved_directory(&self, vm: Uuid) {
        let policy = self.gate.monitor.policy();
        let directory: &Path = policy.policy.saved_directory();
        let _exists = std::fs::DirBuilder::new().mode(0o700).create(directory.join(vm.to_string()));
    }
}

fn elsewhere(path: &str) -> String {
    format!("`{path}` is not in the VM's own directory of saved states, see `virtwarden vm show`")
}
