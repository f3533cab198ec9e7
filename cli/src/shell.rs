// SPDX-License-Identifier: Apache-2.0
//! `virtwarden man`: made from the command line's own definition, so that it cannot differ from it.

use std::path::Path;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::exit::Failed;

/// Writes a man page for the command, each noun and each verb: `virtwarden-vm-assign.1`.
pub(crate) fn man(directory: &Path) -> Result<(), Failed> {
    clap_mangen::generate_to(Arguments::command(), directory).map_err(|error| {
        Failed::error(format!("cannot write man pages to `{}`: {error}", directory.display()))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Command;

    use super::*;

    /// What a page must name, and does not.
    fn missing(command: &Command, name: &str, pages: &Path) -> Vec<String> {
        let page = fs::read_to_string(pages.join(format!("{name}.1"))).unwrap_or_default();
        // As man shows it.
        let page = page.replace("\\-", "-").replace("\\*(Aq", "'").replace("\\(aq", "'");
        let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
        let words = arguments.map(|argument| match argument.get_long() {
            Some(long) => format!("--{long}"),
            None => argument.get_value_names().map_or_else(String::new, |names| names.concat()),
        });
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let mut missing: Vec<_> = words
            .chain([about])
            .filter(|word| !page.contains(word.as_str()))
            .map(|word| format!("{name}: {word}"))
            .collect();
        if page.is_empty() {
            missing.push(format!("{name} has no page"));
        }
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            missing.extend(self::missing(verb, &format!("{name}-{}", verb.get_name()), pages));
        }
        missing
    }

    #[test]
    fn every_command_has_a_page_that_names_its_arguments() {
        let pages = tempfile::tempdir().unwrap();
        man(pages.path()).unwrap();
        assert_eq!(missing(&Arguments::command(), "virtwarden", pages.path()), [""; 0]);
        assert!(pages.path().join("virtwarden-vm-assign.1").exists());
        assert!(!pages.path().join("virtwarden-complete.1").exists(), "not for people");
    }
}
