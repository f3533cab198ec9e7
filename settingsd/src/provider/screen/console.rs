// SPDX-License-Identifier: Apache-2.0
//! Text consoles: a login shell that nobody types into ends. bash counts the time itself, and TMOUT is read-only there.
//!
//! Not over the network, where the remote timeout holds, and not in a desktop's terminals, which its lock covers.

use crate::host::Host;
use crate::program::Input;
use crate::provider::{Rendered, sshd};

const BASH: &str = "/bin/bash";
pub(super) const PATH: &str = "/etc/profile.d/virtwarden-console.sh";

pub(super) fn render(seconds: u32) -> Rendered {
    let text = format!(
        "{}case $- in\n*i*)\n    if [ -z \"${{SSH_CONNECTION-}}${{DISPLAY-}}${{WAYLAND_DISPLAY-}}\" ]; then\n        \
         {{ readonly TMOUT={seconds}; export TMOUT; }} 2> /dev/null || :\n    fi\n    ;;\nesac\n",
        sshd::HEAD
    );
    Rendered { path: PATH, text }
}

/// bash reads it as a script, and runs nothing of it.
pub(super) fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
    let ours = rendered.iter().find(|file| file.path == PATH);
    ours.map_or(Ok(()), |file| {
        host.with_candidate(&file.text, |path| host.must(&[BASH, "-n", path]).map(drop))
            .map_err(|why| format!("bash does not take `{PATH}`: {why}"))
    })
}

/// A line if a login shell has another time, by its own word.
pub(super) fn read_back(host: &Host, seconds: u32) -> Option<String> {
    let ran = match host.run(&[BASH, "-lic", "echo \"TMOUT=${TMOUT-}.\""], Input::Nothing) {
        Ok(ran) => ran,
        Err(why) => return Some(why),
    };
    let found = ran.said.lines().find_map(|line| line.strip_prefix("TMOUT=")?.strip_suffix('.'));
    match found {
        Some(found) if found == seconds.to_string() => None,
        Some("") | None => Some(format!("a login shell has no TMOUT; /etc/profile must read `{PATH}`")),
        Some(found) => Some(format!(
            "a login shell has TMOUT {found}, not {seconds}; look for TMOUT in /etc/profile and /etc/profile.d"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What an interactive bash makes of the file.
    fn shown(words: &[&str], variable: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("it.sh");
        std::fs::write(&file, render(900).text).unwrap();
        let script = format!(
            ". {}\nTMOUT=0 2>/dev/null\nunset TMOUT 2>/dev/null\necho \"<${{TMOUT-}}>\"",
            file.display()
        );
        let mut bash = Command::new(BASH);
        bash.args(["--norc", "--noprofile"]).args(words).arg(script).env_clear().env(variable, "x");
        String::from_utf8(bash.output().unwrap().stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_shell_on_a_console_has_it_for_good_and_others_do_not() {
        assert_eq!(shown(&["-ic"], "NOTHING"), "<900>");
        assert_eq!(shown(&["-c"], "NOTHING"), "<>");
        for elsewhere in ["SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY"] {
            assert_eq!(shown(&["-ic"], elsewhere), "<>", "{elsewhere}");
        }
    }
}
