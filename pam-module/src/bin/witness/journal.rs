// SPDX-License-Identifier: Apache-2.0
//! What sshd logs, and nobody else: the journal, followed by its own program.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Deserialize;

use crate::place::is_cursor;

const JOURNALCTL: &str = "/usr/bin/journalctl";
/// The service, and the programs where each connection is a unit of its own. Root's alone: before the login there is
/// nothing of a person's in these, and after it his processes are neither root's nor these programs.
const SSHD: &[&str] =
    &["_SYSTEMD_UNIT=ssh.service", "_EXE=/usr/sbin/sshd", "_EXE=/usr/lib/openssh/sshd-session"];
/// The journal can hold other machines' entries.
const MACHINE: &str = "/etc/machine-id";
/// Without --merge, --follow shows this boot's entries alone.
const HOW: &[&str] = &[
    "--system",
    "--merge",
    "--follow",
    "--no-tail",
    "--all",
    "--output=json",
    "--output-fields=MESSAGE,_PID",
];
/// The longest line that is looked at. sshd's have at most a kilobyte.
const LONGEST: u64 = 64 * 1024;

/// One line of sshd's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) cursor: String,
    /// The process that logged it, which serves one connection.
    pub(crate) process: u32,
    /// When, in microseconds since 1970.
    pub(crate) time: u64,
    /// sshd writes control characters and what is not ASCII as escapes.
    pub(crate) message: String,
}

/// The same in journald's words. What has other fields, or a message in bytes, is none of sshd's lines.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "__CURSOR")]
    cursor: String,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: String,
    #[serde(rename = "_PID")]
    process: String,
    #[serde(rename = "MESSAGE")]
    message: serde_json::Value,
}

/// The journal from some entry on.
pub(crate) struct Journal {
    program: Child,
    lines: BufReader<ChildStdout>,
}

impl Journal {
    /// From the entry after this one; or from a moment, in seconds since 1970: the program takes its time to begin.
    pub(crate) fn follow(after: Option<String>, moment: u64) -> io::Result<Self> {
        let from = match after {
            Some(cursor) => format!("--after-cursor={cursor}"),
            None => format!("--since=@{moment}"),
        };
        let mut program = Command::new(JOURNALCTL)
            .env_clear()
            .args(HOW)
            .arg(from)
            .args(sshd_of(std::fs::read_to_string(MACHINE)?.trim()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = program.stdout.take().ok_or_else(|| io::Error::other("journalctl says nothing"))?;
        Ok(Self { program, lines: BufReader::new(said) })
    }

    /// Waits for the next entry. None: journalctl ended.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        loop {
            let mut line = Vec::new();
            if (&mut self.lines).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if let Some(entry) = entry(&line) {
                return Ok(Some(entry));
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ended_already = (self.program.kill(), self.program.wait());
    }
}

/// What journalctl is to show: each of the alternatives, by root, on this machine.
fn sshd_of(machine: &str) -> Vec<String> {
    let alternative =
        |field: &&str| [(*field).to_owned(), "_UID=0".to_owned(), format!("_MACHINE_ID={machine}")];
    let alternatives: Vec<_> = SSHD.iter().map(alternative).collect();
    alternatives.join(&"+".to_owned())
}

fn entry(line: &[u8]) -> Option<Entry> {
    let Line { cursor, time, process, message } = serde_json::from_slice(line).ok()?;
    let (process, time) = (process.parse().ok()?, time.parse().ok()?);
    let message = message.as_str()?.to_owned();
    is_cursor(&cursor).then_some(Entry { cursor, process, time, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alternative_is_roots_on_this_machine() {
        let matches = sshd_of("0a");
        let alternatives: Vec<_> = matches.split(|word| word == "+").collect();
        assert_eq!(alternatives.len(), 3);
        for each in alternatives {
            assert!(each[1..] == ["_UID=0", "_MACHINE_ID=0a"] && each[0].starts_with('_'), "{each:?}");
        }
    }

    #[test]
    fn an_entry_has_all_its_fields_and_a_text() {
        let sound =
            br#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"3","_PID":"71","MESSAGE":"Failed \"x\""}"#;
        let (cursor, message) = ("s=1;i=2".to_owned(), "Failed \"x\"".to_owned());
        let read = Entry { cursor, process: 71, time: 3, message };
        assert_eq!(entry(sound), Some(read));
        for other in [
            &br#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"3","_PID":"71","MESSAGE":[70,97,255]}"#[..],
            br#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"3","_PID":"71","MESSAGE":null}"#,
            br#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"3","_PID":["71","72"],"MESSAGE":"x"}"#,
            br#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"3","MESSAGE":"x"}"#,
            br#"{"__CURSOR":"--x y","__REALTIME_TIMESTAMP":"3","_PID":"71","MESSAGE":"x"}"#,
            br#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"3","_PID":"71","MESSAGE":"x""#,
            b"-- No entries --\n",
        ] {
            assert_eq!(entry(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
