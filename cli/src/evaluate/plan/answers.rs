// SPDX-License-Identifier: Apache-2.0
//! What the policy answers somebody who holds a role: asked by the same code that answers for policyd.

use std::collections::BTreeSet;
use std::sync::Arc;

use virtwarden_core::authentication::{Authenticated, Authentication, Factor, Origin};
use virtwarden_core::object::{Assignment, Object, Uuid, Vm};
use virtwarden_core::policy::Policy;
use virtwarden_core::policy::decision::Decision;
use virtwarden_core::policy::request::{Need, Request, Right};
use virtwarden_core::policy::rule::Role;
use virtwarden_core::policy::scope::VmScope;
use virtwarden_core::subject::{Account, Door, Group, Process, Subject};
use virtwarden_core::table3::{Column, Function};

use crate::evaluate::report::{self, State, Step, Verdict};

/// Whose a VM is, to the role that asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Within the role's reach.
    Own,
    /// Nobody's, and in no information domain.
    Nobodys,
}

/// Whether some role of a column has a function.
pub(super) fn is_held(policy: &Policy, function: Function, column: Column) -> bool {
    roles(policy, column).any(|role| role.holds(Right::Function(function)))
}

/// The answer to each role of a column; for functions on a VM, also on one that is not the role's.
pub(super) fn of(policy: &Policy, function: Function, column: Column) -> Vec<Step> {
    let mut steps = Vec::new();
    for role in roles(policy, column) {
        steps.push(answer(policy, role, function, Whose::Own));
        if function.operates_a_vm() && role.vms != VmScope::All {
            steps.push(answer(policy, role, function, Whose::Nobodys));
        }
    }
    steps
}

/// Roles that somebody can hold; what programs alone hold is bound by its own list of functions.
fn roles(policy: &Policy, column: Column) -> impl Iterator<Item = &Role> {
    policy.rules().filter(move |role| role.column == column && role.is_for_people())
}

fn answer(policy: &Policy, role: &Role, function: Function, whose: Whose) -> Step {
    let subject = holder(role);
    let object = if function.operates_a_vm() { vm(role, &subject, whose) } else { Object::Host };
    let needs = [Need { right: Right::Function(function), object }];
    let (granted, output) = match policy.decide(&Request { subject: &subject, needs: &needs }) {
        Decision::Allow(permit) => (true, format!("allowed: {}", permit.roles().join(", "))),
        Decision::Deny(denial) => (false, denial.message(&subject)),
    };
    let on = match (function.operates_a_vm(), whose) {
        (false, _) => "",
        (true, Whose::Own) => " of his own",
        (true, Whose::Nobodys) => " that is not his",
    };
    Step {
        what: format!("Asks the policy whether role `{}` may {}{on}.", role.name, function.title()),
        who: role.name.clone(),
        door: report::Door::Policy,
        command: String::new(),
        exit: None,
        output,
        state: State::NotCompared,
        records: Vec::new(),
        verdict: verdict(granted, role.holds(Right::Function(function)) && whose == Whose::Own),
    }
}

/// What is granted must be what the role's own list says.
fn verdict(granted: bool, listed: bool) -> Verdict {
    match (granted, listed) {
        (true, true) | (false, false) => Verdict::Pass,
        (true, false) => Verdict::fail("the policy lets it, which the role's list of functions does not"),
        (false, true) => Verdict::fail("the policy refuses it, which the role's list of functions gives"),
    }
}

/// Somebody who has logged in and holds the role and no other by name.
fn holder(role: &Role) -> Subject {
    let named = role.users.first().filter(|_| role.groups.is_empty());
    let account = Account { name: named.cloned().unwrap_or_else(|| "somebody".to_owned()), uid: 1000 };
    let groups = role.groups.first().map(|name| Group { name: name.clone(), gid: 1000 });
    let origin = Origin::Local { terminal: "tty1".to_owned() };
    let authenticated = Authenticated { origin, service: "login".to_owned(), factors: vec![Factor::Pam] };
    Subject {
        account,
        groups: groups.into_iter().collect(),
        login: None,
        authentication: Authentication::Person(authenticated),
        process: Process { pid: 1, start_time: 1 },
        door: Door::Libvirt,
    }
}

fn vm(role: &Role, subject: &Subject, whose: Whose) -> Object {
    let information_domain = match &role.vms {
        VmScope::InformationDomains(domains) => domains.keys().next().cloned(),
        VmScope::All | VmScope::Assigned => None,
    };
    let own = Assignment {
        users: BTreeSet::from([subject.account.clone()]),
        information_domain,
        ..Assignment::default()
    };
    let assignment = (whose == Whose::Own).then(|| Arc::new(own));
    Object::Vm(Vm { uuid: Uuid([0; 16]), name: "evaluated".to_owned(), assignment })
}
