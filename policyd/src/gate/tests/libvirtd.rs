// SPDX-License-Identifier: Apache-2.0
//! A libvirtd that has two VMs, answers what the gate asks, and remembers everything it heard.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::frame::{self, Header, MessageKind, Status};
use virtwarden_core::rpc::procedure::{self, by_name};
use virtwarden_core::rpc::value::{Value, encode_fields};
use virtwarden_core::rpc::writer::Writer;

pub(super) const BOBS: Uuid = Uuid([1; 16]);
pub(super) const FINANCE: Uuid = Uuid([2; 16]);
const NETWORK: Uuid = Uuid([3; 16]);

/// A call as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) header: Header,
    pub(super) name: &'static str,
    pub(super) payload: Vec<u8>,
}

/// Frames that are sent when a call arrives; none: the usual answer.
pub(super) type Script = Arc<dyn Fn(&Heard) -> Option<Vec<Vec<u8>>> + Send + Sync>;

#[derive(Clone)]
pub(super) struct Libvirtd {
    heard: Arc<Mutex<Vec<Heard>>>,
    script: Script,
    pub(super) path: PathBuf,
}

impl Libvirtd {
    pub(super) fn start(path: PathBuf, script: Script) -> Self {
        let listener = UnixListener::bind(&path).unwrap();
        let libvirtd = Self { heard: Arc::default(), script, path };
        let serving = libvirtd.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(socket.unwrap()));
            }
        });
        libvirtd
    }

    /// The names of the calls that arrived, the gate's own greeting left out.
    pub(super) fn heard(&self) -> Vec<&'static str> {
        let greeting = ["AUTH_LIST", "CONNECT_OPEN", "CONNECT_SET_IDENTITY"];
        self.calls().iter().map(|heard| heard.name).filter(|name| !greeting.contains(name)).collect()
    }

    /// Waits until it has heard a message of a kind: what a client has sent is on its way for a while.
    pub(super) fn wait_for(&self, kind: MessageKind) {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.calls().iter().any(|heard| heard.header.kind == kind) {
            assert!(Instant::now() < until, "libvirtd heard no {kind:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn calls(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn serve(&self, mut socket: UnixStream) {
        while let Some(bytes) = read_frame(&mut socket) {
            let frame = frame::Frame::parse(&bytes).unwrap();
            let name = procedure::find(frame.header.program, frame.header.procedure).map_or("?", |p| p.name);
            let heard = Heard { header: frame.header, name, payload: frame.payload.to_vec() };
            self.heard.lock().unwrap().push(heard.clone());
            let answers = (self.script)(&heard).unwrap_or_else(|| vec![usual(&heard)]);
            for answer in answers {
                if answer.is_empty() || socket.write_all(&answer).is_err() {
                    return;
                }
            }
        }
    }
}

pub(super) fn read_frame(socket: &mut UnixStream) -> Option<Vec<u8>> {
    let mut word = [0; 4];
    socket.read_exact(&mut word).ok()?;
    let mut bytes = word.to_vec();
    bytes.resize(u32::from_be_bytes(word) as usize, 0);
    socket.read_exact(&mut bytes[4..]).ok()?;
    Some(bytes)
}

/// A good answer.
pub(super) fn good(heard: &Heard, values: &[Value<'_>]) -> Vec<u8> {
    reply(heard.header, Status::Ok, &written(heard.name, values))
}

pub(super) fn reply(header: Header, status: Status, payload: &[u8]) -> Vec<u8> {
    frame::Frame { header: header.reply(status), descriptors: 0, payload }.encode().unwrap()
}

/// An event or a stream packet.
pub(super) fn message(header: Header, kind: MessageKind, status: Status, payload: &[u8]) -> Vec<u8> {
    frame::Frame { header: Header { kind, status, ..header }, descriptors: 0, payload }.encode().unwrap()
}

/// The values of a reply or event in its own form.
pub(super) fn written(name: &str, values: &[Value<'_>]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(64);
    encode_fields(by_name(name).unwrap().reply, values, &mut writer).unwrap();
    writer.finish()
}

pub(super) fn text(text: &str) -> Value<'static> {
    Value::Text(text.to_owned().into())
}

/// The handle of one of the VMs.
pub(super) fn vm(uuid: Uuid) -> Value<'static> {
    named_vm(uuid, if uuid == BOBS { "bobvm" } else { "finance" })
}

pub(super) fn named_vm(uuid: Uuid, name: &str) -> Value<'static> {
    Value::Record(vec![text(name), Value::Uuid(uuid), Value::Int(-1)])
}

pub(super) fn definition(uuid: Uuid, rest: &str) -> String {
    let name = if uuid == BOBS { "bobvm" } else { "finance" };
    format!("<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid><memory>1024</memory>{rest}</domain>")
}

/// libvirt's error with nothing but a number in it.
fn error(heard: &Heard, number: i32) -> Vec<u8> {
    reply(heard.header, Status::Error, &super::super::fault::error(number, 10, "libvirtd's own words"))
}

fn usual(heard: &Heard) -> Vec<u8> {
    let holds = |uuid: Uuid| heard.payload.windows(16).any(|window| window == uuid.0);
    let named = |name: &str| heard.payload.windows(name.len()).any(|window| window == name.as_bytes());
    let found =
        [(BOBS, "bobvm"), (FINANCE, "finance")].into_iter().find(|(uuid, name)| holds(*uuid) || named(name));
    match (heard.name, found) {
        ("AUTH_LIST", _) => good(heard, &[Value::List(vec![Value::Int(0)])]),
        ("DOMAIN_LOOKUP_BY_UUID" | "DOMAIN_LOOKUP_BY_NAME", Some((uuid, _))) => good(heard, &[vm(uuid)]),
        ("DOMAIN_LOOKUP_BY_UUID" | "DOMAIN_LOOKUP_BY_NAME", None) => error(heard, 42),
        ("DOMAIN_DEFINE_XML" | "DOMAIN_CREATE_XML", _) => good(heard, &[vm(BOBS)]),
        ("CONNECT_LIST_ALL_DOMAINS", _) => {
            good(heard, &[Value::List(vec![vm(BOBS), vm(FINANCE)]), Value::Unsigned(2)])
        }
        ("NETWORK_LOOKUP_BY_UUID", _) => {
            good(heard, &[Value::Record(vec![text("red"), Value::Uuid(NETWORK)])])
        }
        ("DOMAIN_GET_XML_DESC", Some((uuid, _))) => good(heard, &[text(&definition(uuid, ""))]),
        ("DOMAIN_IS_ACTIVE" | "DOMAIN_HAS_MANAGED_SAVE_IMAGE" | "DOMAIN_SNAPSHOT_NUM", _) => {
            good(heard, &[Value::Int(0)])
        }
        ("CONNECT_GET_HOSTNAME", _) => good(heard, &[text("host")]),
        ("CONNECT_OPEN" | "CONNECT_SET_IDENTITY" | "DOMAIN_CREATE" | "DOMAIN_SUSPEND", _) => good(heard, &[]),
        _ => error(heard, 3),
    }
}
