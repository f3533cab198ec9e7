// SPDX-License-Identifier: Apache-2.0
//! Decide, record, act, record: the only way to a permit in a running system, whichever door was used.

mod attempt;
mod describe;
mod keeping;
mod made;

use std::fmt;
use std::sync::Arc;

use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::policy::decision::{Decision, Denial, Permit, Reason};
use virtwarden_core::policy::request::{Need, Request, Right};
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::subject::Subject;

use crate::belongings::Belongings;
use crate::media::Media;
use crate::networks::Book;
use crate::policies::{InForce, Policies};
use crate::registry::Registry;
use crate::sessions::Sessions;
use crate::sharing::Sharing;
pub use attempt::Attempt;
use describe::describe;
pub use describe::{actor, target};
use made::Made;

/// Where events are written: the audit trail.
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Writes an attempt; it is durable when this returns its number.
    ///
    /// # Errors
    /// It could not be written, so the act must not happen.
    fn attempt(&self, event: Event) -> Result<u64, String>;
    /// As [`Ledger::attempt`], of what is to make room in a trail that is full.
    ///
    /// # Errors
    /// As there.
    fn attempt_to_make_room(&self, event: Event) -> Result<u64, String> {
        self.attempt(event)
    }
    /// As [`Ledger::attempt`], of who copies a trail that is full before it is deleted.
    ///
    /// # Errors
    /// As there.
    fn attempt_to_save(&self, event: Event) -> Result<u64, String> {
        self.attempt(event)
    }
    /// Writes what happened, in order, soon.
    fn note(&self, event: Event);
    /// Writes a refusal; alike ones of one subject may be counted together.
    fn deny(&self, event: Event);
}

/// How an attempt is written.
pub type Record = fn(&dyn Ledger, Event) -> Result<u64, String>;
/// As any attempt: a full trail takes none.
pub const IN_ITS_TURN: Record = |ledger, event| ledger.attempt(event);
/// Of what is to make room in the trail: a full one still takes the record.
pub const TO_MAKE_ROOM: Record = |ledger, event| ledger.attempt_to_make_room(event);
/// Of who copies the trail: a full one still takes a few, for nobody should delete what he has no copy of.
pub const TO_SAVE: Record = |ledger, event| ledger.attempt_to_save(event);

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The object is not for this subject to know about: answer as if it did not exist.
    Hidden {
        /// What it is.
        object: Object,
        /// The denial, for who named the object himself in order to make it: it tells nothing of what there is.
        words: String,
    },
    /// The subject may not; the text is for the subject.
    Denied(String),
    /// The trail takes no record, so nothing that needs one can happen.
    Unrecorded(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Hidden { object, .. } => write!(f, "there is no {object}"),
            Refusal::Denied(text) => f.write_str(text),
            Refusal::Unrecorded(why) => {
                write!(f, "access denied: the audit trail takes no records ({why}), tell an Administrator")
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// The policy, the registry, the networks, the sessions and the trail, together.
#[derive(Debug)]
pub struct Monitor {
    policies: Policies,
    registry: Arc<Registry>,
    networks: Arc<Book>,
    ledger: Arc<dyn Ledger>,
    sessions: Arc<Sessions>,
    sharing: Sharing,
    made: Made,
    media: Arc<Media>,
    belongings: Arc<Belongings>,
}

impl Monitor {
    /// Puts the five together.
    pub fn new(
        policies: Policies,
        registry: Arc<Registry>,
        networks: Arc<Book>,
        ledger: Arc<dyn Ledger>,
        sessions: Arc<Sessions>,
    ) -> Self {
        let (media, sharing) = (Arc::new(Media::blind(registry.clone())), Sharing::default());
        let (made, belongings) = (Made::default(), Arc::default());
        Self { policies, registry, networks, ledger, sessions, sharing, made, media, belongings }
    }

    /// The same, with the channels that were opened.
    #[must_use]
    pub fn with_sharing(self, sharing: Sharing) -> Self {
        Self { sharing, ..self }
    }

    /// What VMs may share.
    pub fn sharing(&self) -> &Sharing {
        &self.sharing
    }

    /// With eyes for removable media. Without, it refuses all of them.
    #[must_use]
    pub fn seeing(self, media: Arc<Media>) -> Self {
        Self { media, ..self }
    }

    /// Removable media: what is there, who has it, who may.
    pub fn media(&self) -> &Arc<Media> {
        &self.media
    }

    /// What VMs have, for comparison.
    pub fn belongings(&self) -> &Arc<Belongings> {
        &self.belongings
    }

    /// Who is logged in.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// The policy's files and their reload.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The policy that decides now.
    pub fn policy(&self) -> Arc<InForce> {
        self.policies.current()
    }

    /// Whose VM is whose.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Which networks there are, and whose.
    pub fn networks(&self) -> &Arc<Book> {
        &self.networks
    }

    /// The trail.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// A VM as a decision sees it, with its assignment of this moment.
    pub fn vm(&self, uuid: Uuid, name: &str) -> Object {
        Object::Vm(self.known_vm(uuid, name))
    }

    /// A VM with its assignment of this moment.
    pub fn known_vm(&self, uuid: Uuid, name: &str) -> Vm {
        Vm { uuid, name: name.to_owned(), assignment: self.registry.vm(uuid) }
    }

    /// Decides, and records before the act what must be recorded.
    ///
    /// # Errors
    /// The subject may not, must not know, or the trail is shut.
    pub fn judge(&self, subject: &Subject, operation: &str, needs: Vec<Need>) -> Result<Attempt, Refusal> {
        self.judge_in_detail(subject, operation, "", needs)
    }

    /// As [`Monitor::judge`], with words for the record on what is attempted.
    ///
    /// # Errors
    /// As there.
    pub fn judge_in_detail(
        &self,
        subject: &Subject,
        operation: &str,
        detail: &str,
        needs: Vec<Need>,
    ) -> Result<Attempt, Refusal> {
        self.judge_and_record(subject, (operation, detail), needs, IN_ITS_TURN)
    }

    /// As [`Monitor::judge_in_detail`], recorded in this way.
    ///
    /// # Errors
    /// As there.
    pub fn judge_and_record(
        &self,
        subject: &Subject,
        what: (&str, &str),
        needs: Vec<Need>,
        record: Record,
    ) -> Result<Attempt, Refusal> {
        let policy = self.policies.current();
        match policy.policy.decide(&Request { subject, needs: &needs }) {
            Decision::Allow(permit) => self.begin(subject, what, permit, record),
            Decision::Deny(denial) => Err(self.refuse(&policy, subject, what.0, &denial, &needs)),
        }
    }

    /// Whether the policy would say yes now. Records nothing and permits nothing.
    pub fn would_allow(&self, subject: &Subject, needs: &[Need]) -> bool {
        self.policies.current().policy.standing(subject).may(needs)
    }

    /// Refuses and records without asking the policy: the request is malformed, or a rule that binds
    /// everybody forbids it.
    pub fn forbid(&self, subject: &Subject, operation: &str, reason: Reason, needs: Vec<Need>) -> Refusal {
        let policy = self.policies.current();
        let roles = policy.policy.roles(subject).iter().map(|role| role.name.clone()).collect();
        let need = needs.first().cloned().unwrap_or(Need { right: Right::Administer, object: Object::Host });
        let denial = Denial { need, missing: Vec::new(), reason, roles };
        self.refuse(&policy, subject, operation, &denial, &needs)
    }

    /// Records that somebody was turned away for want of room, before he could ask for anything.
    pub fn turn_away(&self, subject: &Subject, operation: &str, why: &str) {
        let policy = self.policies.current();
        let roles: Vec<_> = policy.policy.roles(subject).iter().map(|role| role.name.clone()).collect();
        let mut event = describe(Kind::Denial, subject, &roles, operation, &[]);
        event.outcome = Outcome::Denied;
        why.clone_into(&mut event.detail);
        self.ledger.deny(event);
    }

    fn begin(
        &self,
        subject: &Subject,
        (operation, detail): (&str, &str),
        permit: Permit,
        record: Record,
    ) -> Result<Attempt, Refusal> {
        if permit.needs().iter().all(|need| is_reading(need.right)) {
            return Ok(Attempt { ledger: self.ledger.clone(), permit, begun: None });
        }
        let mut event = describe(Kind::Attempt, subject, permit.roles(), operation, permit.needs());
        detail.clone_into(&mut event.detail);
        match record(&*self.ledger, event.clone()) {
            Ok(sequence) => {
                Ok(Attempt { ledger: self.ledger.clone(), permit, begun: Some((sequence, event)) })
            }
            Err(why) => Err(Refusal::Unrecorded(why)),
        }
    }

    fn refuse(
        &self,
        policy: &InForce,
        subject: &Subject,
        operation: &str,
        denial: &Denial,
        needs: &[Need],
    ) -> Refusal {
        let hidden = needs.iter().find(|need| !policy.policy.standing(subject).sees(&need.object));
        let text = denial.message(subject);
        let mut event = describe(Kind::Denial, subject, &denial.roles, operation, needs);
        event.outcome = Outcome::Denied;
        event.detail.clone_from(&text);
        self.ledger.deny(event);
        match (hidden, &denial.reason) {
            (Some(need), Reason::NotGranted | Reason::NotOnThisObject | Reason::Forbidden(_)) => {
                Refusal::Hidden { object: need.object.clone(), words: denial.first_message(subject) }
            }
            // To what is a User without a login, other people's VMs do not exist either.
            (Some(need), Reason::NotAuthenticated { .. }) if !denial.roles.is_empty() => {
                Refusal::Hidden { object: need.object.clone(), words: denial.first_message(subject) }
            }
            (Some(_), Reason::NotAuthenticated { .. } | Reason::NoRole | Reason::Malformed(_))
            | (None, _) => Refusal::Denied(text),
        }
    }
}

/// Looking on and operating one's own VM leave no record unless refused.
fn is_reading(right: Right) -> bool {
    matches!(right, Right::View | Right::Operate)
}

#[cfg(test)]
mod tests;
