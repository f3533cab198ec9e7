// SPDX-License-Identifier: Apache-2.0
//! Running a program to its end, for as long as it may take, with what it printed.

use std::io::{PipeReader, Read, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::interrupt::Interrupt;
use crate::exit::Failed;

/// So much is kept of what somebody's command prints.
const KEPT: usize = 2000;
/// So much is kept of what root looks at.
const LOOKED_AT: usize = 4 * 1024 * 1024;
/// How often somebody looks whether it has ended.
const TICK: Duration = Duration::from_millis(10);

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ran {
    /// Its exit code; none if it did not start or was ended.
    pub(super) exit: Option<i32>,
    /// What it printed on both outputs, or the beginning of it.
    pub(super) output: String,
}

impl Ran {
    /// Whether it ended with 0.
    pub(super) fn succeeded(&self) -> bool {
        self.exit == Some(0)
    }
}

/// Runs a program of root's that takes back or looks: nobody interrupts it.
pub(super) fn root(words: &[&str]) -> Ran {
    keeping(LOOKED_AT, words, Duration::from_secs(60), None)
}

/// Runs a program that must succeed.
pub(super) fn must(words: &[&str]) -> Result<String, Failed> {
    let ran = root(words);
    if ran.succeeded() {
        return Ok(ran.output);
    }
    Err(Failed::error(format!("`{}` failed: {}", words.join(" "), ran.output)))
}

/// Runs a program; its first word is its name.
pub(super) fn run(words: &[&str], longest: Duration, interrupt: Option<&Interrupt>) -> Ran {
    keeping(KEPT, words, longest, interrupt)
}

fn keeping(most: usize, words: &[&str], longest: Duration, interrupt: Option<&Interrupt>) -> Ran {
    let Some((program, arguments)) = words.split_first() else { return Ran::default() };
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).process_group(0);
    match begin(command) {
        Ok((child, printed)) => {
            let reader = thread::spawn(move || beginning(printed, most));
            finish(child, reader, longest, interrupt)
        }
        Err(error) => Ran { exit: None, output: format!("cannot run `{program}`: {error}") },
    }
}

/// The command is dropped here, and with it our own end for writing.
fn begin(mut command: Command) -> std::io::Result<(Child, PipeReader)> {
    let (printed, out) = pipe()?;
    let err = out.try_clone()?;
    let child = command.stdout(out).stderr(err).spawn()?;
    Ok((child, printed))
}

fn finish(
    mut child: Child,
    reader: JoinHandle<String>,
    longest: Duration,
    interrupt: Option<&Interrupt>,
) -> Ran {
    let deadline = Instant::now() + longest;
    let mut ended = "";
    let exit = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) => {}
            Err(_) => break None,
        }
        if Instant::now() > deadline && ended.is_empty() {
            ended = "\n(ended: it took too long)";
            end(&child);
        }
        if interrupt.is_some_and(Interrupt::has_arrived) && ended.is_empty() {
            ended = "\n(ended: interrupted)";
            end(&child);
        }
        thread::sleep(TICK);
    };
    let output = reader.join().unwrap_or_default();
    Ran { exit, output: format!("{}{ended}", output.trim_end()) }
}

/// The program and what it started.
fn end(child: &Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

/// What comes beyond is read and forgotten, so that nobody waits for us.
fn beginning(mut printed: PipeReader, most: usize) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(length) = printed.read(&mut piece) {
        if length == 0 {
            break;
        }
        let room = most.saturating_sub(kept.len());
        kept.extend(piece.iter().take(length.min(room)));
    }
    String::from_utf8_lossy(&kept).replace('\r', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_heard_and_its_exit_code_known() {
        let ran = root(&["sh", "-c", "echo out; echo err >&2; exit 3"]);
        assert_eq!(ran, Ran { exit: Some(3), output: "out\nerr".into() });
        assert!(root(&["/nowhere/to/be/found"]).output.contains("cannot run"));
    }

    #[test]
    fn what_takes_too_long_or_prints_too_much_is_bounded() {
        let ran = run(&["sh", "-c", "echo begun; sleep 60"], Duration::from_millis(300), None);
        assert_eq!((ran.exit, ran.output.as_str()), (None, "begun\n(ended: it took too long)"));
        let ran = run(&["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x"], Duration::from_secs(60), None);
        assert_eq!((ran.exit, ran.output.len()), (Some(0), KEPT));
    }
}
