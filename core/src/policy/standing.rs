// SPDX-License-Identifier: Apache-2.0
//! One subject's roles under a policy, and what they carry.

use crate::object::Object;
use crate::policy::Policy;
use crate::policy::decision::{Decision, Denial, Permit, Reason};
use crate::policy::members::RoleSet;
use crate::policy::request::{Need, Right};
use crate::policy::rule::Role;
use crate::policy::settings::RawDoors;
use crate::subject::Subject;

/// What a subject stands for under a policy. Looked up once, it can be asked many times, as for a
/// list of ten thousand VMs.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    pub(in crate::policy) policy: &'a Policy,
    pub(in crate::policy) subject: &'a Subject,
    pub(in crate::policy) held: RoleSet,
}

impl<'a> Standing<'a> {
    /// The roles the subject holds.
    pub fn roles(self) -> impl Iterator<Item = &'a Role> {
        self.policy.among(self.held)
    }

    /// Whether the subject may know that an object exists.
    pub fn sees(self, object: &Object) -> bool {
        self.carrier(Right::View, object).is_ok()
    }

    /// The first role that carries a right on an object alone, or why none does.
    pub(in crate::policy) fn carrier(self, right: Right, object: &Object) -> Result<&'a Role, Reason> {
        if self.held.is_empty() {
            return Err(Reason::NoRole);
        }
        if right == Right::Raw && self.policy.vm().raw == RawDoors::Nobody {
            return Err(Reason::Forbidden(self.policy.raw_doors_are_shut()));
        }
        let mut holders = self.roles().filter(|role| role.holds(right)).peekable();
        let granted = holders.peek().is_some();
        let reason = if granted { Reason::NotOnThisObject } else { Reason::NotGranted };
        holders.find(|role| role.reaches(right, object, self.subject)).ok_or(reason)
    }

    /// Every need must be carried by one role alone, but not all by the same.
    pub(in crate::policy) fn judge(self, needs: &[Need]) -> Decision {
        let answers: Vec<_> =
            needs.iter().map(|need| (need, self.carrier(need.right, &need.object))).collect();
        match answers.iter().find_map(|(need, answer)| Some((need, answer.as_ref().err()?))) {
            Some((need, reason)) => Decision::Deny(Denial {
                need: (*need).clone(),
                missing: answers.iter().filter(|(_, a)| a.is_err()).map(|(need, _)| need.right).collect(),
                reason: reason.clone(),
                roles: self.role_names(),
            }),
            None if needs.is_empty() => Decision::Deny(self.nothing_asked()),
            None => {
                let mut roles: Vec<_> =
                    answers.iter().flat_map(|(_, a)| a.iter().map(|r| r.name.clone())).collect();
                roles.sort_unstable();
                roles.dedup();
                Decision::Allow(Permit::new(needs.to_vec(), roles))
            }
        }
    }

    /// A request that needs nothing is a mistake, and a mistake is not a way in.
    fn nothing_asked(self) -> Denial {
        Denial {
            need: Need { right: Right::Administer, object: Object::Host },
            missing: Vec::new(),
            reason: Reason::Malformed("the request needs nothing".to_owned()),
            roles: self.role_names(),
        }
    }

    fn role_names(self) -> Vec<String> {
        self.roles().map(|role| role.name.clone()).collect()
    }
}
