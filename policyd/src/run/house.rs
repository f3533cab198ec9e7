// SPDX-License-Identifier: Apache-2.0
//! Everything that is open while the daemon runs, put together once.

use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use virtwarden_core::policy::settings::FullStore;
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::subject::Door;

use super::RunError;
use crate::accounts::Accounts;
use crate::census::Census;
use crate::control::{self, Clients, Control, Desk, HostMedia, Libvirt, Limits, Shelf};
use crate::former::Former;
use crate::gate::{Gate, STACK};
use crate::lockout::Lockouts;
use crate::login::{self, HostDirectory, Logins, Places, Snapshot, UnderWay};
use crate::media::watch::Watch;
use crate::media::{Kernel, Media};
use crate::monitor::{Ledger, Monitor};
use crate::networks::Book;
use crate::options::Options;
use crate::policies::{InForce, Policies};
use crate::registry::Registry;
use crate::sessions::{Requirements, Sessions};
use crate::settings::Settings;
use crate::sharing::Sharing;
use crate::systemd::{self, State};
use crate::templates::PLACES;
use crate::trail::{Config, Forward, HostClock, Trail, WhenFull};

/// How long clients may take to notice that we stop.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long to wait when the host is out of descriptors or threads.
const BREATH: Duration = Duration::from_millis(50);
/// Who sends the trail to the audit server listens here, while one is set.
const AUDIT_SERVER: &str = "/run/virtwarden/audit-server/records";

/// Everything that is open.
pub(super) struct House {
    gate: Arc<Gate>,
    monitor: Arc<Monitor>,
    trail: Arc<Trail>,
    control: Arc<Control>,
    clients: Clients,
    logins: Arc<Logins>,
    places: Places,
    census: Arc<Census>,
    watch: Arc<Watch>,
}

impl House {
    pub(super) fn open(options: &Options) -> Result<Self, RunError> {
        let policies = Policies::open(options.policy.clone()).map_err(RunError::Policy)?;
        let trial = options.state.join("policy-trial.json");
        let (policies, warnings) = policies.keeping(&trial).map_err(RunError::PolicyTrial)?;
        let registry = Registry::open(&options.state.join("registry.json")).map_err(RunError::Registry)?;
        let config = trail_config(options, &policies.current());
        let trail = Arc::new(Trail::open(config.clone()).map_err(RunError::Trail)?);
        for warning in warnings {
            eprintln!("virtwarden-policyd: {warning}");
            Ledger::note(&*trail, changed("policy revert", Outcome::Success, warning));
        }
        if let Some(warning) = registry.condition().warning() {
            Ledger::note(&*trail, changed("registry damaged", Outcome::Failure, warning.to_owned()));
        }
        let settings = Arc::new(Settings::open(&options.state).map_err(RunError::Settings)?);
        if let Some(warning) = settings.condition().warning() {
            Ledger::note(&*trail, changed("settings damaged", Outcome::Failure, warning.to_owned()));
        }
        let sessions = Arc::new(open_sessions(options, &policies, &settings, trail.clone())?);
        let lockouts = lockouts(options, &settings)?;
        if let Some(warning) = lockouts.condition().warning() {
            Ledger::note(&*trail, changed("lockout damaged", Outcome::Failure, warning.to_owned()));
        }
        let sharing = Sharing::open(&options.state.join("sharing.json")).map_err(RunError::Sharing)?;
        if let Some(warning) = sharing.condition().warning() {
            Ledger::note(&*trail, changed("sharing damaged", Outcome::Failure, warning.to_owned()));
        }
        let (registry, networks) = (Arc::new(registry), open_networks(options, &trail)?);
        let media = open_media(options, &registry, &trail)?;
        let releasing = settings.clone();
        media.release_by(Box::new(move |port| releasing.release(port)));
        let monitor = Monitor::new(policies, registry, networks, trail.clone(), sessions.clone());
        let monitor = Arc::new(monitor.with_sharing(sharing).seeing(media));
        let accounts = Arc::new(Accounts::of_host(Instant::now()));
        let gate = Arc::new(
            Gate::new(monitor.clone(), accounts.clone(), options.upstream.clone())
                .with_settings(settings.clone()),
        );
        let logins = Arc::new(Logins {
            monitor: monitor.clone(),
            accounts: accounts.clone(),
            lockouts,
            snapshot: Snapshot::of(&options.state),
            under_way: UnderWay::new()?,
            settings: settings.clone(),
            directory: Arc::new(HostDirectory),
        });
        logins.keep_snapshot();
        logins.watch()?;
        let watch = Arc::new(Watch::new(monitor.clone(), options.upstream.clone())?);
        let census = Arc::new(Census::new(monitor.clone(), options.upstream.clone())?);
        let control = Arc::new(Control {
            monitor: monitor.clone(),
            accounts,
            logins: logins.clone(),
            hypervisor: Box::new(Libvirt::at(options.upstream.clone())),
            workshop: Box::new(gate.clone()),
            templates: &PLACES,
            fabric: Box::new(Libvirt::at(options.upstream.clone())),
            settings: settings.clone(),
            desk: Desk {
                keeper: Box::new(HostMedia::of(monitor.media().clone(), options.upstream.clone())),
                plugs: Box::new(Libvirt::at(options.upstream.clone())),
                confirmations: gate.confirmations().clone(),
                turns: gate.turns().clone(),
            },
            clock: SystemTime::now,
            former: open_former(options, &trail)?,
            archive: Box::new(Shelf::new(trail.clone(), config)?),
            announce: announce(
                trail.clone(),
                gate.clone(),
                sessions.clone(),
                settings.clone(),
                watch.clone(),
                census.clone(),
            ),
        });
        let (clients, places) = (Clients::new(Limits::default()), Places::default());
        let house = Self { gate, monitor, trail, control, clients, logins, places, census, watch };
        house.begin_census()?;
        house.begin_watch()?;
        let ringing = house.gate.clone();
        follow(&house.trail, &settings, &house.monitor.policy());
        sessions.watch(settings, Box::new(move || ringing.ring()))?;
        Ok(house)
    }

    fn begin_census(&self) -> std::io::Result<()> {
        let census = self.census.clone();
        thread::Builder::new().name("census".to_owned()).spawn(move || census.run()).map(drop)
    }

    fn begin_watch(&self) -> std::io::Result<()> {
        let watch = self.watch.clone();
        thread::Builder::new().name("media".to_owned()).spawn(move || watch.run()).map(drop)
    }

    /// One thread for one client; a panic there ends that client alone.
    pub(super) fn admit(&self, listener: &UnixListener, door: Door) {
        let socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            Err(_) => return thread::sleep(BREATH),
        };
        match door {
            Door::Control | Door::Hook => control::admit(socket, &self.control, &self.clients),
            Door::Libvirt | Door::LibvirtReadOnly => self.admit_to_gate(socket, door),
            Door::Login => login::admit(socket, &self.logins, &self.places),
        }
    }

    fn admit_to_gate(&self, socket: UnixStream, door: Door) {
        let gate = self.gate.clone();
        let thread = thread::Builder::new().name("client".to_owned()).stack_size(STACK);
        if thread.spawn(move || attend(&gate, socket, door)).is_err() {
            thread::sleep(BREATH);
        }
    }

    /// A policy with a mistake changes nothing; that it was tried is recorded either way.
    pub(super) fn reload(&self) {
        systemd::notify(State::Reloading);
        let (outcome, detail) = match self.control.reload_for_nobody() {
            Ok(()) => (Outcome::Success, String::new()),
            Err(why) => {
                eprintln!("virtwarden-policyd: the policy in force stays: {why}");
                (Outcome::Failure, why)
            }
        };
        Ledger::note(&*self.trail, changed("policy reload", outcome, detail));
        systemd::notify(State::Ready);
    }

    /// Clients are told, records are written, the trail is sealed.
    pub(super) fn close(&self) {
        self.census.stop();
        self.watch.stop();
        self.gate.stop();
        let until = Instant::now() + FAREWELL;
        while self.gate.connections() > 0 && Instant::now() < until {
            thread::sleep(BREATH);
        }
        self.trail.close();
    }
}

/// Which networks there are, and whose.
fn open_former(options: &Options, trail: &Trail) -> Result<Former, RunError> {
    let former = Former::open(&options.state.join("former-policies.json")).map_err(RunError::Former)?;
    if let Some(warning) = former.condition().warning() {
        Ledger::note(trail, changed("former policies damaged", Outcome::Failure, warning.to_owned()));
    }
    Ok(former)
}

fn open_networks(options: &Options, trail: &Trail) -> Result<Arc<Book>, RunError> {
    let book = Book::open(&options.state.join("networks.json")).map_err(RunError::Networks)?;
    if let Some(warning) = book.condition().warning() {
        Ledger::note(trail, changed("book of networks damaged", Outcome::Failure, warning.to_owned()));
    }
    Ok(Arc::new(book))
}

/// Failures and locks, measured by the host's clocks.
fn lockouts(options: &Options, settings: &Settings) -> Result<Arc<Lockouts>, RunError> {
    let clocks = Arc::new(HostClock::new()?);
    let lockouts = Lockouts::open(&options.state, &settings.lockout(), clocks);
    lockouts.map(Arc::new).map_err(RunError::Lockouts)
}

/// Removable media as this kernel shows them, with what is kept of them.
fn open_media(options: &Options, registry: &Arc<Registry>, trail: &Trail) -> Result<Arc<Media>, RunError> {
    let path = options.state.join("media.json");
    let media = Media::open(&path, Kernel::default(), registry.clone()).map_err(RunError::Media)?;
    if let Some(warning) = media.condition().warning() {
        Ledger::note(trail, changed("media damaged", Outcome::Failure, warning.to_owned()));
    }
    Ok(Arc::new(media))
}

/// The login sessions of this boot, under what the policy and the banner want of them.
fn open_sessions(
    options: &Options,
    policies: &Policies,
    settings: &Settings,
    trail: Arc<Trail>,
) -> Result<Sessions, RunError> {
    let requirements = requirements(&policies.current(), settings);
    Sessions::open(&options.sessions, trail, requirements, SystemTime::now()).map_err(RunError::Sessions)
}

fn requirements(policy: &InForce, settings: &Settings) -> Requirements {
    Requirements::of(policy.policy.session(), settings.banner().acknowledgement)
}

/// A new policy: the trail's seals carry it, and open sessions, connections and connected media are looked at again.
fn announce(
    trail: Arc<Trail>,
    gate: Arc<Gate>,
    sessions: Arc<Sessions>,
    settings: Arc<Settings>,
    watch: Arc<Watch>,
    census: Arc<Census>,
) -> control::Announce {
    Arc::new(move |policy: &InForce| {
        follow(&trail, &settings, policy);
        if let Err(error) = trail.adopt_policy(control::digest(&policy.files)) {
            eprintln!("virtwarden-policyd: the trail does not know the new policy yet: {error}");
        }
        sessions.require(requirements(policy, &settings));
        gate.ring();
        watch.ring();
        census.follow_policy();
    })
}

/// The host follows by a thread of its own: nobody waits for it.
fn follow(trail: &Arc<Trail>, settings: &Arc<Settings>, policy: &InForce) {
    let (trail, settings, rules) = (trail.clone(), settings.clone(), policy.policy.media_rules().clone());
    let follow = move || {
        if let Some((outcome, detail)) = settings.follow(&rules) {
            Ledger::note(&*trail, changed("host-media follows the policy", outcome, detail));
        }
    };
    if let Err(error) = thread::Builder::new().name("follow".to_owned()).spawn(follow) {
        eprintln!("virtwarden-policyd: the host does not follow the policy: {error}");
    }
}

fn attend(gate: &Arc<Gate>, socket: UnixStream, door: Door) {
    if let Err(away) = gate.serve(socket, door) {
        eprintln!("virtwarden-policyd: turned a client away: {away}");
    }
}

/// Something changed by a signal or by itself, so that nobody is known to have asked.
fn changed(operation: &str, outcome: Outcome, detail: String) -> Event {
    Event {
        origin: None,
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

fn trail_config(options: &Options, policy: &InForce) -> Config {
    let audit = policy.policy.audit();
    let when_full = match audit.full_store {
        FullStore::Refuse => WhenFull::Refuse,
        FullStore::OverwriteOldest => WhenFull::OverwriteOldest,
    };
    Config {
        segment_bytes: audit.segment_size,
        total_bytes: audit.store_size,
        when_full,
        policy: control::digest(&policy.files),
        forward: Some(Forward { socket: AUDIT_SERVER.into(), cursor: options.state.join("forwarded") }),
        ..Config::new(&options.trail, &options.state)
    }
}
