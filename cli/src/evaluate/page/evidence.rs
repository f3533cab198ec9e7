// SPDX-License-Identifier: Apache-2.0
//! What stands behind each verdict: every step with its command, what was seen, the state and the records.

use virtwarden_core::table3::Column;

use crate::evaluate::page::html::Html;
use crate::evaluate::page::matrix::{anchor, scenario_anchor};
use crate::evaluate::page::{table, verdict};
use crate::evaluate::report::{Cell, RecordLine, Report, Scenario, State, Step, Verdict};
use crate::table::letter;

/// The evidence of every cell and every scenario that has any.
pub(super) fn of(report: &Report) -> Html {
    let cells = report.cells.iter().map(cell);
    let scenarios = report.scenarios.iter().enumerate().map(|(index, test)| scenario(index, test));
    let title = Html::word("h2", "Evidence");
    Html::element("section", &[("id", "evidence")], [title].into_iter().chain(cells).chain(scenarios))
}

fn cell(cell: &Cell) -> Html {
    let who = match cell.column {
        Column::Administrator => "Administrator",
        Column::User => "User",
    };
    let title = format!("Row {}, {who}: {}", cell.function.number(), cell.function.title());
    let claim = format!("Table 3 says {}; claimed here: {}.", letter(cell.table), cell.claim.word());
    block(&anchor(cell), &title, &claim, &cell.verdict, &cell.steps)
}

fn scenario(index: usize, scenario: &Scenario) -> Html {
    let title = format!("{} ({})", scenario.id, scenario.requirement);
    block(&scenario_anchor(index), &title, &scenario.title, &scenario.verdict, &scenario.steps)
}

fn block(anchor: &str, title: &str, says: &str, end: &Verdict, steps: &[Step]) -> Html {
    let ended = [verdict(end), Html::own(" "), Html::text(end.why())];
    let mut inside = vec![
        Html::word("h3", title),
        Html::element("p", &[("class", "says")], [Html::text(says)]),
        Html::element("p", &[], ended),
    ];
    inside.extend(steps.iter().map(step));
    inside.push(Html::element(
        "p",
        &[("class", "back")],
        [Html::element("a", &[("href", "#cells")], [Html::text("back to the table")])],
    ));
    Html::element("article", &[("id", anchor)], inside)
}

/// One step, folded; open where it went wrong, so that nobody has to look for it.
fn step(step: &Step) -> Html {
    let head =
        Html::element("summary", &[], [verdict(&step.verdict), Html::own(" "), Html::text(&step.what)]);
    let by = format!("As {}, by: {}.", step.who, step.door.word());
    let mut inside = vec![head, Html::element("p", &[("class", "says")], [Html::text(&by)])];
    if !step.verdict.why().is_empty() {
        inside.push(Html::element("p", &[("class", "why")], [Html::text(step.verdict.why())]));
    }
    if !step.command.is_empty() {
        inside.extend([Html::word("h4", "Command"), code(&step.command), Html::word("p", &exit(step.exit))]);
    }
    if !step.output.is_empty() {
        inside.extend([Html::word("h4", "Observed"), code(&step.output)]);
    }
    inside.extend([Html::word("h4", "State"), state(&step.state)]);
    inside.extend([Html::word("h4", "Audit records"), records(&step.records)]);
    match step.verdict {
        Verdict::Fail { .. } => Html::element("details", &[("open", "")], inside),
        Verdict::Pass | Verdict::NotExercised { .. } => Html::element("details", &[], inside),
    }
}

fn exit(code: Option<i32>) -> String {
    code.map_or_else(|| "It did not end by itself.".to_owned(), |code| format!("Exit code {code}."))
}

/// Text that came from elsewhere. It scrolls in its own box, which the keyboard reaches.
fn code(text: &str) -> Html {
    Html::element("pre", &[("tabindex", "0")], [Html::element("code", &[], [Html::lines(text)])])
}

fn state(state: &State) -> Html {
    match state {
        State::NotCompared => Html::word("p", "Not compared: nothing here could change."),
        State::Unchanged { of } => Html::word("p", &format!("Unchanged: {of}.")),
        State::Changed { of, how } => {
            [Html::word("p", &format!("Changed: {of}.")), code(how)].into_iter().collect()
        }
    }
}

fn records(records: &[RecordLine]) -> Html {
    if records.is_empty() {
        return Html::word("p", "None belongs to this step.");
    }
    let rows = records.iter().map(|record| {
        let number = Html::element("td", &[("class", "number")], [Html::text(&record.sequence.to_string())]);
        let text = Html::element("td", &[], [Html::word("code", &record.text)]);
        Html::element("tr", &[], [number, text])
    });
    table("records", "Lines of the trail that belong to this step", &["Sequence", "Record"], rows)
}
