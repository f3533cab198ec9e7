// SPDX-License-Identifier: Apache-2.0
//! A real terminal with the command at it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;

/// A terminal with the command at it.
pub(crate) struct Terminal {
    master: File,
    // Kept open: a terminal that nobody has open forgets its state.
    _slave: OwnedFd,
    pub(crate) child: Child,
    pub(crate) seen: String,
}

impl Terminal {
    pub(crate) fn with(mut run: Command) -> Self {
        let pty = openpty(None, None).unwrap();
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = run.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self { master: File::from(pty.master), _slave: pty.slave, child, seen: String::new() }
    }

    /// Waits until this is on the screen.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut piece = [0; 1024];
        while !self.seen.contains(text) {
            let mut ready = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut ready, 20_000_u16).unwrap(), 1, "no `{text}` after: {}", self.seen);
            let length = self.master.read(&mut piece).unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    }

    pub(crate) fn types(&mut self, line: &str) {
        self.master.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn shows_what_is_typed(&self) -> bool {
        tcgetattr(self.master.as_fd()).unwrap().local_flags.contains(LocalFlags::ECHO)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Continues the command, which may not have stopped yet, until this is on the screen.
    pub(crate) fn goes_on_until(&mut self, text: &str) {
        let child = self.pid();
        let (done, is_done) = mpsc::channel::<()>();
        let going = thread::spawn(move || {
            while is_done.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
                kill(child, Signal::SIGCONT).unwrap();
            }
        });
        self.wait_for(text);
        drop(done);
        going.join().unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }
}
