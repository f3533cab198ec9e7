// SPDX-License-Identifier: Apache-2.0
//! The shipped policy, and policies that are wrong in one cell.

use virtwarden_core::policy::Source;

use super::*;

const SHIPPED: &str = include_str!("../../../../policyd/policy.d/90-default.toml");

fn policy(site: &str) -> Policy {
    let sources =
        [Source { name: "10-site.toml", text: site }, Source { name: "90-default.toml", text: SHIPPED }];
    Policy::load(&sources).unwrap()
}

fn cell_of(cells: &[Cell], row: u8, column: Column) -> &Cell {
    cells.iter().find(|cell| cell.function.number() == row && cell.column == column).unwrap()
}

/// The rows whose cells fail.
fn failed(cells: &[Cell]) -> Vec<u8> {
    let wrong = cells.iter().filter(|cell| matches!(cell.verdict, Verdict::Fail { .. }));
    wrong.map(|cell| cell.function.number()).collect()
}

#[test]
fn the_shipped_policy_passes_in_every_cell_that_is_claimed() {
    let cells = cells(&policy(""));
    assert_eq!(cells.len(), 54);
    let not_exercised: Vec<u8> = cells
        .iter()
        .filter(|cell| cell.verdict != Verdict::Pass)
        .map(|cell| cell.function.number())
        .collect();
    assert_eq!(not_exercised, [9, 9]);
    for row in 21..=26 {
        let cell = cell_of(&cells, row, Column::User);
        assert_eq!((cell.claim, cell.steps.len()), (Claim::Performs, 2), "{row}");
    }
    assert_eq!(cell_of(&cells, 3, Column::User).claim, Claim::Refused);
}

#[test]
fn an_administrator_who_lacks_a_mandatory_row_fails_it_and_no_other() {
    let cells = cells(&policy(
        "[role.administrator]\ncolumn = \"administrator\"\ngroups = [\"virtwarden-admin\"]\nfunctions = [\"start\"]",
    ));
    let failed = |row| matches!(cell_of(&cells, row, Column::Administrator).verdict, Verdict::Fail { .. });
    assert!(failed(3) && failed(20));
    assert!(!failed(22) && !failed(23), "row 22 is held, row 23 is optional");
    assert_eq!(cell_of(&cells, 23, Column::Administrator).claim, Claim::Refused);
}

#[test]
fn a_role_of_the_sites_own_counts_in_its_column() {
    let cells = cells(&policy(
        "[role.builder]\ncolumn = \"user\"\ngroups = [\"builders\"]\nfunctions = [\"configure-default-vms\"]",
    ));
    assert_eq!(cell_of(&cells, 4, Column::User).claim, Claim::Performs);
    assert_eq!(cell_of(&cells, 4, Column::User).verdict, Verdict::Pass);
}

#[test]
fn a_site_may_widen_a_role_of_users_but_not_the_claim() {
    let site = "[role.clerk]\ncolumn = \"user\"\ngroups = [\"clerks\"]\nfunctions = [\"configure-networks\"]";
    let policy = policy(site);
    let mut cells = cells(&policy);
    claims::add(&mut cells, &policy);
    assert_eq!(failed(&cells), [5]);
    let cell = cell_of(&cells, 5, Column::User);
    assert_eq!(cell.claim, Claim::Refused);
    assert!(cell.verdict.why().contains("`clerk`"), "{:?}", cell.verdict);
}

#[test]
fn a_role_of_users_that_reaches_every_vm_fails_where_it_operates() {
    let site = "[role.user]\ncolumn = \"user\"\ngroups = [\"libvirt\"]\nvms = \"all\"\nfunctions = [\"start\", \"stop\"]";
    let policy = policy(site);
    let mut cells = cells(&policy);
    claims::add(&mut cells, &policy);
    assert_eq!(failed(&cells), [22, 23]);
}
