// SPDX-License-Identifier: Apache-2.0
//! Whether a VM may have a medium: the one question that every door asks.

use std::fmt;

use virtwarden_core::media::{Access, Asker, Medium, Party, Source, Transfer, Verdict};
use virtwarden_core::object::Vm;
use virtwarden_core::policy::Policy;

use super::Media;
use super::claims::Claim;
use super::find::{Unclear, Wanted, find};
use super::holder::Holder;
use super::vms::Connected;

const SENSITIVE: &str = "the VM is sensitive and gets no removable medium; an Administrator may end that with \
                         `virtwarden vm sensitive VM off`";

/// The VM may have the medium. As long as this lives, no other VM gets it.
#[derive(Debug)]
#[must_use = "the medium is kept for the VM only as long as this lives; once libvirt has connected it, call `given`"]
pub struct Cleared {
    /// The medium: hand exactly this to libvirt.
    pub medium: Medium,
    /// What the VM may do with it.
    pub access: Access,
    /// The rule that said so, for the record.
    pub rule: String,
    /// On whose word.
    pub(super) asker: Asker,
    _claim: Option<Claim>,
}

/// Why the VM does not get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not one medium.
    Unclear(Unclear),
    /// It may not, for a reason that says what to do.
    Denied(String),
    /// It may, once a User of the VM has confirmed it.
    Ask {
        /// The medium.
        medium: Box<Medium>,
        /// The rule that wants it so.
        rule: String,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Unclear(unclear) => unclear.fmt(f),
            Refused::Denied(reason) => f.write_str(reason),
            Refused::Ask { medium, rule } => {
                write!(
                    f,
                    "`{}` ({}): confirm it with `virtwarden media confirm`; {rule}",
                    medium.name, medium.id
                )
            }
        }
    }
}

impl From<Unclear> for Refused {
    fn from(unclear: Unclear) -> Self {
        Refused::Unclear(unclear)
    }
}

impl Media {
    /// Judges. `vms` is asked only after the medium is kept for this VM, so it must answer with what is so then.
    ///
    /// # Errors
    /// Why the VM does not get it.
    pub fn judge(
        &self,
        policy: &Policy,
        vm: &Vm,
        asker: Asker,
        wanted: &Wanted<'_>,
        vms: &dyn Connected,
    ) -> Result<Cleared, Refused> {
        let (kernel, look) = self.look()?;
        let medium = find(&look, policy.media(), wanted)?;
        if !vm.sensitivity().is_ordinary() {
            return Err(Refused::Denied(format!("`{}` ({}): {SENSITIVE}", medium.name, medium.id)));
        }
        let (rules, receiver) = (policy.media_rules(), Party::of(vm));
        let transfer =
            |holder| rules.transfer(&Transfer { medium: &medium, holder, receiver: &receiver, asker });
        if let Verdict::Deny { reason } = transfer(None) {
            return Err(Refused::Denied(reason));
        }
        let claim = match rules.may_be_in_many_places(&medium) {
            true => None,
            false => Some(self.claims.claim(&medium.id, vm.uuid, &vm.name).map_err(|_| on_its_way(&medium))?),
        };
        let running = vms.running().map_err(|error| untold(&medium, &error))?;
        let holders = self.holders(kernel, &look, &medium, &running, vms);
        let holders = holders.map_err(|error| untold(&medium, &error))?;
        let parties: Vec<_> = holders.iter().filter_map(|holder| self.party(holder)).collect();
        let other = parties.iter().find(|party| **party != receiver).or(parties.first());
        let elsewhere = |holder: &Holder| matches!(holder, Holder::Vm { uuid, .. } if *uuid != vm.uuid);
        let alone = !rules.may_be_in_many_places(&medium);
        match transfer(other) {
            // Two VMs of one information domain may have it, but not at once.
            Verdict::Allow(_) | Verdict::Ask { .. } if alone && holders.iter().any(elsewhere) => {
                Err(Refused::Denied(format!(
                    "`{}` ({}): another VM has it, eject it there first",
                    medium.name, medium.id
                )))
            }
            Verdict::Allow(clearance)
                if is_whole(&medium, wanted) && clearance.access == Access::ReadOnly =>
            {
                Err(Refused::Denied(format!(
                    "`{}` ({}): it may only be read, and a USB device cannot be given so, connect it as a disk; {}",
                    medium.name, medium.id, clearance.rule
                )))
            }
            Verdict::Allow(clearance) => {
                self.release(&medium).map_err(|why| unreleased(&medium, &why))?;
                let (access, rule) = (clearance.access, clearance.rule);
                Ok(Cleared { medium, access, rule, asker, _claim: claim })
            }
            Verdict::Ask { rule } => Err(Refused::Ask { medium: Box::new(medium), rule }),
            Verdict::Deny { reason } => Err(Refused::Denied(with_host(reason, &holders))),
        }
    }
}

/// Whether a USB device is wanted with all that it can do, and not as a disk.
fn is_whole(medium: &Medium, wanted: &Wanted<'_>) -> bool {
    matches!((&medium.source, wanted), (Source::Usb(_), Wanted::Usb { .. } | Wanted::Typed(_)))
}

/// Who it is on its way to is nobody else's business.
fn on_its_way(medium: &Medium) -> Refused {
    Refused::Denied(format!(
        "`{}` ({}) is being connected to another VM at this moment, try again later",
        medium.name, medium.id
    ))
}

/// What the host keeps its drivers from cannot be claimed by an emulator either, before it is released.
fn unreleased(medium: &Medium, why: &str) -> Refused {
    Refused::Denied(format!("`{}` ({}): the host does not release it: {why}", medium.name, medium.id))
}

/// Who cannot be told to have it may have it.
fn untold(medium: &Medium, error: &str) -> Refused {
    Refused::Denied(format!("`{}` ({}): cannot tell who has it: {error}", medium.name, medium.id))
}

/// What the host does with it is no secret, and tells what to end.
fn with_host(reason: String, holders: &[Holder]) -> String {
    let host = holders.iter().find(|holder| matches!(holder, Holder::Host { .. }));
    host.map_or(reason.clone(), |host| format!("{reason}; now with {host}"))
}
