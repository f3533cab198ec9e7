// SPDX-License-Identifier: Apache-2.0
//! `vm sensitive`: the marker that keeps a VM's data with it. Rows 3, 8 and 21 of Table 3, FDP_VMS_EXT.1.

use virtwarden_core::control::{Failure, Mode, Reply, Request, VmRow};
use virtwarden_core::object::Sensitivity;
use virtwarden_core::policy::bounds::check_sensitivity;
use virtwarden_core::policy::sharing::{Member, Openings};
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::facts::Facts;

use crate::control::Control;
use crate::control::conclude::prefix;
use crate::control::failure::{failed, unavailable};
use crate::media::Wanted;

impl Control {
    /// Makes a VM sensitive, if it has nothing then that it could not keep; or ordinary again.
    pub(in crate::control) fn vm_sensitive(
        &self,
        subject: &Subject,
        request: &Request,
        vm: &str,
        to: Sensitivity,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let (row, attempt) =
            self.begin_on_vm(subject, request, vm, &format!("{}to {}", prefix(mode), to.word()))?;
        // Until it is done, nobody gives the VM what it could not keep.
        let turn = self.turn(row.uuid);
        let allowed = turn.as_ref().map(drop).map_err(Clone::clone).and_then(|()| match to {
            Sensitivity::Ordinary => Ok(()),
            Sensitivity::Sensitive => self.insist_on_keepable(subject, &row),
        });
        let plan = self.monitor.registry().plan_sensitivity(row.uuid, &row.name, to);
        self.finish(attempt, allowed.map(|()| plan), mode)
    }

    /// What it has, it would have still: that must go first.
    fn insist_on_keepable(&self, subject: &Subject, row: &VmRow) -> Result<(), Failure> {
        let open = self.monitor.sharing().declarations();
        if let Some(opening) = open.keys().find(|opening| opening.is_of(row.uuid)) {
            return Err(failed(format!(
                "a `{}` channel of the VM is open; close it first, see `virtwarden sharing list`",
                opening.channel
            )));
        }
        let shape = self.desk.plugs.look(subject, (row.uuid, &row.name)).map_err(unavailable)?;
        let definitions = shape.running.iter().chain(&shape.stored);
        definitions
            .map(|definition| definition.facts())
            .try_for_each(|facts| self.insist_on_bare(row, &facts))
    }

    fn insist_on_bare(&self, row: &VmRow, facts: &Facts) -> Result<(), Failure> {
        let sensitive = Member { sensitivity: Sensitivity::Sensitive, ..Member::new(&row.name) };
        let first = |what: &dyn std::fmt::Display| failed(format!("take it from the VM first: {what}"));
        check_sensitivity(facts, Sensitivity::Sensitive).map_err(|violation| first(&violation))?;
        Openings::default().check(sensitive, &facts.uses).map_err(|undeclared| first(&undeclared))?;
        let policy = self.monitor.policy();
        for carried in &facts.media {
            let Some(wanted) = Wanted::of(&carried.reference) else { continue };
            if let Ok(medium) = self.monitor.media().find(policy.policy.media(), &wanted) {
                return Err(failed(format!(
                    "`{}` ({}) is in the VM; take it out first",
                    medium.name, medium.id
                )));
            }
        }
        Ok(())
    }
}
