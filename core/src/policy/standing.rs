// SPDX-License-Identifier: Apache-2.0
//! One subject's roles under a policy, and what they carry.

use crate::authentication::Authentication;
use crate::object::Object;
use crate::policy::Policy;
use crate::policy::decision::{Decision, Denial, Permit, Reason};
use crate::policy::members::Held;
use crate::policy::request::{Need, Right};
use crate::policy::rule::Role;
use crate::policy::settings::RawDoors;
use crate::subject::Subject;

/// What a subject stands for under a policy. Looked up once, it can be asked many times, as for a
/// list of ten thousand VMs.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'p, 's> {
    pub(in crate::policy) policy: &'p Policy,
    pub(in crate::policy) subject: &'s Subject,
    pub(in crate::policy) held: Held,
}

impl<'p> Standing<'p, '_> {
    /// The roles that the subject holds and that count.
    pub fn roles(self) -> impl Iterator<Item = &'p Role> + use<'p> {
        self.policy.among(self.held.counted)
    }

    /// The roles that would count if a person stood behind the subject.
    pub(in crate::policy) fn withheld(self) -> impl Iterator<Item = &'p Role> + use<'p> {
        self.policy.among(self.held.withheld)
    }

    /// Whether the subject may know that an object exists.
    pub fn sees(self, object: &Object) -> bool {
        self.carrier(Right::View, object).is_ok()
    }

    /// Whether it may do all of this. A yes is no permit.
    pub fn may(self, needs: &[Need]) -> bool {
        !needs.is_empty() && needs.iter().all(|need| self.carrier(need.right, &need.object).is_ok())
    }

    /// The first role that carries a right on an object alone, or why none does.
    pub(in crate::policy) fn carrier(self, right: Right, object: &Object) -> Result<&'p Role, Reason> {
        self.counted_carrier(right, object)
            .map_err(|reason| self.want_of_a_person(right, object).unwrap_or(reason))
    }

    /// Whether nothing is missing but a person who has authenticated.
    fn want_of_a_person(self, right: Right, object: &Object) -> Option<Reason> {
        let Authentication::Nobody(absence) = self.subject.authentication else { return None };
        let shut = right == Right::Raw && self.policy.vm().raw == RawDoors::Nobody;
        let carries = |role: &&Role| role.offers(right, object) && role.reaches(right, object, self.subject);
        let role = self.withheld().find(carries).filter(|_| !shut)?;
        Some(Reason::NotAuthenticated { role: role.name.clone(), absence })
    }

    fn counted_carrier(self, right: Right, object: &Object) -> Result<&'p Role, Reason> {
        if self.held.counted.is_empty() {
            return Err(Reason::NoRole);
        }
        let mut holders = self.roles().filter(|role| role.offers(right, object)).peekable();
        if holders.peek().is_none() {
            return Err(Reason::NotGranted);
        }
        if right == Right::Raw && self.policy.vm().raw == RawDoors::Nobody {
            return Err(Reason::Forbidden(self.policy.raw_doors_are_shut()));
        }
        holders.find(|role| role.reaches(right, object, self.subject)).ok_or(Reason::NotOnThisObject)
    }

    /// Every need must be carried by one role alone, but not all by the same.
    pub(in crate::policy) fn judge(self, needs: &[Need]) -> Decision {
        let mut carriers = Vec::new();
        let mut unmet = Vec::new();
        for need in needs {
            match self.carrier(need.right, &need.object) {
                Ok(role) => carriers.push(role.name.as_str()),
                Err(reason) => unmet.push((need, reason)),
            }
        }
        match unmet.first() {
            Some((need, reason)) => Decision::Deny(Denial {
                need: (*need).clone(),
                missing: unmet.iter().map(|(need, _)| need.right).collect(),
                reason: reason.clone(),
                roles: self.role_names(),
            }),
            None if needs.is_empty() => Decision::Deny(self.nothing_asked()),
            None => Decision::Allow(Permit::new(needs.to_vec(), names(carriers))),
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

fn names(mut carriers: Vec<&str>) -> Vec<String> {
    carriers.sort_unstable();
    carriers.dedup();
    carriers.into_iter().map(str::to_owned).collect()
}
