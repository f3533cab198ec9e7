// SPDX-License-Identifier: Apache-2.0
//! Where on the command line somebody is typing.

use clap::{Arg, Command};

use super::wanted::{Wanted, wanted};

/// Where he is.
#[derive(Debug)]
pub(super) struct Place<'c> {
    /// What belongs there.
    pub(super) wanted: Wanted,
    /// The argument.
    pub(super) argument: &'c Arg,
    /// The values that stand before it, without options.
    pub(super) values: Vec<&'c str>,
    /// What is typed of it already.
    pub(super) typed: &'c str,
    /// `--vm=` where the value stands in one word with its option; else empty.
    pub(super) option: &'c str,
}

impl<'c> Place<'c> {
    /// Finds it; none where a noun, a verb or an option is being typed, or where nothing fits.
    pub(super) fn find(command: &'c Command, before: &'c [String], typed: &'c str) -> Option<Self> {
        let mut reader = Reader { command, values: Vec::new(), open: None };
        before.iter().for_each(|word| reader.read(word));
        let (argument, typed, option) = match (reader.open, typed.split_once('=')) {
            (Some(argument), _) => (argument, typed, ""),
            (None, Some((name, value))) if name.starts_with("--") => {
                let end = name.len() + 1;
                (reader.option(name)?, value, typed.get(..end)?)
            }
            (None, _) if typed.starts_with('-') => return None,
            (None, _) => (reader.next()?, typed, ""),
        };
        Some(Self { wanted: wanted(argument)?, argument, values: reader.values, typed, option })
    }
}

/// Reads one word after the other.
struct Reader<'c> {
    command: &'c Command,
    values: Vec<&'c str>,
    /// The option whose value comes next.
    open: Option<&'c Arg>,
}

impl<'c> Reader<'c> {
    fn read(&mut self, word: &'c str) {
        if self.open.take().is_some() {
            return;
        }
        if word.starts_with('-') && word.len() > 1 {
            self.open = self.option(word);
        } else if let Some(verb) = self.command.find_subcommand(word) {
            self.command = verb;
        } else {
            self.values.push(word);
        }
    }

    /// The option of this name that wants a value; those of all verbs are the command's own.
    fn option(&self, name: &str) -> Option<&'c Arg> {
        let is_named = |argument: &&Arg| match name.strip_prefix("--") {
            Some(long) => argument.get_long() == Some(long),
            None => {
                argument.get_short().is_some_and(|short| name.strip_prefix('-') == Some(&short.to_string()))
            }
        };
        self.command.get_arguments().filter(|argument| argument.get_action().takes_values()).find(is_named)
    }

    /// What the next word without a dash is; the last one may be repeated.
    fn next(&self) -> Option<&'c Arg> {
        let mut positions = self.command.get_positionals();
        let last = self.command.get_positionals().last()?;
        let repeats = last.get_num_args().is_some_and(|range| range.max_values() > 1);
        positions.nth(self.values.len()).or(repeats.then_some(last))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    fn at(line: &str) -> Option<(Wanted, String, String)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (typed, before) = words.split_last().unwrap();
        let command = Arguments::command();
        let place = Place::find(&command, before, typed)?;
        Some((place.wanted, place.typed.to_owned(), place.values.join(" ")))
    }

    #[test]
    fn the_word_that_is_typed_has_a_place() {
        for (line, wanted, typed, values) in [
            ("vm show bo", Wanted::Vm, "bo", ""),
            ("vm --json show ", Wanted::Vm, "", ""),
            ("media connect bobvm ", Wanted::Medium, "", "bobvm"),
            ("media eject --drive hdc bo", Wanted::Vm, "bo", ""),
            ("vm assign bobvm bob ali", Wanted::Account, "ali", "bobvm bob"),
            ("vm assign bobvm -g wh", Wanted::Group, "wh", "bobvm"),
            ("vm create new --network ", Wanted::Network, "", "new"),
            ("vm create new --template=se", Wanted::Template, "se", "new"),
            ("setting set ", Wanted::Listed, "", ""),
            ("setting set remote-timeout idle=1h x", Wanted::Pair, "x", "remote-timeout idle=1h"),
            ("sharing allow disk work ", Wanted::End, "", "disk work"),
        ] {
            assert_eq!(at(line), Some((wanted, typed.into(), values.into())), "{line}");
        }
    }

    #[test]
    fn nouns_verbs_and_options_are_the_shells_own() {
        for line in ["", "v", "vm ", "vm show --js", "vm show bobvm ", "vm list x", "fly "] {
            assert_eq!(at(line), None, "{line}");
        }
    }
}
