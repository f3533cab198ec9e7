// SPDX-License-Identifier: Apache-2.0
//! What is claimed of Users, whatever a site's policy says: they operate the VMs assigned to them. A policy may give a User
//! what the table leaves open, but the claim does not grow with it.

use virtwarden_core::policy::Policy;
use virtwarden_core::policy::request::Right;
use virtwarden_core::policy::rule::Role;
use virtwarden_core::policy::scope::VmScope;
use virtwarden_core::table3::{Column, Function};

use crate::evaluate::report::{Cell, Claim, Door, State, Step, Verdict};

/// The functions that Users are claimed to have.
const OPERATING: [Function; 6] = [
    Function::ConnectRemovable,
    Function::Start,
    Function::Stop,
    Function::Checkpoint,
    Function::Suspend,
    Function::Resume,
];

/// Holds each cell of the User column to the claim.
pub(super) fn add(cells: &mut [Cell], policy: &Policy) {
    for cell in cells.iter_mut().filter(|cell| cell.column == Column::User) {
        let wider: Vec<_> = roles(policy).filter_map(|role| beyond(role, cell.function)).collect();
        if !wider.is_empty() && !OPERATING.contains(&cell.function) {
            cell.claim = Claim::Refused;
        }
        let step = step(wider);
        if let (Verdict::Fail { .. }, Verdict::Pass) = (&step.verdict, &cell.verdict) {
            cell.verdict = step.verdict.clone();
        }
        cell.steps.push(step);
    }
}

fn roles(policy: &Policy) -> impl Iterator<Item = &Role> {
    policy.rules().filter(|role| role.column == Column::User && role.is_for_people())
}

/// How a role gives more than is claimed.
fn beyond(role: &Role, function: Function) -> Option<String> {
    let held = role.holds(Right::Function(function));
    match (held, OPERATING.contains(&function), &role.vms) {
        (false, _, _) | (true, true, VmScope::Assigned | VmScope::InformationDomains(_)) => None,
        (true, true, VmScope::All) => {
            Some(format!("role `{}` reaches every VM, whoever it is assigned to", role.name))
        }
        (true, false, _) => {
            Some(format!("role `{}` gives Users what they are claimed not to have", role.name))
        }
    }
}

fn step(wider: Vec<String>) -> Step {
    Step {
        what: "No role of Users reaches beyond what is claimed of them.".to_owned(),
        who: "root".to_owned(),
        door: Door::Policy,
        command: "virtwarden role list".to_owned(),
        exit: None,
        output: wider.join("\n"),
        state: State::NotCompared,
        records: Vec::new(),
        verdict: wider.first().map_or(Verdict::Pass, Verdict::fail),
    }
}
