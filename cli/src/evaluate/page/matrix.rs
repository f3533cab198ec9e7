// SPDX-License-Identifier: Apache-2.0
//! The tables of the page: every cell at a glance, the scenarios, and what nobody looked at.

use virtwarden_core::table3::{Cell as Letter, Column, Function};

use crate::evaluate::page::html::Html;
use crate::evaluate::page::{table, verdict};
use crate::evaluate::report::{Cell, Report, Scenario, Verdict};
use crate::table::letter;

/// The 27 functions by the two roles.
pub(super) fn cells(report: &Report) -> Html {
    let rows = Function::ALL.iter().map(|function| row(report, *function));
    Html::element(
        "section",
        &[("id", "cells")],
        [
            Html::word("h2", "Table 3, cell by cell"),
            table(
                "matrix",
                "The 27 management functions for both roles. The letter is the table's own.",
                &["Row", "Function", "Administrator", "User"],
                rows,
            ),
            Html::word(
                "p",
                "X: the role must have the function. O: it may. N: it must not. S: it must where the selection of that row \
             is made.",
            ),
        ],
    )
}

fn row(report: &Report, function: Function) -> Html {
    let cell = |column| {
        let cells = report.cells.iter();
        let found = cells.into_iter().find(|cell| cell.function == function && cell.column == column);
        Html::element("td", &[], [found.map_or_else(|| Html::text("not in this report"), cell_of)])
    };
    Html::element(
        "tr",
        &[],
        [
            Html::element("td", &[("class", "number")], [Html::text(&function.number().to_string())]),
            Html::element("th", &[("scope", "row")], [Html::text(function.title())]),
            cell(Column::Administrator),
            cell(Column::User),
        ],
    )
}

fn cell_of(cell: &Cell) -> Html {
    let explained = format!("{}: {}", meaning(cell.table), cell.claim.word());
    [
        Html::element("a", &[("href", &format!("#{}", anchor(cell)))], [verdict(&cell.verdict)]),
        Html::own(" "),
        Html::element(
            "small",
            &[("title", &explained)],
            [Html::text(&format!("{} · {}", letter(cell.table), cell.claim.word()))],
        ),
    ]
    .into_iter()
    .collect()
}

fn meaning(table: Letter) -> &'static str {
    match table {
        Letter::Mandatory => "must have it",
        Letter::Optional => "may have it",
        Letter::Never => "must not have it",
        Letter::Selected => "must have it where the selection is made",
    }
}

/// The name of a cell's evidence on the page.
pub(super) fn anchor(cell: &Cell) -> String {
    format!("row-{}-{}", cell.function.number(), cell.column.word())
}

/// The name of a scenario's evidence on the page: its place, for an id could hold anything.
pub(super) fn scenario_anchor(index: usize) -> String {
    format!("test-{}", index + 1)
}

/// The scenarios by their names.
pub(super) fn scenarios(report: &Report) -> Html {
    let rows = report.scenarios.iter().enumerate().map(|(index, scenario)| scenario_row(index, scenario));
    let inside = if report.scenarios.is_empty() {
        Html::word("p", "None was played.")
    } else {
        let caption = "Tests that belong to no row alone, by the name of the test.";
        table("scenarios", caption, &["Test", "Requirement", "What it shows", "Result"], rows)
    };
    Html::element("section", &[("id", "scenarios")], [Html::word("h2", "Scenarios"), inside])
}

fn scenario_row(index: usize, scenario: &Scenario) -> Html {
    let link = format!("#{}", scenario_anchor(index));
    Html::element(
        "tr",
        &[],
        [
            Html::element("th", &[("scope", "row")], [Html::text(&scenario.id)]),
            Html::word("td", &scenario.requirement),
            Html::word("td", &scenario.title),
            Html::element("td", &[], [Html::element("a", &[("href", &link)], [verdict(&scenario.verdict)])]),
        ],
    )
}

/// What was not exercised, and why.
pub(super) fn left_out(report: &Report) -> Html {
    let cells = report.cells.iter().filter_map(|cell| {
        let who = format!("row {}, {}", cell.function.number(), cell.column.word());
        reason(&cell.verdict).map(|why| left_out_row(&who, cell.function.title(), why))
    });
    let scenarios = report.scenarios.iter().filter_map(|scenario| {
        reason(&scenario.verdict).map(|why| left_out_row(&scenario.id, &scenario.title, why))
    });
    let rows: Vec<_> = cells.chain(scenarios).collect();
    let inside = if rows.is_empty() {
        Html::word("p", "Nothing was left out.")
    } else {
        table("left-out", "Cells and tests that nobody looked at.", &["Which", "What", "Why"], rows)
    };
    Html::element("section", &[("id", "not-exercised")], [Html::word("h2", "Not exercised"), inside])
}

fn reason(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::NotExercised { why } => Some(why),
        Verdict::Pass | Verdict::Fail { .. } => None,
    }
}

fn left_out_row(which: &str, what: &str, why: &str) -> Html {
    let which = Html::element("th", &[("scope", "row")], [Html::text(which)]);
    Html::element("tr", &[], [which, Html::word("td", what), Html::word("td", why)])
}
