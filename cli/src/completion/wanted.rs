// SPDX-License-Identifier: Apache-2.0
//! What belongs into each argument of the command line.

use clap::{Arg, ValueHint};

/// What is wanted at a place of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of the words that the argument itself lists.
    Listed,
    /// A VM.
    Vm,
    /// A network.
    Network,
    /// A removable medium.
    Medium,
    /// The number of a transfer that waits.
    Transfer,
    /// An information domain.
    InformationDomain,
    /// A template.
    Template,
    /// A role.
    Role,
    /// An account.
    Account,
    /// A group.
    Group,
    /// The number of a session.
    Session,
    /// `KEY=VALUE` of the setting that was named before.
    Pair,
    /// An end of a channel: a VM, the host, an information domain as `@red`.
    End,
    /// A right, by its word.
    Right,
    /// A function of Table 3, by its slug.
    Function,
    /// An object: its kind, a slash, its name.
    Object,
    /// Something that the shell itself completes, a file above all.
    Shells,
    /// Something new, or that nobody can guess: a name, a number, a text.
    Free,
}

/// What an argument wants. None: nobody has said it yet, which a test finds.
pub(super) fn wanted(argument: &Arg) -> Option<Wanted> {
    if !argument.get_possible_values().is_empty() {
        return Some(Wanted::Listed);
    }
    Some(match argument.get_id().as_str() {
        "vm" => Wanted::Vm,
        "network" => Wanted::Network,
        "medium" => Wanted::Medium,
        "information_domain" | "grant" => Wanted::InformationDomain,
        "template" => Wanted::Template,
        "role" => Wanted::Role,
        "user" | "users" | "person" | "assign" | "administrators" => Wanted::Account,
        "groups" => Wanted::Group,
        "id" => Wanted::Session,
        "pairs" => Wanted::Pair,
        "one" | "other" => Wanted::End,
        "right" => Wanted::Right,
        "function" | "row" | "rows" => Wanted::Function,
        "object" => Wanted::Object,
        "transfer" => Wanted::Transfer,
        "archive" | "directory" | "file" | "files" | "head" | "key" | "html" | "csv" | "bundle"
        | "socket" | "elevate_socket" | "signature" => Wanted::Shells,
        "attempts" | "before" | "class" | "delay" | "disk" | "drive" | "from" | "idle" | "limit"
        | "longest" | "memory" | "name" | "number" | "period" | "reason" | "revert_after" | "sequence"
        | "sha256" | "since" | "text" | "to" | "unlock" | "until" | "vcpus" | "words" => Wanted::Free,
        _ if argument.get_value_hint() != ValueHint::Unknown => Wanted::Shells,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;
    use crate::arguments::Arguments;

    fn unknown(command: &Command, path: &str) -> Vec<String> {
        let of_command = |argument: &&Arg| argument.get_action().takes_values() && wanted(argument).is_none();
        let arguments = command.get_arguments().filter(of_command);
        let mut found: Vec<_> = arguments.map(|argument| format!("{path}: {}", argument.get_id())).collect();
        for verb in command.get_subcommands() {
            found.extend(unknown(verb, &format!("{path} {}", verb.get_name())));
        }
        found
    }

    #[test]
    fn somebody_has_said_of_every_argument_what_belongs_into_it() {
        assert_eq!(unknown(&Arguments::command(), "virtwarden"), [""; 0]);
    }
}
