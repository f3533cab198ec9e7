// SPDX-License-Identifier: Apache-2.0
//! Removable media for people: rows 10 and 21 of Table 3, FPT_RDM_EXT.1.
//!
//! What is asked for here is done by policyd itself, over its own link, after the same judgement that any other door
//! passes: the right on the VM, then the medium's rule, then the record, then the act.

mod confirm;
mod device;
mod drive;
mod eject;
mod give;
mod keeper;
mod list;
mod plugs;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use virtwarden_core::control::{Failure, Mode, Reply, Request};
use virtwarden_core::media::{Asker, Id, Medium};
use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;

pub use self::keeper::{Cleared, HostMedia, Keeper};
pub use self::plugs::{Plugs, Reach, Shape};
use super::Control;
use super::conclude::prefix;
use super::failure::{denied, failed, no_vm, not_found, unavailable};
use crate::confirmations::Confirmations;
use crate::gate::turns::{Matter, Turn, Turns};
use crate::monitor::{Attempt, Refusal};

/// The longest wait for another change of the VM.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECT: Right = Right::Function(Function::ConnectRemovable);
const POLICY: Right = Right::Function(Function::MediaPolicy);

/// What requests about media are answered from.
pub struct Desk {
    /// Which media there are and where each may go.
    pub keeper: Box<dyn Keeper>,
    /// The VMs' drives and ports.
    pub plugs: Box<dyn Plugs>,
    /// What waits to be confirmed.
    pub confirmations: Arc<Confirmations>,
    /// One change of a VM at a time.
    pub turns: Arc<Turns>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}

/// A request about a VM's media, with the VM that it names.
#[derive(Clone, Copy, Debug)]
struct Asking<'a> {
    subject: &'a Subject,
    request: &'a Request,
    vm: &'a Vm,
    asker: Asker,
    mode: Mode,
}

impl Asking<'_> {
    /// The right on the VM; the medium, for the record and the refusal; and the row by which an Administrator's own
    /// act is a grant.
    fn needs(&self, medium: Option<&Id>) -> Vec<Need> {
        let vm = || Object::Vm(self.vm.clone());
        let mut needs = vec![Need { right: CONNECT, object: vm() }];
        if self.asker == Asker::Administrator {
            needs.push(Need { right: POLICY, object: vm() });
        }
        let medium = medium.map(|id| Need { right: CONNECT, object: Object::Medium(id.0.clone()) });
        needs.into_iter().chain(medium).collect()
    }

    /// `dry run: ` where nothing is to happen.
    fn prefix(&self) -> &'static str {
        prefix(self.mode)
    }
}

impl Control {
    /// The VM that was typed, if the asker may connect media to it; recorded where he may not.
    fn receiving_vm(&self, subject: &Subject, request: &Request, typed: &str) -> Result<Vm, Failure> {
        let row = self.find(subject, typed)?;
        let vm = self.monitor.known_vm(row.uuid, &row.name);
        let right = [Need { right: CONNECT, object: Object::Vm(vm.clone()) }];
        if self.monitor.would_allow(subject, &right) {
            return Ok(vm);
        }
        let asking = Asking { subject, request, vm: &vm, asker: Asker::User, mode: Mode::Apply };
        match self.attempt(&asking, None, "") {
            Err(failure) if failure == no_vm(&row.name) => Err(no_vm(typed)),
            Err(failure) => Err(failure),
            Ok(_) => Err(denied("access denied: the policy has just changed, try again")),
        }
    }

    /// Whose word it is: who may set the rules makes an exception from them by his own act.
    fn asker(&self, subject: &Subject, vm: &Vm) -> Asker {
        let needs = [Need { right: POLICY, object: Object::Vm(vm.clone()) }];
        if self.monitor.would_allow(subject, &needs) { Asker::Administrator } else { Asker::User }
    }

    /// The VM's turn: nothing else changes it meanwhile.
    pub(super) fn turn(&self, vm: Uuid) -> Result<Turn, Failure> {
        self.desk.turns.wait(Matter::Vm(vm), PATIENCE).ok_or_else(|| {
            unavailable("another change of this VM is under way, try again when it is done".to_owned())
        })
    }

    /// Decides and records the attempt.
    fn attempt(&self, asking: &Asking<'_>, medium: Option<&Id>, detail: &str) -> Result<Attempt, Failure> {
        let detail = format!("{}{detail}", asking.prefix());
        let (operation, needs) = (asking.request.operation(), asking.needs(medium));
        let judged = self.monitor.judge_in_detail(asking.subject, operation, &detail, needs);
        if judged.as_ref().is_ok_and(Attempt::is_recorded) {
            self.monitor.sessions().touch(asking.subject.login.as_ref(), (self.clock)());
        }
        judged.map_err(|refusal| Self::told(asking, refusal))
    }

    /// Records an attempt that came to nothing before anything was done.
    fn fail(&self, asking: &Asking<'_>, medium: Option<&Id>, failure: Failure) -> Failure {
        match self.attempt(asking, medium, "") {
            Ok(attempt) => {
                attempt.finish(Outcome::Failure, &failure.message);
                failure
            }
            Err(refused) => refused,
        }
    }

    /// Refuses by the medium's rule, and records that.
    fn forbid(&self, asking: &Asking<'_>, medium: &Id, why: &str) -> Failure {
        let needs = asking.needs(Some(medium));
        let reason = Reason::Forbidden(why.to_owned());
        let refusal = self.monitor.forbid(asking.subject, asking.request.operation(), reason, needs);
        Self::told(asking, refusal)
    }

    fn told(asking: &Asking<'_>, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Hidden { .. } => no_vm(&asking.vm.name),
            Refusal::Denied(text) => denied(text),
            Refusal::Unrecorded(_) => unavailable(refusal.to_string()),
        }
    }

    /// What somebody asks for a VM and a medium, both as he typed them.
    fn with_medium(
        &self,
        (subject, request, mode): (&Subject, &Request, Mode),
        (vm, medium): (&str, &str),
        act: impl FnOnce(&Asking<'_>, &Medium) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let vm = self.receiving_vm(subject, request, vm)?;
        let asking = Asking { subject, request, vm: &vm, asker: self.asker(subject, &vm), mode };
        let medium = self.medium(&asking, medium)?;
        act(&asking, &medium)
    }

    /// The one medium that was typed. That there is none, or more than one, is recorded.
    fn medium(&self, asking: &Asking<'_>, typed: &str) -> Result<Medium, Failure> {
        let policy = self.monitor.policy();
        let found = self.desk.keeper.find(&policy.policy, typed);
        found.map_err(|unclear| self.fail(asking, None, not_found(unclear.to_string())))
    }

    /// How it ended.
    fn conclude(&self, attempt: Attempt, done: Result<(), String>) -> Result<(), Failure> {
        match done {
            Ok(()) => {
                attempt.finish(Outcome::Success, "");
                Ok(())
            }
            Err(why) => {
                attempt.finish(Outcome::Failure, &why);
                Err(failed(why))
            }
        }
    }
}
