// SPDX-License-Identifier: Apache-2.0
//! `role review`: who can do what on which VM, by the policy, the groups and the assignments of this moment.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use virtwarden_core::control::{AccessRow, AccessTo, Failure, Reply, Request};
use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::Policy;
use virtwarden_core::policy::request::Right;
use virtwarden_core::policy::rule::Role;
use virtwarden_core::policy::scope::VmScope;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;

use super::archive::Flow;
use super::{Control, Listener, people};

/// Accounts from this number on are people's, on Debian.
const FIRST_PERSON: u32 = 1000;
/// And up to this one.
const LAST_PERSON: u32 = 59_999;

impl Control {
    /// Streams a line for each person, role and thing that the role reaches.
    pub(super) fn role_review(
        &self,
        subject: &Subject,
        request: &Request,
        now: Instant,
        listener: &mut dyn Listener,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let policy = self.monitor.policy();
        let mut sent = 0;
        for row in
            self.everybody(&policy.policy).iter().flat_map(|name| self.of_person(&policy.policy, name, now))
        {
            sent += 1;
            if listener.take(Reply::Access(row)) == Flow::Stop {
                break;
            }
        }
        attempt.finish(Outcome::Success, &format!("rows: {sent}"));
        Ok(Reply::End { replies: sent })
    }

    /// Whoever the policy or an assignment names, by himself or by a group, and the people of this host.
    fn everybody(&self, policy: &Policy) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let of_groups = |groups: &mut dyn Iterator<Item = &String>| {
            groups.flat_map(|group| people::members(group).unwrap_or_default()).collect::<Vec<_>>()
        };
        for role in policy.rules() {
            names.extend(role.users.iter().chain(&role.services).cloned());
            names.extend(of_groups(&mut role.groups.iter()));
        }
        for entry in self.monitor.registry().entries().values() {
            names.extend(entry.assignment.users.iter().map(|user| user.name.clone()));
            names.extend(of_groups(&mut entry.assignment.groups.iter().map(|group| &group.name)));
        }
        names.extend(local_people(&fs::read_to_string("/etc/passwd").unwrap_or_default()));
        names
    }

    fn of_person(&self, policy: &Policy, name: &str, now: Instant) -> Vec<AccessRow> {
        match self.imagine(name, now) {
            Ok(subject) => {
                policy.roles(&subject).into_iter().flat_map(|role| self.of_role(role, &subject)).collect()
            }
            Err(_) => policy.rules().filter_map(|role| nobody(role, name)).collect(),
        }
    }

    fn of_role(&self, role: &Role, subject: &Subject) -> Vec<AccessRow> {
        let row = |to, rights: Vec<Right>, reach: String| AccessRow {
            person: subject.account.name.clone(),
            to,
            rights,
            role: role.name.clone(),
            column: role.column,
            through: through(role, subject),
            reach,
            place: role.place.to_string(),
        };
        let held: Vec<_> = Right::all().filter(|right| *right != Right::View && role.holds(*right)).collect();
        let (on_vms, on_host): (Vec<_>, Vec<_>) = held.into_iter().partition(|right| is_about_vms(*right));
        let mut rows = Vec::new();
        if !on_host.is_empty() {
            rows.push(row(AccessTo::Host, on_host, "the host".to_owned()));
        }
        if role.vms == VmScope::All {
            rows.push(row(AccessTo::EveryVm, on_vms, "all".to_owned()));
            return rows;
        }
        for (uuid, entry) in self.monitor.registry().entries().iter() {
            let vm = self.monitor.known_vm(*uuid, &entry.name);
            if let Some(reach) = reach(role, &vm, subject) {
                let to = AccessTo::Vm { uuid: *uuid, name: entry.name.clone() };
                rows.push(row(to, on_vms.clone(), reach));
            }
        }
        rows
    }
}

/// Rights that are held on a VM; whoever has them on none has nothing by them.
const fn is_about_vms(right: Right) -> bool {
    match right {
        Right::Function(Function::ConfigureVms | Function::ConfigureDevices | Function::ConfigureSharing) => {
            true
        }
        Right::Function(function) => function.operates_a_vm(),
        Right::View | Right::Operate | Right::Guest => true,
        Right::Administer | Right::Review | Right::Raw => false,
    }
}

/// How a person comes to a role.
fn through(role: &Role, subject: &Subject) -> Vec<String> {
    let name = &subject.account.name;
    let named = role.users.contains(name).then(|| format!("user {name}"));
    let groups = subject.groups.iter().filter(|group| role.groups.contains(&group.name));
    let served = role.services.contains(name).then(|| format!("service {name}"));
    named.into_iter().chain(groups.map(|group| format!("group {}", group.name))).chain(served).collect()
}

/// How a role comes to a VM, if it does: the policy's own word on whether.
fn reach(role: &Role, vm: &Vm, subject: &Subject) -> Option<String> {
    role.reaches(Right::View, &Object::Vm(vm.clone()), subject).then(|| match &role.vms {
        VmScope::All => "all".to_owned(),
        VmScope::InformationDomains(_) => {
            let domain = vm.assignment.as_ref().and_then(|assignment| assignment.information_domain.clone());
            format!("information domain {}", domain.unwrap_or_default())
        }
        VmScope::Assigned => {
            let own = |assignment: &&std::sync::Arc<_>| is_own(assignment, subject);
            if vm.assignment.as_ref().is_some_and(|assignment| own(&assignment)) {
                return format!("assigned to {}", subject.account.name);
            }
            let groups = vm.assignment.iter().flat_map(|assignment| &assignment.groups);
            let mine: Vec<_> = groups
                .filter(|group| subject.groups.contains(group))
                .map(|group| group.name.clone())
                .collect();
            format!("assigned to group {}", mine.join(", "))
        }
    })
}

fn is_own(assignment: &virtwarden_core::object::Assignment, subject: &Subject) -> bool {
    assignment.users.contains(&subject.account)
}

/// A name in the policy that is no account: whoever makes that account gets the role.
fn nobody(role: &Role, name: &str) -> Option<AccessRow> {
    (role.users.contains(name) || role.services.contains(name)).then(|| AccessRow {
        person: name.to_owned(),
        to: AccessTo::Host,
        rights: Vec::new(),
        role: role.name.clone(),
        column: role.column,
        through: vec!["there is no such account".to_owned()],
        reach: "-".to_owned(),
        place: role.place.to_string(),
    })
}

fn local_people(passwd: &str) -> Vec<String> {
    let person = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid: u32 = fields.nth(1)?.parse().ok()?;
        (FIRST_PERSON..=LAST_PERSON).contains(&uid).then(|| name.to_owned())
    };
    passwd.lines().filter_map(person).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_of_the_host_are_those_with_a_persons_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\nnobody:x:65534:1::/:/bin/false\nhalf";
        assert_eq!(local_people(passwd), ["bob"]);
    }
}
