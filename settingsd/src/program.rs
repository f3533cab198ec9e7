// SPDX-License-Identifier: Apache-2.0
//! The components' own programs: fixed paths, a cleared environment, a deadline, bounded output.

use std::io::{self, PipeReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a program may take. An order runs a handful at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is kept of what a program says.
const MOST: usize = 256 << 10;
/// How often an end that was not seen on the pipe is looked for.
const BREATH: Duration = Duration::from_millis(5);

/// What a program reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// Nothing.
    Nothing,
    /// This; shorter than a pipe holds.
    Text(&'a str),
    /// A terminal on which nobody types, for programs that insist on one.
    Terminal,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it said, output and errors as they came.
    pub(crate) said: String,
}

impl Ran {
    /// Whether it ended with 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.code == Some(0)
    }
}

/// Whatever runs programs.
pub(crate) trait Programs {
    /// Runs one, the first word being its path, and waits for its end.
    ///
    /// # Errors
    /// It could not be run, or did not end in time.
    fn run(&self, words: &[&str], input: Input<'_>) -> Result<Ran, String>;
}

/// The host's own programs.
#[derive(Debug)]
pub(crate) struct OfHost;

impl Programs for OfHost {
    fn run(&self, words: &[&str], input: Input<'_>) -> Result<Ran, String> {
        let told = words.join(" ");
        let until = Instant::now() + PATIENCE;
        begin(words, input)
            .and_then(|(child, says, _terminal)| watch(child, says, until))
            .map_err(|error| format!("`{told}`: {error}"))
    }
}

/// Its side of the terminal stays open until it has ended.
type Begun = (Child, PipeReader, Option<nix::pty::OpenptyResult>);

fn begin(words: &[&str], input: Input<'_>) -> io::Result<Begun> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (says, speaks) = io::pipe()?;
    let mut terminal = None;
    let stdin = match input {
        Input::Nothing => Stdio::null(),
        Input::Text(text) => {
            let (reads, mut writes) = io::pipe()?;
            writes.write_all(text.as_bytes())?;
            reads.into()
        }
        Input::Terminal => {
            let pair = nix::pty::openpty(None, None)?;
            let slave = pair.slave.try_clone()?;
            terminal = Some(pair);
            slave.into()
        }
    };
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(stdin)
        .stdout(speaks.try_clone()?)
        .stderr(speaks)
        .spawn()?;
    Ok((child, says, terminal))
}

fn watch(mut child: Child, says: PipeReader, until: Instant) -> io::Result<Ran> {
    let listened = listen(says, until);
    match wait(&mut child, until) {
        Ok(Some(status)) => Ok(Ran { code: status.code(), said: listened? }),
        ended => {
            child.kill()?;
            child.wait()?;
            ended?;
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no end within {} s; it was killed", PATIENCE.as_secs()),
            ))
        }
    }
}

/// Reads until the other end is closed or time is up.
fn listen(mut says: PipeReader, until: Instant) -> io::Result<String> {
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let ready = poll(&mut [PollFd::new(&says, PollFlags::IN)], Some(&timeout))?;
        let count = if ready == 0 { 0 } else { says.read(&mut buffer)? };
        if count == 0 {
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
        let room = MOST.saturating_sub(said.len());
        said.extend(buffer.iter().take(count.min(room)));
    }
}

fn wait(child: &mut Child, until: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if Instant::now() >= until => return Ok(None),
            None => thread::sleep(BREATH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, input: Input<'_>) -> Ran {
        OfHost.run(&["/bin/sh", "-c", script], input).unwrap()
    }

    #[test]
    fn what_a_program_says_and_how_it_ends_is_told() {
        let ran = run("echo out; echo err >&2; exit 3", Input::Nothing);
        assert_eq!(ran, Ran { code: Some(3), said: "out\nerr\n".into() });
        assert_eq!(run("read line; echo \"<$line>\"", Input::Text("typed\n")).said, "<typed>\n");
        assert!(run("test -t 0", Input::Terminal).succeeded());
        assert_eq!(run("kill -9 $$", Input::Nothing).code, None);
        assert!(OfHost.run(&["/nonexistent"], Input::Nothing).unwrap_err().contains("`/nonexistent`"));
    }

    #[test]
    fn nothing_of_our_environment_reaches_it() {
        let names = run("/usr/bin/env | /usr/bin/cut -d= -f1 | /usr/bin/sort", Input::Nothing).said;
        assert_eq!(names, "LC_ALL\nPATH\nPWD\n");
    }

    #[test]
    fn much_output_is_cut() {
        let said =
            run("i=0; while [ $i -lt 6000 ]; do printf '%0100d' 0; i=$((i+1)); done", Input::Nothing).said;
        assert_eq!(said.len(), MOST);
    }

    #[test]
    fn one_that_does_not_end_is_killed() {
        let (child, says, terminal) = begin(&["/bin/sleep", "60"], Input::Nothing).unwrap();
        let pid = child.id();
        let error = watch(child, says, Instant::now() + Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(terminal.is_none());
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
