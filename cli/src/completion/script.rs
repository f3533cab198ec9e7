// SPDX-License-Identifier: Apache-2.0
//! The scripts that shells complete by: clap's own for nouns, verbs and options, and around it the question what a value may
//! be. What policyd does not say, or not at once, is completed as clap and the shell do.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use super::wanted::{Wanted, wanted};
use crate::arguments::Arguments;
use crate::exit::Failed;

/// The line is taken as it was typed: bash cuts words at `=` and `:`, and replaces what is behind the last of them.
const BASH: &str = r#"
_virtwarden_values() {
    local -a words found
    local line=${COMP_LINE:0:COMP_POINT} word cut
    read -ra words <<< "$line"
    [[ $line != *[[:space:]] ]] || words+=("")
    word=${words[-1]}
    mapfile -t found < <(virtwarden complete -- "${words[@]:1}" 2> /dev/null)
    if [[ ${#found[@]} -eq 0 ]]; then
        _virtwarden "$@"
        return
    fi
    [[ ${found[*]} != *= ]] || compopt -o nospace 2> /dev/null
    cut=${word%"${word##*[=:]}"}
    COMPREPLY=("${found[@]#"$cut"}")
}
complete -F _virtwarden_values -o bashdefault -o default virtwarden
"#;

/// Loaded once by its name, as a file of functions; the name must stay the whole thing's.
const ZSH: &str = r#"
_virtwarden() {
    local -a found open
    found=(${(f)"$(virtwarden complete -- "${(@Q)words[2,CURRENT]}" 2> /dev/null)"})
    if (( ! $#found )); then
        _virtwarden_words "$@"
        return
    fi
    open=(${(M)found:#*=})
    found=(${found:#*=})
    compadd -Q -S '' -a open
    compadd -a found
}

"#;

/// Of a word with an option and its value, fish wants the value alone.
const FISH: &str = r#"
function __virtwarden_values
    virtwarden complete -- (commandline -opc)[2..-1] (commandline -ct) 2> /dev/null | string replace -r -- '^--[^=]+=' ''
end
function __virtwarden_wants
    __fish_prev_arg_in $argv; or string match -q -- "$argv=*" (commandline -ct)
end
complete -c virtwarden -a "(__virtwarden_values)"
"#;

/// Prints the script for a shell.
pub(crate) fn print(shell: Shell) -> Result<(), Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "virtwarden", &mut script);
    let script = around(shell, &String::from_utf8_lossy(&script));
    io::stdout().lock().write_all(script.as_bytes()).map_err(Failed::from)
}

fn around(shell: Shell, script: &str) -> String {
    match shell {
        Shell::Bash => format!("{script}{BASH}"),
        Shell::Fish => format!("{script}{FISH}{}", options(&Arguments::command())),
        Shell::Zsh => {
            let renamed = script.replacen("\n_virtwarden() {", "\n_virtwarden_words() {", 1);
            renamed.replacen("\nif [ \"$funcstack[1]\"", &format!("{ZSH}if [ \"$funcstack[1]\""), 1)
        }
        // clap knows more of them, and there may be more yet.
        Shell::Elvish | Shell::PowerShell | _ => script.to_owned(),
    }
}

/// fish asks for the value of an option only where the option itself says so.
fn options(command: &Command) -> String {
    let mut names = BTreeSet::new();
    longs(command, &mut names);
    let line = |name: &String| {
        format!(
            "complete -c virtwarden -n '__virtwarden_wants --{name}' -l {name} -r -f -a '(__virtwarden_values)'\n"
        )
    };
    names.iter().map(line).collect()
}

/// The long names of options whose values we know.
fn longs(command: &Command, names: &mut BTreeSet<String>) {
    let known = |argument: &&Arg| {
        let wanted = wanted(argument);
        argument.get_action().takes_values() && !matches!(wanted, None | Some(Wanted::Shells | Wanted::Free))
    };
    let options = command.get_arguments().filter(known).filter_map(Arg::get_long);
    names.extend(options.map(str::to_owned));
    command.get_subcommands().for_each(|verb| longs(verb, names));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_asks_what_a_value_may_be_and_keeps_claps_words() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "virtwarden", &mut script);
            let script = around(shell, &String::from_utf8(script).unwrap());
            assert_eq!(script.matches("virtwarden complete -- ").count(), 1, "{shell}");
            assert!(script.contains("templates"), "{shell}");
            if shell == Shell::Zsh {
                assert_eq!(script.matches("\n_virtwarden() {").count(), 1);
                assert_eq!(script.matches("\n_virtwarden_words() {").count(), 1);
                assert!(script.find("\n_virtwarden() {") < script.find("\nif [ \"$funcstack[1]\""));
            }
        }
    }
}
