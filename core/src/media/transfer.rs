// SPDX-License-Identifier: Apache-2.0
//! Whether a medium may go from one party to another. Total and pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::medium::{Kind, Medium};
use super::rule::{Access, Choice, Granted, Rule, Rules};
use crate::object::{Uuid, Vm};

/// Who can have a medium.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// The host: mounted, or in use by a process of the host.
    Host,
    /// A VM of an information domain.
    InformationDomain(String),
    /// A VM that is in no information domain: it shares with nobody.
    Vm(Uuid),
}

impl Party {
    /// The party that a VM belongs to.
    pub fn of(vm: &Vm) -> Self {
        let domain = vm.assignment.as_deref().and_then(|assignment| assignment.information_domain.clone());
        domain.map_or(Party::Vm(vm.uuid), Party::InformationDomain)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Host => f.write_str("the host"),
            Party::InformationDomain(name) => write!(f, "information domain `{name}`"),
            Party::Vm(_) => f.write_str("a VM that is in no information domain"),
        }
    }
}

/// On whose word a transfer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asker {
    /// Somebody who may configure the removable-media policy (row 10) connects it: an explicit grant.
    Administrator,
    /// A User, or something that happens by itself.
    User,
    /// A User of the receiving VM has confirmed this very transfer.
    Confirmed,
}

/// A medium on its way.
#[derive(Clone, Debug)]
pub struct Transfer<'a> {
    /// The medium.
    pub medium: &'a Medium,
    /// Who has it now.
    pub holder: Option<&'a Party>,
    /// Who shall have it.
    pub receiver: &'a Party,
    /// On whose word.
    pub asker: Asker,
}

/// A transfer that may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clearance {
    /// What the receiver may do with it.
    pub access: Access,
    /// The rule that said so, for the record: "`usb-storage`, `10-site.toml` line 3".
    pub rule: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It may happen.
    Allow(Clearance),
    /// It may once a User of the receiving VM has confirmed it.
    Ask {
        /// The rule that wants it so.
        rule: String,
    },
    /// It may not.
    Deny {
        /// Why, and what to do, for the person and the record.
        reason: String,
    },
}

impl Rules {
    /// Judges a transfer.
    pub fn transfer(&self, transfer: &Transfer<'_>) -> Verdict {
        let medium = transfer.medium;
        if medium.is_hub() {
            return deny(medium, "a hub is never given away");
        }
        match self.class_of(medium).map(|class| (class, class.rule.as_ref())) {
            Some((class, None)) => {
                deny(medium, &format!("device class `{}` is always denied ({})", class.name, class.place))
            }
            Some((class, Some(rule))) => judge(transfer, rule, &class.name),
            None if medium.is_input() && transfer.asker != Asker::Administrator => {
                deny(medium, "keyboards and mice stay with the host unless a device class names them")
            }
            None => self.kinds.get(&medium.kind).map_or_else(
                || deny(medium, &format!("no rule of the policy speaks of {}", medium.kind)),
                |rule| judge(transfer, rule, medium.kind.word()),
            ),
        }
    }

    /// Whether several may have it at once: then nobody's having it keeps another from it.
    pub fn may_be_in_many_places(&self, medium: &Medium) -> bool {
        self.rule_of(medium).is_some_and(|rule| may_be_in_many_places(medium, rule))
    }
}

fn judge(transfer: &Transfer<'_>, rule: &Rule, name: &str) -> Verdict {
    let told = format!("rule `{name}` = \"{}\" ({})", rule.choice.word(), rule.place);
    let cleared = || Verdict::Allow(Clearance { access: rule.access, rule: told.clone() });
    let elsewhere = transfer.holder.filter(|holder| *holder != transfer.receiver);
    if let (Some(holder), Choice::EjectFirst | Choice::Grant | Choice::AskUser) = (elsewhere, rule.choice)
        && !may_be_in_many_places(transfer.medium, rule)
    {
        return deny(transfer.medium, &format!("{holder} has it, eject it there first; {told}"));
    }
    match (rule.choice, transfer.asker) {
        (Choice::Deny, _) => deny(transfer.medium, &told),
        (Choice::EjectFirst, _)
        | (Choice::Grant | Choice::AskUser, Asker::Administrator)
        | (Choice::AskUser, Asker::Confirmed) => cleared(),
        (Choice::Grant, Asker::User | Asker::Confirmed) if is_granted(&rule.granted, transfer.receiver) => {
            cleared()
        }
        (Choice::Grant, Asker::User | Asker::Confirmed) => {
            let receiver = transfer.receiver;
            deny(transfer.medium, &format!("it is not granted to {receiver}, ask an administrator; {told}"))
        }
        (Choice::AskUser, Asker::User) => Verdict::Ask { rule: told },
    }
}

/// An image that nobody may write to carries nothing from one to another.
fn may_be_in_many_places(medium: &Medium, rule: &Rule) -> bool {
    medium.kind == Kind::Image && rule.access == Access::ReadOnly && rule.choice != Choice::EjectFirst
}

fn is_granted(granted: &Granted, receiver: &Party) -> bool {
    match (granted, receiver) {
        (Granted::AllVms, Party::InformationDomain(_) | Party::Vm(_)) => true,
        (Granted::Listed(names), Party::InformationDomain(name)) => names.contains(name),
        (Granted::Listed(names), Party::Host) => names.contains("host"),
        (Granted::AllVms, Party::Host) | (Granted::Listed(_), Party::Vm(_)) => false,
    }
}

fn deny(medium: &Medium, why: &str) -> Verdict {
    Verdict::Deny { reason: format!("`{}` ({}): {why}", medium.name, medium.id) }
}

#[cfg(test)]
mod tests;
