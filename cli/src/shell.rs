// SPDX-License-Identifier: Apache-2.0
//! `virtwarden completion` and `virtwarden man`: made from the command line's own definition, so
//! that they cannot differ from it.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use virtwarden_core::setting::SettingName;

use crate::arguments::Arguments;
use crate::exit::Failed;

/// Prints the completion script for a shell.
pub(crate) fn completion(shell: Shell) -> Result<(), Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "virtwarden", &mut script);
    if shell == Shell::Fish {
        script.extend(positional().into_bytes());
    }
    io::stdout().lock().write_all(&script).map_err(Failed::from)
}

/// What clap completes for other shells, but not for fish: names of settings, and accounts.
fn positional() -> String {
    let settings = SettingName::ALL.map(SettingName::word).join(" ");
    let line = |noun: &str, verbs: &str, words: &str| {
        format!(
            "complete -c virtwarden -n \"__fish_seen_subcommand_from {noun}; and __fish_seen_subcommand_from {verbs}\" \
             -f -a \"{words}\"\n"
        )
    };
    [
        line("setting", "show set unset", &settings),
        line("lockout", "show unlock", "(__fish_complete_users)"),
        line("role", "add remove", "(__fish_complete_users)"),
    ]
    .concat()
}

/// Writes a man page for the command, each noun and each verb: `virtwarden-vm-assign.1`.
pub(crate) fn man(directory: &Path) -> Result<(), Failed> {
    clap_mangen::generate_to(Arguments::command(), directory).map_err(|error| {
        Failed::error(format!("cannot write man pages to `{}`: {error}", directory.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fish_is_told_what_clap_leaves_out() {
        let lines = positional();
        for word in SettingName::ALL.map(SettingName::word) {
            assert!(lines.lines().next().is_some_and(|line| line.contains(word)), "{word}");
        }
        assert!(lines.contains("from lockout; and __fish_seen_subcommand_from show unlock"), "{lines}");
    }
}
