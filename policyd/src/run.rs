// SPDX-License-Identifier: Apache-2.0
//! The running daemon: everything opened, sockets served, signals heeded, an orderly end.

use std::fmt;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::subject::Door;
use virtwarden_core::trail::digest::Digest;

use crate::accounts::Accounts;
use crate::gate::Gate;
use crate::monitor::{Ledger, Monitor};
use crate::options::Options;
use crate::policies::{InForce, LoadError, Policies};
use crate::registry::{Registry, StoreError};
use crate::systemd::{self, State};
use crate::trail::{Config, Trail, TrailError};

/// How long clients may take to notice that we stop.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long to wait when the host is out of descriptors or threads.
const BREATH: Duration = Duration::from_millis(50);

/// Why the daemon cannot run.
#[derive(Debug)]
pub enum RunError {
    /// There is no policy without mistakes.
    Policy(LoadError),
    /// The registry cannot be read.
    Registry(StoreError),
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

/// Everything that is open while the daemon runs.
struct House {
    gate: Arc<Gate>,
    monitor: Arc<Monitor>,
    trail: Arc<Trail>,
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
    let end = house.serve(&doors, &signals);
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

impl House {
    fn open(options: &Options) -> Result<Self, RunError> {
        let policies = Policies::open(options.policy.clone()).map_err(RunError::Policy)?;
        let registry = Registry::open(&options.state.join("registry.json")).map_err(RunError::Registry)?;
        let trail = Arc::new(Trail::open(trail_config(options, &policies)).map_err(RunError::Trail)?);
        let monitor = Arc::new(Monitor::new(policies, Arc::new(registry), trail.clone()));
        let accounts = Arc::new(Accounts::of_host(Instant::now()));
        let gate = Arc::new(Gate::new(monitor.clone(), accounts, options.upstream.clone()));
        Ok(Self { gate, monitor, trail })
    }

    /// Lets clients in until a signal says otherwise.
    fn serve(&self, doors: &Doors, signals: &SignalFd) -> Result<(), RunError> {
        let beat = systemd::watchdog();
        loop {
            let ready = doors.wait(signals, beat)?;
            if beat.is_some() {
                systemd::notify(State::Watchdog);
            }
            for (listener, door) in ready {
                self.admit(listener, door);
            }
            while let Some(signal) = signals.read_signal().map_err(std::io::Error::from)? {
                if signal.ssi_signo != Signal::SIGHUP as u32 {
                    return Ok(());
                }
                self.reload();
            }
        }
    }

    /// One thread for one client; a panic there ends that client alone.
    fn admit(&self, listener: &UnixListener, door: Door) {
        let socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            Err(_) => return thread::sleep(BREATH),
        };
        let gate = self.gate.clone();
        let serving = thread::Builder::new().name("client".to_owned()).stack_size(512 * 1024);
        if serving.spawn(move || attend(&gate, socket, door)).is_err() {
            thread::sleep(BREATH);
        }
    }

    /// A policy with a mistake changes nothing; that it was tried is recorded either way.
    fn reload(&self) {
        systemd::notify(State::Reloading);
        let (outcome, detail) = match self.monitor.policies().reload() {
            Ok(policy) => {
                let _sealed = self.trail.adopt_policy(digest(&policy));
                self.gate.ring();
                (Outcome::Success, String::new())
            }
            Err(error) => {
                eprintln!("virtwarden-policyd: the policy in force stays: {error}");
                (Outcome::Failure, error.to_string())
            }
        };
        Ledger::note(&*self.trail, change("policy reload", outcome, detail));
        systemd::notify(State::Ready);
    }

    fn close(&self) {
        self.gate.stop();
        let until = Instant::now() + FAREWELL;
        while self.gate.connections() > 0 && Instant::now() < until {
            thread::sleep(BREATH);
        }
        self.trail.close();
    }
}

fn attend(gate: &Arc<Gate>, socket: UnixStream, door: Door) {
    match gate.serve(socket, door) {
        Ok(_) => {}
        Err(away) => eprintln!("virtwarden-policyd: turned a client away: {away}"),
    }
}

fn change(operation: &str, outcome: Outcome, detail: String) -> Event {
    Event {
        kind: Kind::Change,
        outcome,
        actor: None,
        operation: operation.to_owned(),
        functions: Vec::new(),
        targets: Vec::new(),
        detail,
        of: None,
        count: None,
    }
}

fn trail_config(options: &Options, policies: &Policies) -> Config {
    let policy = policies.current();
    let audit = policy.policy.audit();
    let mut config = Config::new(&options.trail, &options.state);
    config.segment_bytes = audit.segment_size;
    config.total_bytes = audit.store_size;
    config.when_full = match audit.full_store {
        virtwarden_core::policy::settings::FullStore::Refuse => crate::trail::WhenFull::Refuse,
        virtwarden_core::policy::settings::FullStore::OverwriteOldest => {
            crate::trail::WhenFull::OverwriteOldest
        }
    };
    config.policy = digest(&policy);
    config
}

/// The policy in one number: names and texts of its files, in order.
pub fn digest(policy: &InForce) -> Digest {
    let mut all = Vec::new();
    for file in &policy.files {
        all.extend_from_slice(file.path.as_os_str().as_encoded_bytes());
        all.push(0);
        all.extend_from_slice(file.text.as_bytes());
        all.push(0);
    }
    Digest::of(&all)
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

/// The sockets that clients come through.
struct Doors(Vec<(UnixListener, Door)>);

impl Doors {
    fn open(options: &Options) -> Result<Self, RunError> {
        let mut inherited = systemd::inherited()?;
        let wanted = [
            ("libvirt", &options.listen, Door::Libvirt, 0o666),
            ("libvirt-ro", &options.listen_read_only, Door::LibvirtReadOnly, 0o666),
        ];
        let mut doors = Vec::new();
        for (name, path, door, mode) in wanted {
            let listener = match path {
                Some(path) => {
                    Some(bind(path, mode).map_err(|error| RunError::Socket(name.to_owned(), error))?)
                }
                None => inherited.remove(name),
            };
            if let Some(listener) = listener {
                listener.set_nonblocking(true)?;
                doors.push((listener, door));
            }
        }
        if doors.is_empty() {
            let why = std::io::Error::other("neither inherited nor named with --listen");
            return Err(RunError::Socket("libvirt".to_owned(), why));
        }
        Ok(Self(doors))
    }

    /// Waits for clients or a signal; returns the doors that somebody stands at.
    fn wait(
        &self,
        signals: &SignalFd,
        beat: Option<Duration>,
    ) -> Result<Vec<(&UnixListener, Door)>, RunError> {
        let mut waits = vec![PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
        waits.extend(self.0.iter().map(|(listener, _)| PollFd::new(listener, PollFlags::IN)));
        let timeout = beat.and_then(|beat| Timespec::try_from(beat).ok());
        match poll(&mut waits, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(RunError::Host(error.into())),
        }
        let found = self.0.iter().zip(waits.iter().skip(1));
        let ready = found.filter(|(_, wait)| !wait.revents().is_empty());
        Ok(ready.map(|((listener, door), _)| (listener, *door)).collect())
    }
}

/// A socket of our own making, for trying things by hand. A dead one in its place is removed.
fn bind(path: &Path, mode: u32) -> std::io::Result<UnixListener> {
    if UnixStream::connect(path).is_err() {
        let _absent = std::fs::remove_file(path);
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    Ok(listener)
}
