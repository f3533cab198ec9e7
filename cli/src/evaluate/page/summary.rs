// SPDX-License-Identifier: Apache-2.0
//! The top of the page: where and when, how it ended, and which trail vouches for it.

use crate::evaluate::page::html::Html;
use crate::evaluate::report::{Counts, Depth, Report, TrailHead};

/// The head of the page.
pub(super) fn of(report: &Report, title: &str) -> Html {
    let made = report.made.to_string();
    Html::element(
        "header",
        &[],
        [
            Html::word("h1", title),
            outcome(report),
            Html::element("dl", &[("class", "facts")], facts(report, &made)),
        ],
    )
}

/// The whole in a sentence, then the numbers.
fn outcome(report: &Report) -> Html {
    let (cells, scenarios) = (report.cell_counts(), report.scenario_counts());
    let failed = cells.fail + scenarios.fail;
    let (class, sign, sentence) = match failed {
        0 if cells.pass == 0 => ("outcome none", "–", "Nothing was exercised.".to_owned()),
        0 => ("outcome pass", "✓", "Everything that was exercised is as claimed.".to_owned()),
        1 => ("outcome fail", "✗", "1 thing is NOT as claimed.".to_owned()),
        _ => ("outcome fail", "✗", format!("{failed} things are NOT as claimed.")),
    };
    Html::element(
        "div",
        &[("class", class)],
        [
            Html::element(
                "p",
                &[],
                [
                    Html::element("span", &[("aria-hidden", "true")], [Html::text(sign)]),
                    Html::own(" "),
                    Html::word("strong", &sentence),
                ],
            ),
            Html::word("p", &format!("Cells of Table 3: {}", numbers(cells))),
            Html::word("p", &format!("Tests by scenario: {}", numbers(scenarios))),
        ],
    )
}

fn numbers(counts: Counts) -> String {
    let Counts { pass, fail, not_exercised } = counts;
    format!("{pass} pass, {fail} fail, {not_exercised} not exercised")
}

fn facts(report: &Report, made: &str) -> Vec<Html> {
    let depth = match report.depth {
        Depth::Plan => "plan: policy and host were looked at, nothing was changed",
        Depth::Live => "live: every function was performed or attempted",
    };
    let host = &report.host;
    let mut facts = vec![
        fact("Made", made),
        fact("Depth", depth),
        fact("Host", &host.name),
        fact("Distribution", &host.debian),
        fact("Kernel", &host.kernel),
        fact("libvirt", &host.libvirt),
        fact("QEMU", &host.qemu),
        fact("Virtwarden", &host.virtwarden),
    ];
    match &report.trail {
        Some(head) => facts.extend(trail(head)),
        None => facts.push(fact("Trail", "nobody could tell where it ends")),
    }
    facts
}

fn trail(head: &TrailHead) -> Vec<Html> {
    let mut facts = vec![
        fact("Trail ends with", &format!("record {}", head.sequence)),
        sum("Hash of that record", &head.hash),
    ];
    match &head.sealed_by {
        Some(seal) => facts.extend([
            fact("Sealed through", &format!("record {}", seal.through)),
            sum("Signed by key", &seal.key),
            sum("Signature", &seal.signature),
        ]),
        None => facts.push(fact("Sealed through", "nothing is sealed yet")),
    }
    facts
}

fn fact(name: &str, value: &str) -> Html {
    Html::element("div", &[], [Html::word("dt", name), Html::word("dd", value)])
}

/// A long row of digits: a line of its own, in letters of one width.
fn sum(name: &str, value: &str) -> Html {
    Html::element(
        "div",
        &[("class", "sum")],
        [Html::word("dt", name), Html::element("dd", &[], [Html::word("code", value)])],
    )
}

/// What the evaluation could not take back.
pub(super) fn leftovers(report: &Report) -> Html {
    let list = if report.leftovers.is_empty() {
        Html::word("p", "Nothing: whatever the evaluation made is gone.")
    } else {
        Html::element("ul", &[], report.leftovers.iter().map(|leftover| Html::word("li", leftover)))
    };
    Html::element("section", &[("id", "leftovers")], [Html::word("h2", "Left behind"), list])
}
