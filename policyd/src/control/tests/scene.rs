// SPDX-License-Identifier: Apache-2.0
//! A policyd without a host: bob has `bobvm`, nobody has `finance`, libvirt has lost `gone`.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use virtwarden_core::authentication::{Authenticated, Authentication, Factor, Origin};
use virtwarden_core::control::{
    AccessRow, Before, Change, ConfirmationRow, Failure, NetworkState, Order, Reply, Report, Request,
    TrailKeys, Verification, VmRow, VmState,
};
use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::subject::{Account, Door, Group, Login, Process, Subject};
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::time::Time;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::nic::Nic;
use virtwarden_login::{Claim, Factors, Proof};

use super::bench::Bench;
use super::cabinet::Cabinet;
use crate::accounts::Accounts;
use crate::control::{
    Archive, Control, Defined, Desk, Fabric, Flow, Hypervisor, Listener, Part, Pending, Present, Reader,
    Record, Seen, State,
};
use crate::former::Former;
use crate::lockout::Lockouts;
use crate::login::{HostDirectory, Logins, Snapshot, UnderWay};
use crate::monitor::{Ledger, Monitor};
use crate::networks::Book;
use crate::peer::{Peer, start_time};
use crate::policies::Policies;
use crate::registry::{People, Registry};
use crate::sessions::Sessions;
use crate::settings::{Components, Settings, Silence};
use crate::trail::{HostClock, Removable};

use super::networks;

pub(super) const BOBVM: Uuid = Uuid([1; 16]);
pub(super) const FINANCE: Uuid = Uuid([2; 16]);
pub(super) const GONE: Uuid = Uuid([3; 16]);

fn subject(name: &str, uid: u32, group: &str) -> Subject {
    Subject {
        account: Account { name: name.into(), uid },
        groups: vec![Group { name: group.into(), gid: 900 }],
        login: Some(Login { account: Account { name: name.into(), uid }, session: session_of(uid) }),
        authentication: Authentication::Person(Authenticated {
            origin: Origin::Local { terminal: "tty1".to_owned() },
            service: "login".to_owned(),
            factors: vec![Factor::Pam],
        }),
        process: Process { pid: 1, start_time: 1 },
        door: Door::Control,
    }
}

/// Everybody is logged in, once.
pub(super) fn session_of(uid: u32) -> u32 {
    uid + 1
}

pub(super) fn alice() -> Subject {
    subject("alice", 1000, "virtwarden-admin")
}

pub(super) fn bob() -> Subject {
    subject("bob", 1001, "libvirt")
}

pub(super) fn carol() -> Subject {
    subject("carol", 1002, "libvirt")
}

pub(super) fn root() -> Subject {
    subject("root", 0, "root")
}

/// alice's and bob's sessions, which this process leads.
fn sessions() -> Sessions {
    let sessions = Sessions::presuming(alice().authentication);
    let own = std::process::id();
    for subject in [alice(), bob()] {
        let claim = Claim {
            account: subject.account.name.clone().into_bytes(),
            service: b"login".to_vec(),
            tty: b"tty1".to_vec(),
            ..Claim::default()
        };
        let process = Process { pid: own, start_time: start_time(own).unwrap() };
        let leader = Peer { uid: 0, process, login: subject.login, door: Door::Login };
        let seen = Factors { proof: Proof::Seen, exposed: Vec::new() };
        sessions.begin(&leader, &claim, &seen, SystemTime::now()).unwrap();
    }
    sessions
}

/// A ledger that keeps what it is told, or refuses it.
#[derive(Debug, Default)]
struct Notebook {
    events: Mutex<Vec<Event>>,
    shut: AtomicBool,
    full: AtomicBool,
}

impl Ledger for Notebook {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        if self.full.load(Ordering::Relaxed) {
            return Err("the store is full".to_owned());
        }
        self.attempt_to_make_room(event)
    }
    fn attempt_to_make_room(&self, event: Event) -> Result<u64, String> {
        if self.shut.load(Ordering::Relaxed) {
            return Err("the disk failed".to_owned());
        }
        self.note(event);
        Ok(7)
    }
    fn attempt_to_save(&self, event: Event) -> Result<u64, String> {
        self.attempt_to_make_room(event)
    }
    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
    fn deny(&self, event: Event) {
        self.note(event);
    }
}

#[derive(Clone, Debug, Default)]
struct Host(Arc<Mutex<Vec<Seen>>>, Arc<Mutex<Cables>>);

/// The networks and who is plugged in; what was made or removed is written down.
#[derive(Debug, Default)]
pub(super) struct Cables {
    pub(super) networks: Vec<Present>,
    pub(super) nics: Vec<(Uuid, Vec<Nic>)>,
    pub(super) done: Vec<String>,
    pub(super) refusal: Option<String>,
}

impl Fabric for Host {
    fn networks(&self, _caller: &Subject) -> Result<Vec<Present>, String> {
        Ok(self.1.lock().unwrap().networks.clone())
    }
    fn nics(&self, _caller: &Subject, vms: &[(Uuid, String)]) -> Result<Vec<(Uuid, Vec<Nic>)>, String> {
        let there = |uuid: &Uuid| vms.iter().any(|(vm, _)| vm == uuid);
        Ok(self.1.lock().unwrap().nics.iter().filter(|(uuid, _)| there(uuid)).cloned().collect())
    }
    fn make(&self, _caller: &Subject, name: &str, _uuid: Uuid, xml: &str) -> Result<(), String> {
        let mut cables = self.1.lock().unwrap();
        cables.done.push(format!("made {name}: {xml}"));
        cables.refusal.clone().map_or(Ok(()), Err)
    }
    fn remove(&self, _: &Subject, (name, _): (&str, Uuid), state: NetworkState) -> Result<(), String> {
        self.1.lock().unwrap().done.push(format!("removed {name}, which was {state:?}"));
        Ok(())
    }
}

impl Hypervisor for Host {
    fn version(&self, _caller: &Subject) -> Result<String, String> {
        Ok("libvirt 11.3.0".to_owned())
    }
    fn vms(&self, _caller: &Subject) -> Result<Vec<Seen>, String> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn definitions(&self, _caller: &Subject) -> Result<Vec<Defined>, String> {
        let seen = self.0.lock().unwrap().clone();
        let defined = |vm: Seen| {
            let xml = format!(
                "<domain><name>{}</name><devices><graphics type='spice'/></devices></domain>",
                vm.name
            );
            let definition = Some(Definition::parse(xml).unwrap());
            let running = definition.clone().filter(|_| vm.state == VmState::Running);
            Defined { uuid: vm.uuid, name: vm.name, stored: definition, running }
        };
        Ok(seen.into_iter().map(defined).collect())
    }
}

/// A settingsd that writes its orders down and answers what it was told to, else that it did them.
#[derive(Clone, Debug, Default)]
struct Hands {
    orders: Arc<Mutex<Vec<Order>>>,
    answer: Arc<Mutex<Option<Result<Report, Silence>>>>,
}

impl Components for Hands {
    fn order(&self, order: &Order) -> Result<Report, Silence> {
        self.orders.lock().unwrap().push(order.clone());
        let done = Report::Done(vec!["/etc/issue.d/90-virtwarden.issue: new".to_owned()]);
        self.answer.lock().unwrap().clone().unwrap_or(Ok(done))
    }
}

/// Three records, at 10, 20 and 30, and what was removed.
#[derive(Clone, Debug, Default)]
struct Shelf {
    removed: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicBool>,
    /// How often sending began.
    sending: Arc<AtomicUsize>,
    instead: Arc<Mutex<Option<Arc<Notebook>>>>,
}

impl Archive for Shelf {
    fn read(&self, reader: &mut dyn Reader) -> Result<(), String> {
        if let Some(notebook) = self.instead.lock().unwrap().as_ref() {
            for (sequence, event) in (1..).zip(notebook.events.lock().unwrap().iter()) {
                reader.take(&Record { sequence, time: sequence * 10, event, part: Part::Event, line: "" });
            }
            return Ok(());
        }
        let event = Event {
            origin: None,
            kind: Kind::Trail,
            outcome: Outcome::Success,
            actor: None,
            operation: "trail start".to_owned(),
            functions: Vec::new(),
            targets: Vec::new(),
            detail: String::new(),
            of: None,
            count: None,
        };
        for (sequence, line) in [(1, "one"), (2, "two"), (3, "three"), (4, "mark")] {
            let part = if line == "mark" { Part::Mark } else { Part::Event };
            if reader.take(&Record { sequence, time: sequence * 10, event: &event, part, line }) == Flow::Stop
            {
                break;
            }
        }
        Ok(())
    }
    fn follow(&self, reader: &mut dyn Reader) -> Result<(), String> {
        while reader.wait() == Flow::Continue {}
        Ok(())
    }
    fn verify(&self) -> Verification {
        let sound = Verification {
            code: 0,
            verdict: "intact".to_owned(),
            flaw: None,
            ..Verification::impossible(String::new())
        };
        if !self.broken.load(Ordering::Relaxed) {
            return sound;
        }
        Verification::impossible("nothing to check here".to_owned())
    }
    fn state(&self) -> State {
        State::default()
    }
    fn keys(&self) -> Result<TrailKeys, String> {
        Ok(TrailKeys { keys: "a key".to_owned(), head: None })
    }
    fn begin_sending(&self) -> Result<(), String> {
        self.sending.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn removable(&self, before: Before) -> Result<Option<Removable>, String> {
        let Before::Segment(first) = before else { return Ok(None) };
        let through = first.saturating_sub(1).min(2);
        let (head, until) = (Digest::of(b"two"), Time::from_micros(30));
        let removable = Removable { from: 1, through, bytes: 2048, last: 2 * through, head, until };
        Ok((through > 0).then_some(removable))
    }
    fn remove(&self, removable: &Removable, reason: &str) -> Result<(), String> {
        self.removed.lock().unwrap().push(format!("through {}: {reason}", removable.through));
        Ok(())
    }
}

#[derive(Default)]
struct Ear {
    lines: Vec<String>,
    rows: Vec<VmRow>,
    confirmations: Vec<ConfirmationRow>,
    access: Vec<AccessRow>,
}

impl Listener for Ear {
    fn take(&mut self, reply: Reply) -> Flow {
        if let Reply::Record { line } = reply {
            self.lines.push(line);
        } else if let Reply::Vm(row) = reply {
            self.rows.push(row);
        } else if let Reply::Access(row) = reply {
            self.access.push(row);
        } else if let Reply::Confirmations(rows) = reply {
            self.confirmations.extend(rows);
        } else {
            panic!("no stream: {reply:?}");
        }
        Flow::Continue
    }
    fn wait(&mut self) -> Flow {
        Flow::Stop
    }
}

pub(super) struct Scene {
    directory: TempDir,
    notebook: Arc<Notebook>,
    host: Host,
    announced: Arc<AtomicUsize>,
    streamed: Mutex<Vec<String>>,
    hands: Hands,
    shelf: Shelf,
    pub(super) cabinet: Cabinet,
    pub(super) bench: Bench,
    pub(super) control: Arc<Control>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with_group("virtwarden-admin")
    }

    /// The group carries the role of Administrators, beside the one of the shipped policy.
    pub(super) fn with_group(group: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write(
            directory.path(),
            "20-domains.toml",
            "[information-domain.red]\nnetworks = [\"red-net\"]\n[information-domain.blue]\nnetworks = [\"blue-net\"]\n",
        );
        let shipped =
            fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/policy.d/90-default.toml")).unwrap();
        let groups = format!("groups = [\"{group}\", \"virtwarden-admin\"]");
        let groups = if group == "virtwarden-admin" { "groups = [\"virtwarden-admin\"]" } else { &groups };
        write(
            directory.path(),
            "90-default.toml",
            &shipped.replace("groups = [\"virtwarden-admin\"]", groups),
        );
        let registry = Arc::new(Registry::open(&directory.path().join("registry.json")).unwrap());
        let people = People { users: [bob().account].into(), ..People::default() };
        registry.apply(&registry.plan_assign(BOBVM, "bobvm", &people)).unwrap();
        registry
            .apply(&registry.plan_assign(
                GONE,
                "gone",
                &People { users: [alice().account].into(), ..People::default() },
            ))
            .unwrap();
        let (notebook, host, announced) =
            (Arc::<Notebook>::default(), Host::default(), Arc::<AtomicUsize>::default());
        let policies = Policies::open(vec![directory.path().into()]).unwrap();
        let networks = Arc::new(Book::open(&directory.path().join("networks.json")).unwrap());
        let monitor =
            Arc::new(Monitor::new(policies, registry, networks, notebook.clone(), Arc::new(sessions())));
        let counter = announced.clone();
        let hands = Hands::default();
        let accounts = Arc::new(Accounts::of_host(Instant::now()));
        let settings = Arc::new(Settings::with(directory.path(), Box::new(hands.clone())).unwrap());
        let clocks = Arc::new(HostClock::new().unwrap());
        let lockouts = Lockouts::open(directory.path(), &settings.lockout(), clocks).unwrap();
        let logins = Arc::new(Logins {
            monitor: monitor.clone(),
            accounts: accounts.clone(),
            lockouts: Arc::new(lockouts),
            snapshot: Snapshot::of(directory.path()),
            under_way: UnderWay::new().unwrap(),
            settings: settings.clone(),
            directory: Arc::new(HostDirectory),
        });
        let (cabinet, shelf) = (Cabinet::default(), Shelf::default());
        let bench = Bench::default();
        let control = Arc::new(Control {
            monitor,
            accounts,
            logins,
            hypervisor: Box::new(host.clone()),
            workshop: Box::new(bench.clone()),
            templates: &[concat!(env!("CARGO_MANIFEST_DIR"), "/../xml-templates")],
            fabric: Box::new(host.clone()),
            settings,
            desk: Desk {
                keeper: Box::new(cabinet.clone()),
                plugs: Box::new(cabinet.clone()),
                confirmations: Arc::default(),
                turns: Arc::default(),
            },
            clock: || UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            former: Former::open(&directory.path().join("former.json")).unwrap(),
            archive: Box::new(shelf.clone()),
            announce: Arc::new(move |_: &crate::policies::InForce| {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        });
        let scene = Self {
            directory,
            notebook,
            host,
            announced,
            streamed: Mutex::default(),
            hands,
            shelf,
            cabinet,
            bench,
            control,
        };
        scene.cables().networks.push(networks::spare());
        scene.see_as(BOBVM, "bobvm", VmState::Running);
        scene.see(FINANCE, "finance");
        scene
    }

    pub(super) fn cables(&self) -> MutexGuard<'_, Cables> {
        self.host.1.lock().unwrap()
    }

    pub(super) fn see(&self, uuid: Uuid, name: &str) {
        self.see_as(uuid, name, VmState::ShutOff);
    }

    fn see_as(&self, uuid: Uuid, name: &str, state: VmState) {
        self.host.0.lock().unwrap().push(Seen { uuid, name: name.to_owned(), state });
    }

    pub(super) fn ask(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        self.ask_within(subject, request, &mut None)
    }

    pub(super) fn ask_within(
        &self,
        subject: &Subject,
        request: &Request,
        pending: &mut Pending,
    ) -> Result<Reply, Failure> {
        let mut ear = Ear::default();
        let answer = self.control.answer(subject, request, pending, Instant::now(), &mut ear);
        *self.streamed.lock().unwrap() = ear.lines;
        answer
    }

    pub(super) fn change(&self, subject: &Subject, request: &Request) -> Result<Change, Failure> {
        {
            let Reply::Changed(change) = self.ask(subject, request)? else { panic!("another answer") };
            Ok(change)
        }
    }

    pub(super) fn rows(&self, subject: &Subject) -> Vec<VmRow> {
        let mut ear = Ear::default();
        let answer = self.control.answer(subject, &Request::VmList, &mut None, Instant::now(), &mut ear);
        assert_eq!(answer, Ok(Reply::End { replies: u64::try_from(ear.rows.len()).unwrap() }));
        ear.rows
    }

    /// What a review of access shows.
    pub(super) fn access(&self, subject: &Subject) -> Vec<AccessRow> {
        let mut ear = Ear::default();
        let answer = self.control.answer(subject, &Request::RoleReview, &mut None, Instant::now(), &mut ear);
        assert_eq!(answer, Ok(Reply::End { replies: u64::try_from(ear.access.len()).unwrap() }));
        ear.access
    }

    pub(super) fn names(&self, subject: &Subject) -> Vec<String> {
        self.rows(subject).into_iter().map(|row| row.name).collect()
    }

    /// What the last request streamed.
    pub(super) fn streamed(&self) -> Vec<String> {
        self.streamed.lock().unwrap().clone()
    }

    pub(super) fn told(&self) -> Vec<Event> {
        self.notebook.events.lock().unwrap().clone()
    }

    /// What of the trail was removed.
    pub(super) fn removed(&self) -> Vec<String> {
        self.shelf.removed.lock().unwrap().clone()
    }

    /// From now on the trail is what the ledger was told.
    pub(super) fn replay_what_was_told(&self) {
        *self.shelf.instead.lock().unwrap() = Some(self.notebook.clone());
    }

    /// How often an audit server was told to begin with what comes.
    pub(super) fn sending_began(&self) -> usize {
        self.shelf.sending.load(Ordering::Relaxed)
    }

    /// Somebody has changed the trail.
    pub(super) fn tamper(&self) {
        self.shelf.broken.store(true, Ordering::Relaxed);
    }

    pub(super) fn shut_trail(&self) {
        self.notebook.shut.store(true, Ordering::Relaxed);
    }

    /// The trail takes no record but of what makes room.
    pub(super) fn fill_trail(&self) {
        self.notebook.full.store(true, Ordering::Relaxed);
    }

    /// What settingsd was ordered.
    pub(super) fn orders(&self) -> Vec<Order> {
        self.hands.orders.lock().unwrap().clone()
    }

    /// From now on settingsd answers this.
    pub(super) fn settingsd_says(&self, answer: Result<Report, Silence>) {
        *self.hands.answer.lock().unwrap() = Some(answer);
    }

    /// The settings cannot be kept any more.
    pub(super) fn fill_disk(&self) {
        fs::create_dir(self.directory.path().join("settings.json.new")).unwrap();
    }

    pub(super) fn registry(&self) -> &Registry {
        self.control.monitor.registry()
    }

    pub(super) fn networks(&self) -> &Book {
        self.control.monitor.networks()
    }

    pub(super) fn hash(&self) -> String {
        crate::control::digest(&self.control.monitor.policy().files).to_string()
    }

    pub(super) fn announced(&self) -> usize {
        self.announced.load(Ordering::Relaxed)
    }

    pub(super) fn write_policy(&self, name: &str, text: &str) {
        write(self.directory.path(), name, text);
    }
}

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}
