// SPDX-License-Identifier: Apache-2.0
//! An evaluation as one HTML page: made from the report alone, whole in one file, without scripts. It opens from a disk
//! that no network reaches and prints with all its evidence.

mod evidence;
mod html;
mod matrix;
mod summary;

use openssl::base64::encode_block;
use openssl::sha::sha256;

use crate::evaluate::page::html::Html;
use crate::evaluate::report::{Report, Verdict};

const STYLE: &str = include_str!("page/style.css");

/// The page.
pub(super) fn page(report: &Report) -> String {
    let title = format!("Evaluation of {}", report.host.name);
    let head = [
        Html::void("meta", &[("charset", "utf-8")]),
        Html::void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &permitted())]),
        Html::void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
        Html::void("meta", &[("name", "color-scheme"), ("content", "light dark")]),
        Html::void("meta", &[("name", "referrer"), ("content", "no-referrer")]),
        Html::word("title", &title),
        Html::element("style", &[], [Html::own(STYLE)]),
    ];
    let body = [
        summary::of(report, &title),
        Html::element(
            "main",
            &[],
            [
                matrix::cells(report),
                matrix::scenarios(report),
                matrix::left_out(report),
                summary::leftovers(report),
                evidence::of(report),
            ],
        ),
        Html::element("footer", &[], [Html::word("p", &format!("Made by {}.", report.product))]),
    ];
    let html = [Html::element("head", &[], head), Html::element("body", &[], body)];
    let page =
        [Html::own("<!DOCTYPE html>\n"), Html::element("html", &[("lang", "en")], html), Html::own("\n")];
    page.into_iter().collect::<Html>().into_string()
}

/// What a browser may do with the page: apply this one style and nothing else.
fn permitted() -> String {
    let style = encode_block(&sha256(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'")
}

/// A verdict: a sign, a word and a colour, so that no one of them is needed alone.
fn verdict(verdict: &Verdict) -> Html {
    let (sign, class) = match verdict {
        Verdict::Pass => ("✓", "verdict pass"),
        Verdict::Fail { .. } => ("✗", "verdict fail"),
        Verdict::NotExercised { .. } => ("–", "verdict none"),
    };
    Html::element(
        "span",
        &[("class", class)],
        [
            Html::element("span", &[("aria-hidden", "true")], [Html::text(sign)]),
            Html::own(" "),
            Html::text(verdict.word()),
        ],
    )
}

/// A table with its caption and its column headers.
fn table(class: &'static str, caption: &str, headers: &[&str], rows: impl IntoIterator<Item = Html>) -> Html {
    let header = |header: &&str| Html::element("th", &[("scope", "col")], [Html::text(header)]);
    Html::element(
        "table",
        &[("class", class)],
        [
            Html::word("caption", caption),
            Html::element("thead", &[], [Html::element("tr", &[], headers.iter().map(header))]),
            Html::element("tbody", &[], rows),
        ],
    )
}

#[cfg(test)]
pub(in crate::evaluate) mod tests;
