// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a policy file, where, and what would be right.

use std::error::Error;
use std::fmt;

use crate::policy::Source;
use crate::policy::place::Place;
use crate::policy::request::Right;
use crate::table3::{Column, Function};

/// One mistake in the policy. A policy with any mistake is not loaded at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not TOML at all; what the reader of TOML says.
    Syntax(String),
    /// The file is larger than any policy needs to be, in bytes.
    TooLarge(usize),
    /// A key or table that does not exist here.
    UnknownKey {
        /// What was found.
        key: String,
        /// What may stand here.
        known: &'static [&'static str],
        /// The known key that looks most like it.
        meant: Option<&'static str>,
    },
    /// A key that must be there is not.
    MissingKey {
        /// The key.
        key: &'static str,
        /// Its legal values.
        expected: &'static str,
    },
    /// A value of the wrong kind or outside its bounds.
    Unexpected {
        /// What was found.
        found: String,
        /// What is legal.
        expected: String,
        /// The legal value that looks most like it.
        meant: Option<String>,
    },
    /// The same member twice in a list.
    Duplicate(String),
    /// Table 3 marks the function N for the role's column.
    Never(Function, Column),
    /// The right is too strong for the role's column.
    TooStrong(Right, Column),
    /// A role whose name promises another column than it has.
    MisleadingRole(Column),
    /// A User-column role that may configure VMs needs a quota.
    NoQuota,
    /// A role of the User column that services hold: it needs no login in any case.
    ServiceOfUserColumn,
    /// A role that services hold and that has all functions.
    ServiceHoldsAll,
    /// A right that a role cannot have if services hold it.
    ServiceTooStrong(Right),
    /// A role names an information domain that no file defines.
    UnknownInformationDomain(String),
    /// Two information domains claim one network, which would join them.
    SharedNetwork {
        /// The network.
        network: String,
        /// The other information domain.
        with: String,
    },
    /// More roles than can be told apart.
    TooManyRoles(usize),
}

impl PolicyError {
    /// For a terminal: the message, the line it is about and a caret below what is meant.
    pub fn render(&self, sources: &[Source<'_>]) -> String {
        let number = self.place.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(self.place.column.saturating_sub(1));
        let caret = "^".repeat(self.place.width);
        format!(
            "error: {fault}\n{margin}--> {place}\n{margin} |\n{number} | {line}\n{margin} | {indent}{caret}\n",
            fault = self.fault,
            place = self.place,
            line = self.line(sources),
        )
    }

    /// The line it is about, with control characters blanked: a file must not play with a terminal.
    fn line(&self, sources: &[Source<'_>]) -> String {
        let source = sources.iter().find(|source| *source.name == *self.place.source);
        let line = source.and_then(|source| source.text.lines().nth(self.place.line.checked_sub(1)?));
        line.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

impl Error for PolicyError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Syntax(message) => write!(f, "not valid TOML: {message}"),
            Fault::TooLarge(limit) => write!(f, "the file is larger than {limit} bytes; split it"),
            Fault::UnknownKey { key, known, meant } => {
                write!(f, "unknown key `{key}`, expected {}", one_of(known))?;
                suggest(f, *meant)
            }
            Fault::MissingKey { key, expected } => write!(f, "missing key `{key}`, expected {expected}"),
            Fault::Unexpected { found, expected, meant } => {
                write!(f, "found {found}, expected {expected}")?;
                suggest(f, meant.as_deref())
            }
            Fault::Duplicate(member) => write!(f, "`{member}` stands here twice; remove one"),
            Fault::Never(function, column) => write!(
                f,
                "`{}` is marked N for the {} column (Table 3, {}); no role of that column can hold it",
                function.slug(),
                column.word(),
                function.number()
            ),
            Fault::TooStrong(right, column) => {
                write!(f, "`{}` cannot be held by a role of the {} column", right.word(), column.word())
            }
            Fault::MisleadingRole(column) => {
                write!(
                    f,
                    "a role of this name must have column = \"{0}\"; choose another name",
                    column.word()
                )
            }
            Fault::NoQuota => write!(
                f,
                "`configure-vms` in a role of the user column needs a quota, such as \
                 quota = {{ vms = 3, memory = \"4 GiB\", vcpus = 4 }}"
            ),
            Fault::ServiceOfUserColumn => f.write_str(
                "`services` is for roles of the administrator column; a role of the user column needs no login, \
                 name its accounts in `users`",
            ),
            Fault::ServiceHoldsAll => f.write_str(
                "a role that `services` hold must list its functions, such as [\"start\", \"stop\"], not \"all\"",
            ),
            Fault::ServiceTooStrong(right) => {
                write!(f, "a role that `services` hold cannot hold `{}`", right.word())
            }
            Fault::UnknownInformationDomain(name) => {
                write!(f, "no file defines information domain `{name}`; add [information-domain.{name}]")
            }
            Fault::SharedNetwork { network, with } => write!(
                f,
                "network `{network}` already belongs to information domain `{with}`; \
                 a network in two information domains would join them"
            ),
            Fault::TooManyRoles(limit) => write!(f, "more than {limit} roles; merge some"),
        }
    }
}

fn suggest(f: &mut fmt::Formatter<'_>, meant: Option<&str>) -> fmt::Result {
    meant.map_or(Ok(()), |meant| write!(f, "; did you mean `{meant}`?"))
}

/// "`a`, `b` or `c`".
pub(in crate::policy) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}
