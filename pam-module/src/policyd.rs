// SPDX-License-Identifier: Apache-2.0
//! One exchange with policyd over its socket: bounded in time, whatever the process was started with.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use virtwarden_login::{Answer, Question, ReceiveError, SOCKET, encode_frame, locked, receive};

use crate::ffi;
use crate::monitor::{Asker, Locks, Monitor, Silence};

/// How long to wait before trying again where too many wait to be let in already.
const QUEUE: Duration = Duration::from_millis(10);

/// policyd on this host.
#[derive(Clone, Debug)]
pub struct Policyd {
    socket: PathBuf,
    snapshot: PathBuf,
    login_account: PathBuf,
}

impl Policyd {
    /// Where the package puts it.
    pub fn here() -> Self {
        Self {
            socket: SOCKET.into(),
            snapshot: locked::PATH.into(),
            login_account: "/proc/self/loginuid".into(),
        }
    }
}

impl Monitor for Policyd {
    fn ask(&self, question: &Question, patience: Duration) -> Result<Answer, Silence> {
        let frame = encode_frame(question).map_err(|fault| Silence::Unable(fault.to_string()))?;
        let deadline = Instant::now() + patience;
        let socket = self.connect(deadline)?;
        let mut line = Line { socket, deadline };
        line.write_all(&frame).map_err(|error| broken(&error))?;
        receive(&mut line).map_err(|error| match error {
            ReceiveError::Io(error) => broken(&error),
            ReceiveError::Fault(fault) => Silence::Nonsense(fault.to_string()),
        })
    }

    fn locks(&self) -> Locks {
        match self.read_snapshot() {
            Ok(bytes) => match locked::parse(&bytes) {
                Ok(locks) => Locks::Known(locks),
                Err(fault) => Locks::Damaged(format!("{}: {fault}", self.snapshot.display())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Locks::Known(Vec::new()),
            Err(error) if is_shortage(&error) => Locks::Unable(error.to_string()),
            Err(error) => Locks::Damaged(format!("{}: {error}", self.snapshot.display())),
        }
    }

    /// The kernel gives a process the account that logged in, and a daemon of the system none.
    fn asker(&self) -> Asker {
        match std::fs::read_to_string(&self.login_account) {
            Ok(number) if number.trim() == u32::MAX.to_string() => Asker::System,
            Ok(_) | Err(_) => Asker::Person,
        }
    }

    fn seconds(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

impl Policyd {
    fn connect(&self, deadline: Instant) -> Result<OwnedFd, Silence> {
        let socket = ffi::stream_socket().map_err(|error| Silence::Unable(error.to_string()))?;
        loop {
            match ffi::connect(&socket, &self.socket) {
                Ok(()) => return Ok(socket),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if Instant::now() + QUEUE > deadline {
                        return Err(Silence::Late);
                    }
                    std::thread::sleep(QUEUE);
                }
                Err(error) if is_nobody(&error) => return Err(Silence::Away(error.to_string())),
                Err(error) => return Err(Silence::Unable(error.to_string())),
            }
        }
    }

    /// The file is policyd's: were it a pipe or a link, root's programs must not wait for it or follow it.
    fn read_snapshot(&self) -> io::Result<Vec<u8>> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
            .open(&self.snapshot)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        read_bounded(file)
    }
}

fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(locked::LONGEST).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Nobody listens. A person cannot bring these about.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::PermissionDenied
    )
}

/// The process has too little of something. Who started it chose how much.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS))
}

/// The connection stood and no answer came: policyd died with it, or has no room for more.
fn broken(error: &io::Error) -> Silence {
    if is_shortage(error) { Silence::Unable(error.to_string()) } else { Silence::Late }
}

/// A connection that ends by itself.
struct Line {
    socket: OwnedFd,
    deadline: Instant,
}

impl Line {
    /// Tries again when the socket is ready, until time is up.
    fn persist(
        &self,
        readiness: ffi::Readiness,
        mut act: impl FnMut(&OwnedFd) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match act(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(readiness)?,
                done => return done,
            }
        }
    }

    fn wait(&self, readiness: ffi::Readiness) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match ffi::wait(&self.socket, readiness, left) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.persist(ffi::Readiness::ToRead, |socket| ffi::receive(socket, buffer))
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.persist(ffi::Readiness::ToWrite, |socket| ffi::send(socket, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
