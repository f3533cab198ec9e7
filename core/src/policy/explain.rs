// SPDX-License-Identifier: Apache-2.0
//! Why a decision is as it is, and what somebody holds in all.

use crate::policy::Policy;
use crate::policy::decision::Reason;
use crate::policy::place::Place;
use crate::policy::request::{Need, Request, Right};
use crate::policy::rule::Role;
use crate::policy::standing::Standing;
use crate::subject::Subject;
use crate::table3::{Cell, Column, Function};

/// A role that grants a right, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant<'p> {
    /// The role.
    pub role: &'p Role,
    /// Where it is granted the right.
    pub place: &'p Place,
}

/// How one need of a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'p> {
    /// The need.
    pub need: Need,
    /// The grant that carries it, or why none does. Decisions come out the same way.
    pub answer: Result<Grant<'p>, Reason>,
    /// Roles that the subject does not hold and that would carry it.
    pub would_carry: Vec<Grant<'p>>,
}

/// A right that somebody holds, by all the roles that grant it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding<'p> {
    /// The right.
    pub right: Right,
    /// Who grants it; each with the scopes of its own role.
    pub grants: Vec<Grant<'p>>,
}

impl Policy {
    /// Explains the decision on a request, need by need.
    pub fn explain<'p>(&'p self, request: &Request<'_>) -> Vec<Explanation<'p>> {
        let standing = self.standing(request.subject);
        request.needs.iter().map(|need| explain(standing, need)).collect()
    }

    /// Every right that a subject holds on anything.
    pub fn effective<'p>(&'p self, subject: &Subject) -> Vec<Holding<'p>> {
        let standing = self.standing(subject);
        let grants = |right| standing.roles().filter_map(move |role| grant(role, right)).collect::<Vec<_>>();
        let holdings = Right::all().map(|right| Holding { right, grants: grants(right) });
        holdings.filter(|holding| !holding.grants.is_empty()).collect()
    }

    /// What Table 3 requires Administrators to hold and no role of theirs with a member does. Such a
    /// policy is legal, but somebody should be warned: nobody could manage the host in this respect.
    pub fn unheld(&self) -> Vec<Function> {
        let manned = |role: &&Role| {
            role.column == Column::Administrator && !(role.users.is_empty() && role.groups.is_empty())
        };
        let held = |function| self.rules().filter(manned).any(|role| role.holds(Right::Function(function)));
        let required = |function: &Function| function.cell(Column::Administrator) == Cell::Mandatory;
        Function::ALL.into_iter().filter(required).filter(|function| !held(*function)).collect()
    }
}

fn explain<'p>(standing: Standing<'p, '_>, need: &Need) -> Explanation<'p> {
    let answer = standing
        .carrier(need.right, &need.object)
        .and_then(|role| grant(role, need.right).ok_or(Reason::NotGranted));
    let held: Vec<_> = standing.roles().chain(standing.withheld()).collect();
    let would_carry = standing
        .policy
        .rules()
        .filter(|role| !held.contains(role) && role.is_for_people())
        .filter(|role| role.reaches(need.right, &need.object, standing.subject))
        .filter_map(|role| grant(role, need.right))
        .collect();
    Explanation { need: need.clone(), answer, would_carry }
}

fn grant(role: &Role, right: Right) -> Option<Grant<'_>> {
    role.granted(right).map(|place| Grant { role, place })
}

impl Explanation<'_> {
    /// For people, one reason a line.
    pub fn lines(&self) -> Vec<String> {
        let (right, object) = (self.need.right.word(), &self.need.object);
        let mut lines = vec![match &self.answer {
            Ok(grant) => {
                format!("role `{}` grants `{right}` on {object} ({})", grant.role.name, grant.place)
            }
            Err(Reason::NoRole) => "the account holds no role".to_owned(),
            Err(Reason::NotAuthenticated { role, absence }) => {
                format!("role `{role}` grants `{right}` on {object}, but {}", absence.advice())
            }
            Err(Reason::NotGranted) => format!("no role of the account grants `{right}`"),
            Err(Reason::NotOnThisObject) => {
                format!("a role of the account grants `{right}`, but does not reach {object}")
            }
            Err(Reason::Malformed(what)) => format!("the request is malformed: {what}"),
            Err(Reason::Forbidden(rule)) => rule.clone(),
        }];
        if self.answer.is_err() {
            lines.extend(
                self.would_carry
                    .iter()
                    .map(|grant| format!("role `{}` would carry it ({})", grant.role.name, grant.place)),
            );
        }
        lines
    }
}
