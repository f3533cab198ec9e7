// SPDX-License-Identifier: Apache-2.0
//! The verifier sees what somebody does to a copy of the trail. The trail itself is not touched.

use std::fs;
use std::path::{Path, PathBuf};

use super::Hand;
use super::steps::{Done, not_played};
use crate::evaluate::live::files::directory;
use crate::evaluate::live::program::root;
use crate::evaluate::report::{Door, Step, Verdict};
use crate::exit::Failed;

const TRAIL: &str = "/var/log/virtwarden/audit";
const KEY: &str = "/var/lib/virtwarden/trail.pub";
/// A longer trail is not copied.
const MOST: u64 = 128 * 1024 * 1024;

pub(super) fn play(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    let segments = segments();
    let size: u64 = segments.iter().filter_map(|path| path.metadata().ok()).map(|of| of.len()).sum();
    if segments.is_empty() || size > MOST {
        return Ok(not_played(
            "Copies the trail.",
            "the trail is too long to be copied here, or not where it should be",
        ));
    }
    let mut steps = Vec::new();
    for (name, what, change, code) in CHANGES {
        let copy = directory(&hand.made.directory().join(name), 0o700)?;
        for segment in &segments {
            let to = copy.join(segment.file_name().unwrap_or_default());
            let text = whole_lines(segment);
            fs::write(&to, text).map_err(|error| Failed::error(format!("cannot copy the trail: {error}")))?;
        }
        if let Some(last) = segments.first().and_then(|path| path.file_name()) {
            change(&copy.join(last));
        }
        steps.push(verify(&copy, what, *code));
        let _ = fs::remove_dir_all(&copy);
    }
    Ok(steps)
}

type Change = (&'static str, &'static str, fn(&Path), fn(i32) -> bool);

const CHANGES: &[Change] = &[
    ("trail", "Verifies a copy of the trail.", |_| {}, |code| code == 0),
    ("trail-changed", "Verifies a copy in which one letter was changed.", change_a_letter, |code| code >= 10),
    ("trail-short", "Verifies a copy in which one line is missing.", drop_a_line, |code| code >= 10),
];

fn segments() -> Vec<PathBuf> {
    let entries = fs::read_dir(TRAIL).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    paths.sort();
    paths
}

/// policyd writes on: what is not whole yet, and the room it has set aside, are no part of the copy.
fn whole_lines(segment: &Path) -> Vec<u8> {
    let bytes = fs::read(segment).unwrap_or_default();
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    bytes.into_iter().take(end).collect()
}

/// In the second line: the first tells where the segment stands.
fn change_a_letter(path: &Path) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let changed: Vec<String> = text
        .lines()
        .enumerate()
        .map(
            |(index, line)| {
                if index == 1 { line.replacen("\"time\":\"2", "\"time\":\"3", 1) } else { line.to_owned() }
            },
        )
        .collect();
    let _ = fs::write(path, changed.join("\n") + "\n");
}

fn drop_a_line(path: &Path) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let kept: Vec<&str> =
        text.lines().enumerate().filter(|(index, _)| *index != 1).map(|(_, line)| line).collect();
    let _ = fs::write(path, kept.join("\n") + "\n");
}

fn verify(copy: &Path, what: &str, expected: fn(i32) -> bool) -> Step {
    let words = ["virtwarden", "audit", "verify", "--directory", &copy.display().to_string(), "--key", KEY]
        .map(str::to_owned);
    let ran = root(&words.each_ref().map(String::as_str));
    let verdict = if ran.exit.is_some_and(expected) {
        Verdict::Pass
    } else {
        Verdict::fail("the verifier did not say what is so")
    };
    Done { what, who: "root", door: Door::File, command: words.join(" "), ran }.step(Vec::new(), verdict)
}
