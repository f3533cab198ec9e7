// SPDX-License-Identifier: Apache-2.0
//! Typing that is not seen.
//!
//! The terminal must show again what is typed whatever ends this: an answer, an error, a panic, an interrupt,
//! a stop. So signals that would end or stop the process are held back while it is silent, and delivered once
//! it no longer is.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::read;

use super::{LONGEST_ANSWER, answer, unreadable, write_prompt};
use crate::exit::Failed;

/// What ends or stops a process from its terminal or from outside.
const HELD_BACK: [Signal; 5] =
    [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGTSTP];

/// How a wait for the person ended.
enum Typed {
    Line(Vec<u8>),
    Interrupted(Signal),
}

/// Asks, showing nothing of what is typed.
pub(super) fn ask(prompt: &str) -> Result<String, Failed> {
    let stdin = io::stdin();
    loop {
        match ask_once(prompt, stdin.as_fd()).map_err(|errno| unreadable(&errno.into()))? {
            Typed::Line(bytes) => return answer(bytes),
            // Ends the process, or stops it until it is continued: then the question is asked again.
            Typed::Interrupted(signal) => raise(signal).map_err(|errno| unreadable(&errno.into()))?,
        }
    }
}

fn ask_once(prompt: &str, terminal: BorrowedFd<'_>) -> Result<Typed, Errno> {
    let held = Held::back()?;
    let silent = Silence::on(terminal)?;
    write_prompt(prompt);
    let typed = wait(terminal, &held.arrivals);
    drop(silent);
    eprintln!();
    typed
}

fn wait(terminal: BorrowedFd<'_>, arrivals: &SignalFd) -> Result<Typed, Errno> {
    let mut line = Vec::new();
    loop {
        let mut ready =
            [PollFd::new(terminal, PollFlags::POLLIN), PollFd::new(arrivals.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        if let Some(signal) = arrived(arrivals)? {
            return Ok(Typed::Interrupted(signal));
        }
        let readable = ready.first().and_then(PollFd::any).unwrap_or_default();
        if readable && is_complete(terminal, &mut line)? {
            return Ok(Typed::Line(line));
        }
    }
}

fn arrived(arrivals: &SignalFd) -> Result<Option<Signal>, Errno> {
    let Some(info) = arrivals.read_signal()? else { return Ok(None) };
    let number = i32::try_from(info.ssi_signo).map_err(|_| Errno::EINVAL)?;
    Signal::try_from(number).map(Some)
}

/// Takes what is there. A terminal hands out whole lines, so nothing of the next one is taken.
fn is_complete(terminal: BorrowedFd<'_>, line: &mut Vec<u8>) -> Result<bool, Errno> {
    let mut piece = [0; 256];
    let length = read(terminal, &mut piece)?;
    line.extend(piece.iter().take(length));
    Ok(length == 0 || line.ends_with(b"\n") || line.len() > LONGEST_ANSWER)
}

/// Signals that wait until this is dropped.
struct Held {
    arrivals: SignalFd,
    before: SigSet,
}

impl Held {
    fn back() -> Result<Self, Errno> {
        let signals = HELD_BACK.into_iter().collect::<SigSet>();
        let arrivals = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { arrivals, before })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// A terminal that shows nothing until this is dropped.
struct Silence<'terminal> {
    terminal: BorrowedFd<'terminal>,
    before: Termios,
}

impl<'terminal> Silence<'terminal> {
    /// What was typed before the question is thrown away: it was not meant for it.
    fn on(terminal: BorrowedFd<'terminal>) -> Result<Self, Errno> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL);
        silent.local_flags.insert(LocalFlags::ICANON | LocalFlags::ISIG);
        tcsetattr(terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, SetArg::TCSADRAIN, &self.before);
    }
}
