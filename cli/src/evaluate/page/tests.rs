// SPDX-License-Identifier: Apache-2.0

use virtwarden_core::table3::{Column, Function};
use virtwarden_core::trail::time::Time;

use super::*;
use crate::evaluate::report::{
    Cell, Claim, Depth, Door, FORMAT, HostFacts, RecordLine, Scenario, Seal, State, Step, TrailHead,
};

/// What a guest, a program or a person could choose to be called.
const HOSTILE: &str = "=cmd|</script></style><script>alert(1)</script><img src=x onerror=alert(1)>\" onfocus='x' \
                       \u{1b}]0;owned\u{7}\u{202e}\u{2066}\u{200b}&amp;\u{0}";

/// A report in which every text is hostile.
pub(in crate::evaluate) fn hostile() -> Report {
    let text = || HOSTILE.to_owned();
    let verdicts = [Verdict::Pass, Verdict::fail(HOSTILE), Verdict::not_exercised(HOSTILE)];
    let states = [
        State::NotCompared,
        State::Unchanged { of: text() },
        State::Changed { of: text(), how: format!("{HOSTILE}\n{HOSTILE}") },
    ];
    let steps = verdicts.iter().zip(states).map(|(verdict, state)| Step {
        what: text(),
        who: text(),
        door: Door::LibvirtSocket,
        command: text(),
        exit: Some(1),
        output: format!("{HOSTILE}\n{HOSTILE}"),
        state,
        records: vec![RecordLine { sequence: 7, text: text() }],
        verdict: verdict.clone(),
    });
    let steps: Vec<_> = steps.collect();
    let columns = [Column::Administrator, Column::User];
    let pairs = Function::ALL.into_iter().flat_map(|function| columns.map(|column| (function, column)));
    let cell = |(function, column): (Function, Column)| Cell {
        function,
        column,
        table: function.cell(column),
        claim: Claim::Performs,
        verdict: Verdict::of(&steps),
        steps: steps.clone(),
    };
    let facts = || HostFacts {
        name: text(),
        debian: text(),
        kernel: text(),
        libvirt: text(),
        qemu: text(),
        virtwarden: text(),
    };
    let scenario = |verdict: &Verdict| Scenario {
        id: text(),
        requirement: text(),
        title: text(),
        verdict: verdict.clone(),
        steps: steps.clone(),
    };
    Report {
        format: FORMAT,
        product: text(),
        made: Time::from_micros(1),
        host: facts(),
        depth: Depth::Live,
        trail: Some(TrailHead {
            sequence: 9,
            hash: text(),
            sealed_by: Some(Seal { through: 8, key: text(), signature: text() }),
        }),
        cells: pairs.map(cell).collect(),
        scenarios: verdicts.iter().map(scenario).collect(),
        leftovers: vec![text()],
    }
}

/// The tags of a page, by their names and attributes.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|tag| tag.split_once('>').expect("a tag ends").0).collect()
}

#[test]
fn nothing_in_a_report_becomes_markup_or_moves_what_is_read() {
    let page = page(&hostile());
    let own = [
        "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article",
        "h1", "h2", "h3", "h4", "p", "strong", "small", "span", "a", "dl", "div", "dt", "dd", "table",
        "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "code", "ul", "li",
    ];
    for tag in tags(&page).into_iter().skip(1) {
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        assert!(own.contains(&name), "<{tag}>");
        assert!(!tag.contains(" on") && !tag.contains("src=") && !tag.contains("javascript:"), "<{tag}>");
    }
    let odd = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}".contains(c);
    assert!(!page.contains(odd));
    assert_eq!(page.matches("<style>").count(), 1);
}

#[test]
fn the_page_asks_for_nothing_from_anywhere() {
    let page = page(&hostile());
    assert!(
        page.contains(
            "http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src"
        )
    );
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("));
    assert!(!STYLE.contains("@import") && !STYLE.contains('<'));
}

#[test]
fn every_cell_of_the_table_links_to_evidence_that_is_there_once() {
    let page = page(&hostile());
    let links: Vec<_> = tags(&page).iter().filter_map(|tag| tag.strip_prefix("a href=\"#")).collect();
    assert!(links.len() >= 54 + 3);
    for link in links {
        let target = format!(" id=\"{}\"", link.trim_end_matches('"'));
        assert_eq!(page.matches(&target).count(), 1, "{target}");
    }
}

#[test]
fn tags_are_closed_in_the_order_in_which_they_were_opened() {
    let page = page(&hostile());
    let mut open = Vec::new();
    for tag in tags(&page).into_iter().skip(1) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.starts_with("meta ") => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn only_what_went_wrong_is_unfolded_and_no_verdict_is_a_colour_alone() {
    let page = page(&hostile());
    assert_eq!(page.matches("<details class=\"deed\" open=\"\">").count(), 57);
    assert_eq!(page.matches("<details class=\"deed\">").count(), 2 * 57);
    let words = ["</span> pass</span>", "</span> FAIL</span>", "</span> not exercised</span>"];
    let said: usize = words.iter().map(|word| page.matches(word).count()).sum();
    assert_eq!(said, page.matches("class=\"verdict ").count());
}

#[test]
fn an_empty_report_is_a_page_too_and_claims_nothing() {
    let report = Report { cells: Vec::new(), scenarios: Vec::new(), trail: None, ..hostile() };
    let page = page(&report);
    assert!(page.contains("Nothing was exercised.") && page.contains("nobody could tell where it ends"));
}
