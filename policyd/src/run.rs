// SPDX-License-Identifier: Apache-2.0
//! The running daemon: everything opened, sockets served, signals heeded, an orderly end.

mod doors;
mod house;

use std::fmt;
use std::time::Instant;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::kept::StoreError;
use crate::networks;
use crate::options::Options;
use crate::policies::{LoadError, Policies};
use crate::systemd::{self, Heartbeat, State};
use crate::trail::TrailError;
use doors::Doors;
use house::House;

/// Why the daemon cannot run.
#[derive(Debug)]
pub enum RunError {
    /// There is no policy without mistakes.
    Policy(LoadError),
    /// The registry cannot be read.
    Registry(StoreError),
    /// What was kept of a policy on trial cannot be read.
    PolicyTrial(StoreError),
    /// Whose networks are whose cannot be read or kept.
    Networks(networks::StoreError),
    /// The settings cannot be read.
    Settings(StoreError),
    /// The open channels cannot be read.
    Sharing(StoreError),
    /// The former policies cannot be read.
    Former(StoreError),
    /// Failures and locks cannot be read or kept.
    Lockouts(StoreError),
    /// The state of removable media cannot be read.
    Media(StoreError),
    /// What is known of login sessions cannot be read or kept.
    Sessions(std::io::Error),
    /// The trail cannot be written.
    Trail(TrailError),
    /// A socket is missing or cannot be made.
    Socket(String, std::io::Error),
    /// The host refused something else.
    Host(std::io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Policy(error) => write!(f, "no policy: {error}"),
            RunError::Registry(error) => write!(f, "no registry: {error}"),
            RunError::PolicyTrial(error) => write!(f, "no policy: {error}"),
            RunError::Networks(error) => write!(f, "no book of networks: {error}"),
            RunError::Settings(error) => write!(f, "no settings: {error}"),
            RunError::Former(error) => write!(f, "no former policies: {error}"),
            RunError::Sharing(error) => write!(f, "no open channels: {error}"),
            RunError::Lockouts(error) => write!(f, "no lockout: {error}"),
            RunError::Media(error) => write!(f, "no removable media: {error}"),
            RunError::Sessions(error) => write!(f, "no place for login sessions: {error}"),
            RunError::Trail(error) => write!(f, "no audit trail: {error}"),
            RunError::Socket(name, error) => write!(f, "no socket `{name}`: {error}"),
            RunError::Host(error) => write!(f, "the host refused: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<std::io::Error> for RunError {
    fn from(error: std::io::Error) -> Self {
        RunError::Host(error)
    }
}

/// Serves until a signal ends it.
///
/// # Errors
/// Something without which it must not serve is missing.
pub fn run(options: &Options) -> Result<(), RunError> {
    let signals = signals()?;
    let house = House::open(options)?;
    let doors = Doors::open(options)?;
    systemd::notify(State::Ready);
    let end = serve(&house, &doors, &signals);
    systemd::notify(State::Stopping);
    house.close();
    end
}

/// Reads what would be served by, and serves nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check(options: &Options) -> Result<(), RunError> {
    Policies::open(options.policy.clone()).map(drop).map_err(RunError::Policy)
}

/// Lets clients in until a signal says otherwise.
fn serve(house: &House, doors: &Doors, signals: &SignalFd) -> Result<(), RunError> {
    let mut heart = Heartbeat::wanted(Instant::now());
    loop {
        let ready = doors.wait(signals, heart.every())?;
        heart.beat(Instant::now());
        for (listener, door) in ready {
            house.admit(listener, door);
        }
        while let Some(signal) = signals.read_signal().map_err(std::io::Error::from)? {
            if signal.ssi_signo != Signal::SIGHUP as u32 {
                return Ok(());
            }
            house.reload();
        }
    }
}

/// SIGTERM and SIGINT stop, SIGHUP reloads; they come as data, never in the middle of something.
fn signals() -> Result<SignalFd, RunError> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGINT);
    set.add(Signal::SIGHUP);
    set.thread_block().map_err(std::io::Error::from)?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(SignalFd::with_flags(&set, flags).map_err(std::io::Error::from)?)
}
