// SPDX-License-Identifier: Apache-2.0
//! What systemd hands over and wants to hear: inherited sockets by name, readiness, watchdog.

use std::collections::BTreeMap;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::time::{Duration, Instant};

/// The listening sockets that systemd passed, by the name that their unit gives them.
///
/// # Errors
/// A descriptor that is not a listening unix socket.
pub fn inherited() -> io::Result<BTreeMap<String, UnixListener>> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut passed = listenfd::ListenFd::from_env();
    let mut listeners = BTreeMap::new();
    for (index, name) in names.split(':').enumerate().take(passed.len()) {
        if let Some(listener) = passed.take_unix_listener(index)? {
            listeners.insert(name.to_owned(), listener);
        }
    }
    Ok(listeners)
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The sockets are served.
    Ready,
    /// A new policy is being loaded; [`State::Ready`] follows.
    Reloading,
    /// The end has begun.
    Stopping,
    /// Still alive.
    Watchdog,
}

/// Tells the service manager, if there is one. What it does with it is its own affair.
pub fn notify(state: State) {
    if let Some(path) = std::env::var_os("NOTIFY_SOCKET") {
        let _told = tell(path.as_bytes(), &message(state));
    }
}

fn message(state: State) -> String {
    match state {
        State::Ready => "READY=1\n".to_owned(),
        State::Reloading => format!("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_microseconds()),
        State::Stopping => "STOPPING=1\n".to_owned(),
        State::Watchdog => "WATCHDOG=1\n".to_owned(),
    }
}

fn tell(path: &[u8], message: &str) -> io::Result<()> {
    let address = match path.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.send(message.as_bytes()).map(drop)
}

fn monotonic_microseconds() -> i64 {
    use nix::sys::time::TimeValLike;
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).map_or(0, |time| time.num_microseconds())
}

/// The signs of life that the service manager waits for; no more than it needs, because each wakes it up.
#[derive(Debug)]
pub struct Heartbeat {
    /// Twice as often as it gives up; none: it does not wait for any.
    every: Option<Duration>,
    last: Instant,
}

impl Heartbeat {
    /// As the service manager wants it.
    pub fn wanted(now: Instant) -> Self {
        Self { every: watchdog(), last: now }
    }

    /// How long may be waited for something else before the next sign.
    pub fn every(&self) -> Option<Duration> {
        self.every
    }

    /// Gives a sign if it is time. Called at the latest after [`Heartbeat::every`], it is never too late.
    pub fn beat(&mut self, now: Instant) {
        if self.is_due(now) {
            self.last = now;
            notify(State::Watchdog);
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.every.is_some_and(|every| now.duration_since(self.last) >= every / 2)
    }
}

fn watchdog() -> Option<Duration> {
    let pid = std::env::var("WATCHDOG_PID").ok();
    let ours = pid.is_none_or(|pid| pid == std::process::id().to_string());
    let limit = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    ours.then(|| Duration::from_micros(limit) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_told_to_a_path_and_to_an_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        tell(path.as_os_str().as_bytes(), &message(State::Ready)).unwrap();
        let mut buffer = [0; 64];
        let count = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"READY=1\n");

        let name = format!("virtwarden-test-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        tell(format!("@{name}").as_bytes(), &message(State::Stopping)).unwrap();
        let count = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"STOPPING=1\n");
    }

    #[test]
    fn many_clients_make_no_more_heartbeats() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let mut heart = Heartbeat { every: Some(second * 10), last: now };
        assert!(!heart.is_due(now + second * 4));
        heart.beat(now + second * 6);
        assert_eq!(heart.last, now + second * 6);
        assert!(!heart.is_due(now + second * 10));
        assert!(!Heartbeat { every: None, ..heart }.is_due(now + second * 60));
    }

    #[test]
    fn a_reload_carries_its_time() {
        assert!(message(State::Reloading).lines().any(|line| line.starts_with("MONOTONIC_USEC=")));
    }
}
