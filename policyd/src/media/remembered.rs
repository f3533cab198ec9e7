// SPDX-License-Identifier: Apache-2.0
//! What VMs have by our own knowledge, for who may not ask libvirtd: while its hook runs it holds the VM that starts,
//! and would not answer before we do.

use virtwarden_core::object::Uuid;

use super::Media;
use super::store::{Entry, Standing};
use super::vms::{Connected, Having, Reference};

/// What was given and has not been taken.
#[derive(Debug)]
pub struct Remembered<'a>(pub &'a Media);

impl Connected for Remembered<'_> {
    fn running(&self) -> Result<Vec<Having>, String> {
        let has = |entry: &Entry| entry.standing == Standing::Has;
        Ok(self.0.history().into_iter().filter(has).map(having).collect())
    }

    fn vm(&self, uuid: Uuid) -> Result<Option<Having>, String> {
        Ok(self.running()?.into_iter().find(|having| having.uuid == uuid))
    }
}

fn having(entry: Entry) -> Having {
    Having { uuid: entry.vm, name: entry.vm_name, references: vec![Reference::Known(entry.id)] }
}
