// SPDX-License-Identifier: Apache-2.0
//! The login prompt of terminals and serial consoles: agetty shows /etc/issue, then the files of
//! /etc/issue.d in order, and expands backslash escapes in them.

use crate::host::Host;
use crate::program::Input;

const AGETTY: &str = "/usr/sbin/agetty";

/// agetty's own file for us.
pub(super) const PATH: &str = "/etc/issue.d/90-virtwarden.issue";

/// The text so that agetty shows exactly it: the backslash is all that it expands.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = text.replace('\\', "\\\\");
    if !escaped.ends_with('\n') {
        escaped.push('\n');
    }
    escaped
}

/// Prompts that wait already show the new text too. Where none waits, agetty has nothing to tell.
pub(super) fn take_effect(host: &Host) {
    if host.has("/run/agetty.reload") {
        let _shown_at_the_next_prompt = host.run(&[AGETTY, "--reload"], Input::Nothing);
    }
}

/// A line if agetty does not show the text as it is.
pub(super) fn read_back(host: &Host, text: &str) -> Option<String> {
    if !host.has(AGETTY) {
        return None;
    }
    let shown = match host.run(&[AGETTY, "--show-issue"], Input::Terminal) {
        Ok(ran) => ran.said.replace('\r', ""),
        Err(why) => return Some(why),
    };
    (!shown.contains(text.trim_end())).then(|| {
        let missing = if host.has("/etc/issue") {
            ""
        } else {
            "; it reads /etc/issue.d only if there is an /etc/issue"
        };
        format!("agetty does not show the banner on terminals{missing}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agetty_would_expand_is_doubled_and_nothing_else_is_touched() {
        for (text, expected) in [
            ("TEST TEST Warning", "TEST TEST Warning\n"),
            ("\\l \\4{eth0}", "\\\\l \\\\4{eth0}\n"),
            ("100 % $(id) `id` é漢\n", "100 % $(id) `id` é漢\n"),
            ("ends in \\", "ends in \\\\\n"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
