// SPDX-License-Identifier: Apache-2.0
//! The evaluation that changes nothing: what the policy in force answers for each cell.

mod answers;
mod claims;
mod host;

use std::path::Path;

use virtwarden_core::policy::Policy;
use virtwarden_core::table3::{Cell as Letter, Column, Function};

use crate::evaluate::report::{Cell, Claim, Step, Verdict};
use crate::exit::Failed;

/// Every cell of the table, as far as policy and host tell.
pub(super) fn evaluate(policy: &Policy, socket: &Path) -> Result<Vec<Cell>, Failed> {
    let mut cells = cells(policy);
    claims::add(&mut cells, policy);
    host::add(&mut cells, policy, socket)?;
    Ok(cells)
}

/// Every cell of the table, as far as the policy tells.
fn cells(policy: &Policy) -> Vec<Cell> {
    let columns = [Column::Administrator, Column::User];
    let pairs = Function::ALL.into_iter().flat_map(|function| columns.map(|column| (function, column)));
    pairs.map(|(function, column)| cell(policy, function, column)).collect()
}

fn cell(policy: &Policy, function: Function, column: Column) -> Cell {
    let table = function.cell(column);
    let steps = answers::of(policy, function, column);
    let held = answers::is_held(policy, function, column);
    let claim = claim(function, column, held);
    let verdict = absent(function, column).unwrap_or_else(|| judge(table, column, held, &steps));
    Cell { function, column, table, claim, verdict, steps }
}

fn claim(function: Function, column: Column, held: bool) -> Claim {
    match (absent(function, column), column, held) {
        (Some(_), Column::Administrator, _) => Claim::NotClaimed,
        (Some(_), Column::User, _) | (None, _, false) => Claim::Refused,
        (None, _, true) => Claim::Performs,
    }
}

/// Rows that nothing of ours carries, and why; for the Administrator alone where a User must be kept from it all the same.
const ABSENT: &[(Function, &[Column], &str)] =
    &[(Function::Hypercalls, BOTH, "the module withdrew this row")];

const BOTH: &[Column] = &[Column::Administrator, Column::User];

fn absent(function: Function, column: Column) -> Option<Verdict> {
    let row = ABSENT.iter().find(|(absent, columns, _)| *absent == function && columns.contains(&column));
    row.map(|(_, _, why)| Verdict::not_exercised(*why))
}

/// Whether the policy answers as the table allows.
fn judge(table: Letter, column: Column, held: bool, steps: &[Step]) -> Verdict {
    match (table, held) {
        (Letter::Mandatory, false) => {
            Verdict::fail(format!("the table gives this to every {}, and no role has it", column.word()))
        }
        (Letter::Never, true) => {
            Verdict::fail(format!("the table gives this to no {}, and a role has it", column.word()))
        }
        (Letter::Mandatory | Letter::Optional | Letter::Selected, _) | (Letter::Never, false) => {
            Verdict::of(steps)
        }
    }
}

#[cfg(test)]
mod tests;
