// SPDX-License-Identifier: Apache-2.0
//! What goes on to libvirtd in place of what was sent, and what moves once libvirtd has said yes.

use virtwarden_core::media::Access;
use virtwarden_core::object::Vm;
use virtwarden_core::xml::change::{Change, Way};
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::reference::Carrier;

use super::JudgedMedia;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::moving::{Moved, Moves, Moving};

/// When a VM gets what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gate::judge) enum Comes {
    /// At once.
    Now,
    /// Devices, when it starts; discs are put into its drives now.
    Later,
    /// With its start.
    Start,
}

impl Connection {
    /// What goes to libvirtd in place of a device: for a medium, the very one that was judged.
    pub(in crate::gate::judge) fn device_to_send(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        judged: &JudgedMedia,
        element: &Element,
    ) -> Result<Element, Fault> {
        let Some(medium) = changes.iter().find_map(|change| change.medium.as_ref()) else {
            self.insist_on_access(call, judged)?;
            return Ok(element.clone());
        };
        match medium.source.reference().and_then(|there| judged.cleared.get(&there)) {
            None => Ok(medium.element.clone()),
            Some((_, cleared)) => medium
                .to_send(&cleared.medium, cleared.access)
                .map_err(|why| self.forbidden(call, &why, judged.needs.clone())),
        }
    }

    /// Refuses a device with which the guest could write to what it may only read.
    pub(in crate::gate::judge) fn insist_on_access(
        &self,
        call: &Call<'_>,
        judged: &JudgedMedia,
    ) -> Result<(), Fault> {
        for (carried, cleared) in judged.cleared.values() {
            if (carried.access, cleared.access) == (Access::ReadWrite, Access::ReadOnly) {
                let why = format!(
                    "`{}` may only be read, and the guest could write to it by its {}: define that with \
                     `<readonly/>`; {}",
                    cleared.medium.name, carried.device, cleared.rule
                );
                return Err(self.forbidden(call, &why, judged.needs.clone()));
            }
        }
        Ok(())
    }

    /// What comes and goes, for when libvirtd has said yes.
    pub(in crate::gate::judge) fn moving(
        &self,
        vm: &Vm,
        changes: &[Change],
        judged: JudgedMedia,
        comes: Comes,
    ) -> Moves {
        let media = || changes.iter().filter_map(|change| change.medium.as_ref());
        let mut moving = Vec::new();
        for medium in media() {
            let stays = medium.leaves == medium.source.reference();
            let left = medium.leaves.as_ref().filter(|_| !stays).and_then(|there| self.identity(there));
            let way = if medium.way == Way::Insert { Way::Eject } else { medium.way };
            moving.extend(left.map(|id| Moving { vm: vm.clone(), way, medium: Moved::Out(id) }));
        }
        for (carried, cleared) in judged.cleared.into_values() {
            let way = match carried.carrier {
                Carrier::Drive => Way::Insert,
                Carrier::Disk | Carrier::Device => Way::Connect,
            };
            if (carried.carrier, comes) != (Carrier::Device, Comes::Later) {
                moving.push(Moving { vm: vm.clone(), way, medium: Moved::In(Box::new(cleared)) });
            }
        }
        let start = (comes == Comes::Start).then(|| self.gate.monitor.media().starting(vm.uuid));
        Moves { moving, _start: start }
    }
}
