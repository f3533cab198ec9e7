// SPDX-License-Identifier: Apache-2.0
//! What stands behind each verdict: every step with its command, what was seen, the state and the records.

use virtwarden_core::table3::Column;

use crate::evaluate::page::html::Html;
use crate::evaluate::page::matrix::{anchor, scenario_anchor};
use crate::evaluate::page::{table, verdict};
use crate::evaluate::report::{Cell, Door, RecordLine, Report, Scenario, State, Step, Verdict};
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
    let (looks, deeds): (Vec<_>, Vec<_>) = steps.iter().partition(|step| is_a_look(step.door));
    inside.extend(deeds.iter().map(|deed| step(deed, "deed")));
    if !deeds.is_empty() && !looks.is_empty() {
        inside.push(Html::word("h4", "Policy and host, looked at"));
    }
    inside.extend(looks.iter().map(|look| step(look, "look")));
    inside.push(Html::element(
        "p",
        &[("class", "back")],
        [Html::element("a", &[("href", "#cells")], [Html::text("back to the table")])],
    ));
    Html::element("article", &[("id", anchor)], inside)
}

/// Nobody acted: the policy was asked, or the host was looked at.
const fn is_a_look(door: Door) -> bool {
    match door {
        Door::Policy | Door::Host => true,
        Door::LibvirtSocket
        | Door::ReadOnlySocket
        | Door::SessionDaemon
        | Door::ControlSocket
        | Door::File
        | Door::Ssh
        | Door::Emulator
        | Door::Hook => false,
    }
}

/// One step, folded; open where it went wrong, so that nobody has to look for it.
fn step(step: &Step, class: &'static str) -> Html {
    let mut head = vec![verdict(&step.verdict), Html::own(" "), Html::text(&step.what)];
    if !is_a_look(step.door) {
        head.extend([
            Html::own(" "),
            Html::element("span", &[("class", "says")], [Html::text(step.door.word())]),
        ]);
    }
    let head = Html::element("summary", &[], head);
    let mut inside = vec![head, briefly(step)];
    if !step.verdict.why().is_empty() {
        inside.push(Html::element("p", &[("class", "why")], [Html::text(step.verdict.why())]));
    }
    if let Some(code_of_exit) = step.exit {
        let ended = Html::word("p", &format!("Exit code {code_of_exit}."));
        inside.extend([Html::word("h4", "Command"), code(&step.command), ended]);
    }
    if !step.output.is_empty() {
        inside.extend([Html::word("h4", "Observed"), code(&step.output)]);
    }
    inside.extend(state(&step.state));
    inside.extend(records(&step.records));
    match step.verdict {
        Verdict::Fail { .. } => Html::element("details", &[("class", class), ("open", "")], inside),
        Verdict::Pass | Verdict::NotExercised { .. } => Html::element("details", &[("class", class)], inside),
    }
}

/// Who did it and how, and what there is nothing to say of. A command that was not run, or was ended, stands here, too.
fn briefly(step: &Step) -> Html {
    let mut inside = vec![Html::text(&format!("As {}, by: {}. ", step.who, step.door.word()))];
    if step.exit.is_none() && !step.command.is_empty() {
        let why = if is_a_look(step.door) { "See also: " } else { "Did not end by itself: " };
        inside.extend([Html::own(why), Html::word("code", &step.command), Html::own(". ")]);
    }
    if step.state == State::NotCompared {
        inside.push(Html::own("No state was compared. "));
    }
    if step.records.is_empty() {
        inside.push(Html::own("No audit record belongs to it."));
    }
    Html::element("p", &[("class", "says")], inside)
}

/// Text that came from elsewhere. It scrolls in its own box, which the keyboard reaches.
fn code(text: &str) -> Html {
    Html::element(
        "pre",
        &[("tabindex", "0")],
        [Html::element("code", &[], [Html::lines(text.trim_matches('\n'))])],
    )
}

fn state(state: &State) -> Vec<Html> {
    let title = Html::word("h4", "State");
    match state {
        State::NotCompared => Vec::new(),
        State::Unchanged { of } => vec![title, Html::word("p", &format!("Unchanged: {of}."))],
        State::Changed { of, how } => vec![title, Html::word("p", &format!("Changed: {of}.")), code(how)],
    }
}

fn records(records: &[RecordLine]) -> Vec<Html> {
    if records.is_empty() {
        return Vec::new();
    }
    let rows = records.iter().map(|record| {
        let number = Html::element("td", &[("class", "number")], [Html::text(&record.sequence.to_string())]);
        let text = Html::element("td", &[], [Html::word("code", &record.text)]);
        Html::element("tr", &[], [number, text])
    });
    let lines =
        table("records", "Lines of the trail that belong to this step", &["Sequence", "Record"], rows);
    vec![Html::word("h4", "Audit records"), lines]
}
