// SPDX-License-Identifier: Apache-2.0
//! Text consoles: a login shell that nobody types into ends. bash counts the time itself, and TMOUT is read-only there.
//!
//! Not over the network, where the remote timeout holds, and not in a desktop's terminals, which its lock covers.

use virtwarden_core::setting::{ScreenIdle, ScreenLockTimeout};

use crate::host::Host;
use crate::program::Input;
use crate::provider::{Rendered, sshd};

const BASH: &str = "/bin/bash";
pub(super) const PATH: &str = "/etc/profile.d/virtwarden-console.sh";

/// The account that settingsd asks bash as.
const ROOT: u32 = 0;

/// None where each has his own.
pub(super) fn render(value: &ScreenLockTimeout) -> Option<Rendered> {
    let seconds = seconds(value.idle)?;
    let own: String = value
        .shortened()
        .filter_map(|(account, idle)| Some(format!("{account}) readonly TMOUT={} ;; ", self::seconds(idle)?)))
        .collect();
    // bash takes UID from whoever starts it.
    let chosen = if own.is_empty() {
        format!("readonly TMOUT={seconds}")
    } else {
        format!("case $(/usr/bin/id -u) in {own}*) readonly TMOUT={seconds} ;; esac")
    };
    let text = format!(
        "{}case $- in\n*i*)\n    if [ -z \"${{SSH_CONNECTION-}}${{DISPLAY-}}${{WAYLAND_DISPLAY-}}\" ]; then\n        \
         {{ {chosen}; export TMOUT; }} 2> /dev/null || :\n    fi\n    ;;\nesac\n",
        sshd::HEAD
    );
    Some(Rendered { path: PATH, text })
}

fn seconds(idle: ScreenIdle) -> Option<u32> {
    match idle {
        ScreenIdle::Personal => None,
        ScreenIdle::After { seconds, .. } => Some(seconds),
    }
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
pub(super) fn read_back(host: &Host, value: &ScreenLockTimeout) -> Option<String> {
    let seconds = seconds(value.of(ROOT))?;
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

    use virtwarden_core::setting::OwnIdle;

    use super::*;

    /// Everybody's is 15 minutes, that of one account less.
    fn timeout(account: u32, seconds: u32) -> ScreenLockTimeout {
        let own = OwnIdle { account: "somebody".into(), seconds, delay: 0 };
        let idle = ScreenIdle::After { seconds: 900, delay: 30 };
        ScreenLockTimeout { idle, own: [(account, own)].into() }
    }

    /// What an interactive bash makes of the file.
    fn shown(words: &[&str], variable: &str) -> String {
        shown_of(&timeout(4242, 300), words, variable)
    }

    fn shown_of(value: &ScreenLockTimeout, words: &[&str], variable: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("it.sh");
        std::fs::write(&file, render(value).unwrap().text).unwrap();
        let script = format!(
            ". {}\nTMOUT=0 2>/dev/null\nunset TMOUT 2>/dev/null\necho \"<${{TMOUT-}}>\"",
            file.display()
        );
        let mut bash = Command::new(BASH);
        bash.args(["--norc", "--noprofile"]).args(words).arg(script).env_clear().env(variable, "x");
        String::from_utf8(bash.output().unwrap().stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn ones_own_time_is_ones_own() {
        let me = nix::unistd::getuid().as_raw();
        assert_eq!(shown_of(&timeout(me, 300), &["-ic"], "UID"), "<300>");
        assert_eq!(shown_of(&timeout(me + 1, 300), &["-ic"], "UID"), "<900>");
        assert_eq!(render(&ScreenLockTimeout::default()), None);
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
