// SPDX-License-Identifier: Apache-2.0
mod chains;
mod errand;
mod flood;
mod held;
mod host_device;
mod library;
mod library_pools;
mod libvirtd;
mod making;
mod media;
mod networks;
mod nics;
mod owner;
mod past;
mod room;
mod sensitive;
mod shared;
mod stories;
mod table;
mod vanished;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use virtwarden_core::authentication::{Authenticated, Authentication, Factor, Origin};
use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Event, Kind};
use virtwarden_core::rpc::frame::{self, Header, Status};
use virtwarden_core::rpc::procedure::by_name;
use virtwarden_core::rpc::value::{Value, encode_fields};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::subject::{Account, Door};

use super::Gate;
use super::upstream::{Place, call_header};
use crate::accounts::Accounts;
use crate::media::Media;
use crate::media::tests::tree::Tree;
use crate::monitor::{Ledger, Monitor};
use crate::networks::Book;
use crate::policies::Policies;
use crate::registry::{People, Registry};
use crate::sessions::Sessions;
use libvirtd::{BOBS, Libvirtd, Script, read_frame, text};

/// The shipped policy's roles, held by whoever runs the tests.
const ADMINISTRATOR: &str = "[role.administrator]\ncolumn = \"administrator\"\nusers = [\"ME\"]\nfunctions = \"all\"\n\
     also = [\"operate\", \"guest\", \"administer\", \"raw\"]\n[vm]\nraw = \"administrator\"\n";
const USER: &str = "[role.user]\ncolumn = \"user\"\nusers = [\"ME\"]\nvms = \"assigned\"\n\
     functions = [\"connect-removable\", \"start\", \"stop\", \"checkpoint\", \"suspend\", \"resume\"]\n\
     also = [\"operate\"]\n[vm]\nraw = \"administrator\"\n";

/// Whoever runs the tests, had he just logged in.
fn person() -> Authentication {
    let origin = Origin::Local { terminal: "tty1".to_owned() };
    Authentication::Person(Authenticated { origin, service: "login".to_owned(), factors: vec![Factor::Pam] })
}

/// A trail that keeps its events in order with the calls that libvirtd heard.
#[derive(Default)]
struct Notebook {
    events: Mutex<Vec<(Event, usize)>>,
    libvirtd: Mutex<Option<Libvirtd>>,
}

impl std::fmt::Debug for Notebook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notebook")
    }
}

impl Notebook {
    fn write(&self, event: Event) {
        let heard = self.libvirtd.lock().unwrap().as_ref().map_or(0, |libvirtd| libvirtd.calls().len());
        self.events.lock().unwrap().push((event, heard));
    }
}

impl Ledger for Notebook {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        self.write(event);
        Ok(1)
    }
    fn note(&self, event: Event) {
        self.write(event);
    }
    fn deny(&self, event: Event) {
        self.write(event);
    }
}

struct Scene {
    directory: tempfile::TempDir,
    /// What is plugged into the host.
    host: Tree,
    libvirtd: Libvirtd,
    gate: Arc<Gate>,
    notebook: Arc<Notebook>,
}

fn me() -> Account {
    Accounts::of_host(Instant::now())
        .of_uid(nix::unistd::geteuid().as_raw(), Instant::now())
        .unwrap()
        .account
        .clone()
}

fn write_policy(directory: &Path, text: &str) {
    std::fs::write(directory.join("50-test.toml"), text.replace("ME", &me().name)).unwrap();
}

impl Scene {
    /// A gate under this policy; `bobvm` is assigned to whoever runs the tests, `finance` to nobody.
    fn set(policy: &str) -> Self {
        Self::scripted(policy, Arc::new(|_| None))
    }

    fn scripted(policy: &str, script: Script) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let policies = directory.path().join("policy.d");
        std::fs::create_dir(&policies).unwrap();
        write_policy(&policies, policy);
        let registry = Registry::open(&directory.path().join("registry.json")).unwrap();
        let people = People { users: [me()].into(), ..People::default() };
        registry.apply(&registry.plan_assign(BOBS, "bobvm", &people)).unwrap();

        let libvirtd = Libvirtd::start(directory.path().join("upstream"), script);
        let notebook = Arc::new(Notebook::default());
        *notebook.libvirtd.lock().unwrap() = Some(libvirtd.clone());
        let policies = Policies::open(vec![policies]).unwrap();
        let networks = Arc::new(Book::open(&directory.path().join("networks.json")).unwrap());
        let (registry, host) = (Arc::new(registry), Tree::new());
        let media =
            Media::open(&directory.path().join("media.json"), host.kernel(), registry.clone()).unwrap();
        let sessions = Arc::new(Sessions::presuming(person()));
        let monitor = Monitor::new(policies, registry, networks, notebook.clone(), sessions);
        let monitor = monitor.seeing(Arc::new(media));
        let (socket, read_only_socket) = (libvirtd.path.clone(), libvirtd.path.clone());
        let place = Place { socket, read_only_socket, ..Place::default() };
        let accounts = Arc::new(Accounts::of_host(Instant::now()));
        let gate = Arc::new(Gate::new(Arc::new(monitor), accounts, place));
        Self { directory, host, libvirtd, gate, notebook }
    }

    fn reload(&self, policy: &str) {
        write_policy(&self.directory.path().join("policy.d"), policy);
        self.gate.monitor.policies().reload().unwrap();
        self.gate.ring();
    }

    /// A client that has connected and said nothing.
    fn client(&self) -> Client {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let gate = self.gate.clone();
        let thread = std::thread::Builder::new().stack_size(super::STACK);
        thread.spawn(move || gate.serve(theirs, Door::Libvirt)).unwrap();
        Client { socket: ours, serial: 0 }
    }

    /// A client that has opened.
    fn open_client(&self) -> Client {
        let mut client = self.client();
        assert_eq!(client.call("CONNECT_OPEN", &[text("qemu:///system"), Value::Unsigned(0)]).0, Status::Ok);
        client
    }

    /// The kinds of records about an operation, each with how many calls libvirtd had heard by then.
    fn records(&self, operation: &str) -> Vec<(Kind, usize)> {
        let events = self.notebook.events.lock().unwrap();
        events.iter().filter(|(event, _)| event.operation == operation).map(|(e, n)| (e.kind, *n)).collect()
    }
}

struct Client {
    socket: UnixStream,
    serial: u32,
}

impl Client {
    /// Calls and waits for the answer to it.
    fn call(&mut self, name: &str, values: &[Value<'_>]) -> (Status, Vec<u8>) {
        let serial = self.send(name, values);
        let (header, payload) = self.receive().expect("an answer");
        assert_eq!(header.serial, serial, "{name}");
        (header.status, payload)
    }

    fn send(&mut self, name: &str, values: &[Value<'_>]) -> u32 {
        let mut writer = Writer::with_capacity(64);
        encode_fields(by_name(name).unwrap().arguments, values, &mut writer).unwrap();
        self.send_raw(name, &writer.finish())
    }

    fn send_raw(&mut self, name: &str, payload: &[u8]) -> u32 {
        self.serial += 1;
        let procedure = by_name(name).unwrap();
        let header = call_header(procedure.number, self.serial);
        self.send_frame(Header { program: procedure.program.number(), ..header }, payload);
        self.serial
    }

    fn send_frame(&mut self, header: Header, payload: &[u8]) {
        let frame = frame::Frame { header, descriptors: 0, payload }.encode().unwrap();
        self.socket.write_all(&frame).unwrap();
    }

    /// The next frame; none when the gate has hung up.
    fn receive(&mut self) -> Option<(Header, Vec<u8>)> {
        let bytes = read_frame(&mut self.socket)?;
        let frame = frame::Frame::parse(&bytes).unwrap();
        Some((frame.header, frame.payload.to_vec()))
    }
}

/// The words of an error.
fn words(payload: &[u8]) -> String {
    super::fault::text_of(payload)
}
