// SPDX-License-Identifier: Apache-2.0
//! The lines that make a login stack ask our module.

use std::fmt;
use std::fs;

use crate::takeover::host::Host;

/// Where the stacks are.
pub(crate) const DIRECTORY: &str = "/etc/pam.d";

/// Our module.
pub(crate) const MODULE: &str = "pam_virtwarden.so";

/// One line that must be in a stack.
#[derive(Debug)]
pub(crate) struct Line {
    /// The stack's file.
    pub(crate) file: &'static str,
    text: &'static str,
    /// Where it belongs, for whoever writes it by hand.
    place: &'static str,
}

/// All of them. What pam-auth-update makes of the three profiles of the package.
pub(crate) const WANTED: &[Line] = &[
    Line {
        file: "/etc/pam.d/common-auth",
        text: "auth requisite pam_virtwarden.so begin",
        place: "before everything else",
    },
    Line {
        file: "/etc/pam.d/common-auth",
        text: "auth [default=die] pam_virtwarden.so failed",
        place: "after the last factor, just before pam_deny.so; `success=N` of each factor above grows by one",
    },
    Line {
        file: "/etc/pam.d/common-auth",
        text: "auth required pam_virtwarden.so passed",
        place: "at the end",
    },
    Line {
        file: "/etc/pam.d/common-account",
        text: "account required pam_virtwarden.so",
        place: "at the end",
    },
    Line {
        file: "/etc/pam.d/common-session",
        text: "session optional pam_virtwarden.so",
        place: "after pam_permit.so",
    },
    Line {
        file: "/etc/pam.d/common-session-noninteractive",
        text: "session optional pam_virtwarden.so",
        place: "after pam_permit.so",
    },
    Line {
        file: "/etc/pam.d/common-password",
        text: "password required pam_virtwarden.so wanted",
        place: "at the end: nothing is changed before the whole stack has agreed",
    },
    Line {
        file: "/etc/pam.d/common-password",
        text: "password optional pam_virtwarden.so done",
        place: "after it",
    },
];

impl Line {
    /// Whether it is among these lines of a stack. Options may follow it.
    pub(crate) fn is_in(&self, lines: &[String]) -> bool {
        lines.iter().any(|line| {
            line.strip_prefix(self.text).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` ({})", self.file, self.text, self.place)
    }
}

/// The lines of a stack that count, with single spaces. A file that cannot be read has none.
pub(crate) fn lines_of(host: &Host<'_>, file: &str) -> Vec<String> {
    let text = fs::read_to_string(host.path(file)).unwrap_or_default();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Every line of every service that names our module, with its file.
pub(crate) fn named_in(host: &Host<'_>) -> Vec<(String, String)> {
    let files = host.list(DIRECTORY).into_iter().map(|name| format!("{DIRECTORY}/{name}"));
    files
        .flat_map(|file| {
            let named = lines_of(host, &file).into_iter().filter(|line| line.contains(MODULE));
            named.map(|line| (file.clone(), line)).collect::<Vec<_>>()
        })
        .collect()
}

/// Factors in the shared authentication stack whose success does not jump over pam_deny.so: whoever moved the
/// lines by hand forgot to count again, and nobody could log in.
pub(crate) fn short_jumps(host: &Host<'_>) -> Vec<String> {
    let lines: Vec<String> = lines_of(host, "/etc/pam.d/common-auth");
    let Some(deny) = lines.iter().position(|line| line.contains("pam_deny.so")) else { return Vec::new() };
    let short = lines
        .iter()
        .enumerate()
        .take(deny)
        .filter(|(at, line)| jump(line).is_some_and(|over| at.saturating_add(over) < deny));
    short.map(|(_, line)| line.clone()).collect()
}

/// How many lines are jumped over on success.
fn jump(line: &str) -> Option<usize> {
    let (_, rest) = line.split_once("success=")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
