// SPDX-License-Identifier: Apache-2.0
//! An evaluation as comma-separated values: a line for each cell and each scenario.

use std::collections::BTreeSet;

use crate::csv;
use crate::evaluate::guidance;
use crate::evaluate::report::{Cell, Report, Scenario, Step};
use crate::table::letter;

const HEADER: &str = "kind,id,title,requirement,role,table,claim,result,why,doors,steps,records,guidance";

/// The whole file.
pub(super) fn rows(report: &Report) -> String {
    let header = [HEADER.to_owned()].into_iter();
    let lines = header.chain(report.cells.iter().map(cell)).chain(report.scenarios.iter().map(scenario));
    lines.map(|line| line + "\r\n").collect()
}

fn cell(cell: &Cell) -> String {
    csv::line([
        "cell".to_owned(),
        format!("{} {}", cell.function.number(), cell.function.slug()),
        cell.function.title().to_owned(),
        cell.function.requirement().to_owned(),
        cell.column.word().to_owned(),
        letter(cell.table).to_owned(),
        cell.claim.word().to_owned(),
        cell.verdict.word().to_owned(),
        cell.verdict.why().to_owned(),
        doors(&cell.steps),
        cell.steps.len().to_string(),
        records(&cell.steps),
        guidance::of(cell.function).join(" "),
    ])
}

fn scenario(scenario: &Scenario) -> String {
    csv::line([
        "scenario".to_owned(),
        scenario.id.clone(),
        scenario.title.clone(),
        scenario.requirement.clone(),
        String::new(),
        String::new(),
        String::new(),
        scenario.verdict.word().to_owned(),
        scenario.verdict.why().to_owned(),
        doors(&scenario.steps),
        scenario.steps.len().to_string(),
        records(&scenario.steps),
        guidance::of_requirement(&scenario.requirement).join(" "),
    ])
}

fn doors(steps: &[Step]) -> String {
    let doors: BTreeSet<_> = steps.iter().map(|step| step.door.word()).collect();
    doors.into_iter().collect::<Vec<_>>().join("; ")
}

fn records(steps: &[Step]) -> String {
    let records: BTreeSet<_> =
        steps.iter().flat_map(|step| &step.records).map(|record| record.sequence).collect();
    records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::page::tests::hostile;

    #[test]
    fn every_cell_and_scenario_is_one_line_of_thirteen_fields_whatever_a_guest_is_called() {
        let report = hostile();
        let text = rows(&report);
        let lines: Vec<_> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 1 + report.cells.len() + report.scenarios.len());
        assert!(lines.iter().all(|line| fields(line) == 13), "{text}");
        assert!(!text.replace("\r\n", "").contains(|c: char| c.is_control() || c == '\u{202e}'), "{text}");
        assert!(text.contains(",\"'=cmd|"), "{text}");
    }

    #[test]
    fn guidance_stands_where_it_is_known_and_is_empty_elsewhere() {
        let text = rows(&hostile());
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
        assert!(line("cell,16 ").ends_with(",SRG-OS-000021-VMM-000050 SRG-OS-000329-VMM-001180"));
        assert!(line("cell,22 ").ends_with(','));
    }

    /// Fields of a line, counted as a spreadsheet does.
    fn fields(line: &str) -> usize {
        let outside = line.split('"').step_by(2);
        1 + outside.map(|part| part.matches(',').count()).sum::<usize>()
    }
}
