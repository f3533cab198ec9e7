// SPDX-License-Identifier: Apache-2.0
//! A refusal in words, for the person who was refused.

use crate::policy::decision::{Denial, Reason};
use crate::policy::request::{Need, Right};
use crate::subject::Subject;

impl Denial {
    /// What the person reads: who, as what, may not do what, by which row, and what would help.
    pub fn message(&self, subject: &Subject) -> String {
        let name = &subject.account.name;
        let who = format!("{name} ({})", self.roles.join(", "));
        let object = &self.need.object;
        let refused = format!("access denied: {who} may not {}", self.acts());
        match &self.reason {
            Reason::NoRole => format!(
                "access denied: {name} holds no role here; an Administrator can grant one with virtwarden role add"
            ),
            Reason::NotAuthenticated { role, absence } => {
                format!("access denied: {name} holds role `{role}`, but {}", absence.advice())
            }
            Reason::NotGranted => refused,
            Reason::NotOnThisObject if self.need.names_its_object() => refused,
            Reason::NotOnThisObject => format!("{refused}: {object} is out of this role's reach"),
            Reason::Malformed(what) => format!("access denied: malformed request: {what}"),
            Reason::Forbidden(rule) => format!("{refused}: {rule}"),
        }
    }

    /// The same with nothing but the first right that is missing: for who names a thing that he may not
    /// know to be there. All that is missing would tell how it differs from what he proposed.
    pub fn first_message(&self, subject: &Subject) -> String {
        let (name, roles) = (&subject.account.name, self.roles.join(", "));
        let refused = format!("access denied: {name} ({roles}) may not {}", self.need.act());
        match &self.reason {
            // What would help is about the person and tells nothing of the thing.
            Reason::NotAuthenticated { role, absence } => {
                format!("{refused}: role `{role}` does not count here, {}", absence.advice())
            }
            Reason::NoRole
            | Reason::NotGranted
            | Reason::NotOnThisObject
            | Reason::Malformed(_)
            | Reason::Forbidden(_) => refused,
        }
    }

    /// The first need, then every other row of the table that is missing.
    fn acts(&self) -> String {
        let mut acts = vec![self.need.act()];
        for right in self.missing.iter().filter(|right| matches!(right, Right::Function(_))) {
            let act = Need { right: *right, object: self.need.object.clone() }.act();
            if !acts.contains(&act) {
                acts.push(act);
            }
        }
        acts.join(", ")
    }
}

impl Need {
    /// Whether [`Need::act`] names the object already.
    fn names_its_object(&self) -> bool {
        !matches!(self.right, Right::Function(_))
    }

    /// What is to be done, to follow "may not".
    fn act(&self) -> String {
        let object = &self.object;
        match self.right {
            Right::Function(function) => format!("{} (Table 3, {})", function.title(), function.number()),
            Right::View => format!("see {object}"),
            Right::Operate => format!("operate {object}"),
            Right::Guest => format!("act inside {object} through its guest agent"),
            Right::Administer => format!("administer {object}"),
            Right::Review => format!("review {object}"),
            Right::Raw => format!("pass a raw door of {object}"),
        }
    }
}
