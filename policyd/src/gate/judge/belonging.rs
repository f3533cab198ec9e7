// SPDX-License-Identifier: Apache-2.0
//! What another VM has: as it is kept, or asked of libvirtd.

use std::sync::Arc;

use virtwarden_core::object::Vm;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::facts::Facts;
use virtwarden_core::xml::uses::{Chain, Use};

use super::files::End;
use super::present::Present;
use crate::belongings::Belonging;
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code, code_of};

impl Connection {
    /// What a VM has, asked for unless it is kept; none if there is no such VM any more.
    pub(super) fn belonging(&mut self, vm: &Vm) -> Result<Option<Arc<Belonging>>, Fault> {
        let belongings = self.gate.monitor.belongings().clone();
        let began = match belongings.recall(vm.uuid) {
            Ok(kept) => return Ok(Some(kept)),
            Err(began) => began,
        };
        let present = match self.present(vm) {
            Err(Fault::Theirs(error)) if code_of(&error) == Some(code::NO_DOMAIN) => return Ok(None),
            present => present?,
        };
        let belonging = self.belonging_of(&present)?;
        Ok(Some(belongings.keep(vm.uuid, began, belonging)))
    }

    fn belonging_of(&mut self, present: &Present) -> Result<Belonging, Fault> {
        let facts: Vec<Facts> = present.all().into_iter().map(Definition::facts).collect();
        let all: Vec<Use> = facts.iter().flat_map(|facts| facts.uses.clone()).collect();
        let uses = self.located(all.clone())?;
        let is_told =
            |usage: &Use| all.iter().any(|other| other.medium == usage.medium && other.chain == Chain::Told);
        let (mut below, mut lost) = (Vec::new(), Vec::new());
        for (usage, located) in all.iter().zip(&uses) {
            if is_told(usage) {
                continue;
            }
            let found = self.below(located)?;
            lost.extend((found.end == End::Lost).then(|| located.clone()));
            below.extend(found.files);
        }
        let disks =
            |facts: Facts| Facts { sources: facts.sources, volumes: facts.volumes, ..Facts::default() };
        Ok(Belonging { disks: facts.into_iter().map(disks).collect(), uses, below, lost })
    }
}
