// SPDX-License-Identifier: Apache-2.0
//! An evaluation on a terminal: the table, then what is wrong, then how many ended how.

use virtwarden_core::table3::{Cell as Letter, Column};

use crate::evaluate::LEFT_OUT;
use crate::evaluate::report::{Cell, Counts, Report, Scenario, State, Step, Verdict};
use crate::exit::Failed;
use crate::output::Output;
use crate::table::letter;

const HEADERS: [&str; 7] = ["ROW", "FUNCTION", "ROLE", "TABLE", "CLAIM", "RESULT", ""];
const SCENARIO_HEADERS: [&str; 5] = ["TEST", "REQUIREMENT", "WHAT", "RESULT", ""];

/// So many lines of what a program printed are shown, and so much of each.
const SHOWN: usize = 8;
const WIDTH: usize = 200;

/// Prints it. Rows that nobody asked for are in the count, and with their reason in every other form.
pub(super) fn report(report: &Report, output: &Output) -> Result<(), Failed> {
    output.table(HEADERS, report.cells.iter().filter(|cell| cell.verdict.why() != LEFT_OUT).map(row))?;
    if !report.scenarios.is_empty() {
        output.line("")?;
        output.table(SCENARIO_HEADERS, report.scenarios.iter().map(scenario))?;
    }
    for cell in report.cells.iter().filter(|cell| matches!(cell.verdict, Verdict::Fail { .. })) {
        output.line("")?;
        output.line(&format!(
            "row {} {}, {}:",
            cell.function.number(),
            cell.function.slug(),
            cell.column.word()
        ))?;
        failures(&cell.steps, output)?;
    }
    for scenario in
        report.scenarios.iter().filter(|scenario| matches!(scenario.verdict, Verdict::Fail { .. }))
    {
        output.line("")?;
        output.line(&format!("{} {}:", scenario.id, scenario.requirement))?;
        failures(&scenario.steps, output)?;
    }
    for leftover in &report.leftovers {
        output.line(&format!("LEFT BEHIND: {leftover}"))?;
    }
    output.line("")?;
    output.line(&summary("cells", report.cell_counts()))?;
    let left_out = report.cells.iter().filter(|cell| cell.verdict.why() == LEFT_OUT).count();
    if left_out > 0 {
        output.line(&format!("{left_out} of the cells are not exercised because `--row` leaves them out"))?;
    }
    if report.scenarios.is_empty() {
        return Ok(());
    }
    output.line(&summary("tests", report.scenario_counts()))
}

fn row(cell: &Cell) -> [String; 7] {
    let who = match cell.column {
        Column::Administrator => "Administrator",
        Column::User => "User",
    };
    [
        cell.function.number().to_string(),
        cell.function.slug().to_owned(),
        who.to_owned(),
        table(cell.table).to_owned(),
        cell.claim.word().to_owned(),
        cell.verdict.word().to_owned(),
        cell.verdict.why().to_owned(),
    ]
}

fn table(cell: Letter) -> &'static str {
    letter(cell)
}

fn scenario(scenario: &Scenario) -> [String; 5] {
    [
        scenario.id.clone(),
        scenario.requirement.clone(),
        scenario.title.clone(),
        scenario.verdict.word().to_owned(),
        scenario.verdict.why().to_owned(),
    ]
}

/// The steps that were not as they must be, with all that is known of them.
fn failures(steps: &[Step], output: &Output) -> Result<(), Failed> {
    for step in steps.iter().filter(|step| matches!(step.verdict, Verdict::Fail { .. })) {
        output.line(&format!("  {} ({}, {})", step.what, step.who, step.door.word()))?;
        output.line(&format!("    {}", step.verdict.why()))?;
        if !step.command.is_empty() {
            let exit =
                step.exit.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
            output.line(&format!("    {}: {exit}", step.command))?;
        }
        quoted(&step.output, output)?;
        if let State::Changed { of, how } = &step.state {
            output.line(&format!("    changed: {of}"))?;
            quoted(how, output)?;
        }
        for record in &step.records {
            output.line(&format!("    record {}: {}", record.sequence, record.text))?;
        }
    }
    Ok(())
}

/// The first lines: the whole is in the report.
fn quoted(text: &str, output: &Output) -> Result<(), Failed> {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(SHOWN);
    lines
        .map(|line| line.chars().take(WIDTH).collect::<String>())
        .try_for_each(|line| output.line(&format!("    | {line}")))
}

fn summary(what: &str, counts: Counts) -> String {
    let Counts { pass, fail, not_exercised } = counts;
    format!("{what}: {pass} pass, {fail} fail, {not_exercised} not exercised")
}
