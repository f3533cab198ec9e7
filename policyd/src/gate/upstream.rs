// SPDX-License-Identifier: Apache-2.0
//! The gate's own link to libvirtd: authenticated, opened with one literal name, carrying the caller's identity.
//!
//! Nothing a client wrote takes part in any of it.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use virtwarden_core::rpc::frame::{self, Frame, Header, MessageKind, REMOTE, Status, VERSION};
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::subject::Subject;

use super::fault::{code, code_of, text_of};
use super::wake::Wake;
use super::wire::{Reading, Wire, WireError};

/// The longest that libvirtd may take to answer policyd itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// ... and to let a client in. After a start it answers nobody until it has looked at every emulator, which takes it a
/// minute and more on a slow machine that boots; virsh itself would wait for ever. libvirt-guests tries once: whoever is
/// sent away then is a VM that was running before the boot and is not after it.
const PATIENCE_OF_CLIENTS: Duration = Duration::from_secs(300);
const AUTH_LIST: u32 = 66;
const AUTH_POLKIT: u32 = 70;
const CONNECT_OPEN: u32 = 1;
const CONNECT_SET_IDENTITY: u32 = 419;
/// Most events that wait while an answer is awaited. Beyond, the link is of no use.
const EVENTS: usize = 65_536;
/// In CONNECT_OPEN: a read-only connection.
const READ_ONLY: u32 = 1;

/// Where libvirtd is and what we call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its read-write socket.
    pub socket: PathBuf,
    /// Its read-only socket.
    pub read_only_socket: PathBuf,
    /// The one name that CONNECT_OPEN ever carries.
    pub uri: String,
    /// Names its process while it runs, so that one can look without starting it.
    pub pid_file: PathBuf,
}

impl Place {
    /// Whether libvirtd runs. Dialling would start it.
    pub fn is_up(&self) -> bool {
        let pid = std::fs::read_to_string(&self.pid_file).ok();
        let pid = pid.and_then(|text| text.trim().parse::<u32>().ok());
        pid.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists())
    }
}

impl Default for Place {
    fn default() -> Self {
        Self {
            socket: "/run/virtwarden/upstream/libvirt-sock".into(),
            read_only_socket: "/run/virtwarden/upstream/libvirt-sock-ro".into(),
            uri: "qemu:///system".into(),
            pid_file: "/run/libvirtd.pid".into(),
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and changing.
    Full,
    /// libvirt refuses changes on its own account as well.
    ReadOnly,
}

/// Why libvirtd did not let us in, or did not answer.
#[derive(Debug)]
pub enum UpstreamError {
    /// Nothing listens there.
    Unreachable(std::io::Error),
    /// The link broke.
    Wire(WireError),
    /// It took too long.
    Late,
    /// It said something that makes no sense here.
    Nonsense(&'static str),
    /// It refused.
    Refused(String),
    /// It refused because the caller may not.
    Denied(String),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpstreamError::Unreachable(error) => {
                write!(f, "libvirtd does not answer ({error}), see `systemctl status libvirtd`")
            }
            UpstreamError::Wire(error) => write!(f, "the link to libvirtd broke: {error}"),
            UpstreamError::Late => f.write_str("libvirtd does not answer, see `systemctl status libvirtd`"),
            UpstreamError::Nonsense(what) => write!(f, "libvirtd gave an unexpected answer to {what}"),
            UpstreamError::Refused(why) => write!(f, "libvirtd refused: {why}"),
            UpstreamError::Denied(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for UpstreamError {}

impl From<WireError> for UpstreamError {
    fn from(error: WireError) -> Self {
        UpstreamError::Wire(error)
    }
}

impl From<XdrError> for UpstreamError {
    fn from(_: XdrError) -> Self {
        UpstreamError::Nonsense("a call")
    }
}

/// An open link on which nothing but our own calls has passed yet.
#[derive(Debug)]
pub struct Upstream {
    wire: Wire,
    serial: u32,
    /// How long an answer may take.
    patience: Duration,
    /// Messages that came while an answer was awaited.
    messages: VecDeque<Vec<u8>>,
}

impl Upstream {
    /// Connects, authenticates, opens, and says on whose behalf.
    ///
    /// # Errors
    /// libvirtd is not there, does not let us in, or takes too long.
    pub fn open(place: &Place, access: Access, caller: &Subject) -> Result<Self, UpstreamError> {
        let mut upstream = Self::connect(place, access, PATIENCE_OF_CLIENTS)?;
        upstream.call(CONNECT_SET_IDENTITY, identity(caller))?;
        Ok(upstream)
    }

    /// Connects, authenticates and opens on nobody's behalf: for policyd's own questions.
    ///
    /// # Errors
    /// As [`Upstream::open`].
    pub fn open_for_itself(place: &Place, access: Access) -> Result<Self, UpstreamError> {
        Self::connect(place, access, PATIENCE)
    }

    fn connect(place: &Place, access: Access, patience: Duration) -> Result<Self, UpstreamError> {
        let path = match access {
            Access::Full => &place.socket,
            Access::ReadOnly => &place.read_only_socket,
        };
        let socket = UnixStream::connect(path).map_err(UpstreamError::Unreachable)?;
        Self::greet(socket, &place.uri, access, patience)
    }

    /// Authenticates and opens on a socket that is connected already.
    ///
    /// # Errors
    /// As [`Upstream::open`].
    pub fn over(socket: UnixStream, uri: &str) -> Result<Self, UpstreamError> {
        Self::greet(socket, uri, Access::Full, PATIENCE_OF_CLIENTS)
    }

    fn greet(
        socket: UnixStream,
        uri: &str,
        access: Access,
        patience: Duration,
    ) -> Result<Self, UpstreamError> {
        let wire = Wire::new(socket).map_err(UpstreamError::Unreachable)?;
        let mut upstream = Self { wire, serial: 0, patience, messages: VecDeque::new() };
        upstream.authenticate()?;
        upstream.call(CONNECT_OPEN, opening(uri, access))?;
        Ok(upstream)
    }

    /// Calls and waits for the answer, on a link that carries nothing else.
    ///
    /// # Errors
    /// libvirtd refused, or the link is over.
    pub fn call(&mut self, procedure: u32, arguments: Writer) -> Result<Vec<u8>, UpstreamError> {
        self.serial += 1;
        let header = call_header(procedure, self.serial);
        self.wire.send(encode(header, &arguments.finish())?);
        let until = Instant::now() + self.patience;
        loop {
            let bytes = self.receive(until)?;
            let answer = Frame::parse(&bytes).map_err(|_| UpstreamError::Nonsense("a call"))?;
            match (answer.header.kind, answer.header.serial == self.serial, answer.header.status) {
                (MessageKind::Message, _, _) => self.keep(bytes)?,
                (MessageKind::Reply, true, Status::Ok) => return Ok(answer.payload.to_vec()),
                (MessageKind::Reply, true, _) => return Err(refusal(answer.payload)),
                _ => return Err(UpstreamError::Nonsense("a call")),
            }
        }
    }

    /// The next message that libvirtd sends by itself; none when the bell rings or the time is up.
    ///
    /// # Errors
    /// The link is over, or it brings something else.
    pub fn hear(&mut self, bell: &Wake, until: Option<Instant>) -> Result<Option<Vec<u8>>, UpstreamError> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(Some(message));
            }
            while let Some(frame) = self.wire.next_frame()? {
                self.keep(frame.bytes)?;
            }
            if self.messages.is_empty() {
                if self.wait(until, bell)? == Woken::Otherwise {
                    return Ok(None);
                }
                self.wire.fill()?;
            }
        }
    }

    fn keep(&mut self, bytes: Vec<u8>) -> Result<(), UpstreamError> {
        let kind = Frame::parse(&bytes).map(|frame| frame.header.kind);
        if kind != Ok(MessageKind::Message) || self.messages.len() >= EVENTS {
            return Err(UpstreamError::Nonsense("no call"));
        }
        self.messages.push_back(bytes);
        Ok(())
    }

    /// Gives the wire away, to be shared with a client's calls.
    pub fn into_wire(self) -> Wire {
        self.wire
    }

    /// libvirtd lets even root in only as a side effect of being asked for the ways in.
    fn authenticate(&mut self) -> Result<(), UpstreamError> {
        let answer = self.call(AUTH_LIST, Writer::with_capacity(0))?;
        let mut reader = Reader::new(&answer);
        let ways = (0..reader.count(20, 4)?).map(|_| reader.u32()).collect::<Result<Vec<_>, _>>()?;
        match ways.first() {
            None | Some(0) => Ok(()),
            Some(2) => self.call(AUTH_POLKIT, Writer::with_capacity(0)).map(drop),
            Some(_) => Err(UpstreamError::Nonsense("the question how to authenticate")),
        }
    }

    fn receive(&mut self, until: Instant) -> Result<Vec<u8>, UpstreamError> {
        loop {
            self.wire.flush()?;
            if let Some(frame) = self.wire.next_frame()? {
                return Ok(frame.bytes);
            }
            if Instant::now() >= until {
                return Err(UpstreamError::Late);
            }
            self.wait(Some(until), &self.wire)?;
            self.wire.fill()?;
        }
    }

    /// Waits for the wire, or for something else that can be read.
    fn wait(&self, until: Option<Instant>, other: impl AsFd) -> Result<Woken, UpstreamError> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let Some(wire) = self.wire.wait_for(Reading::Wanted) else { return Ok(Woken::Wire) };
        let mut waits = [wire, PollFd::new(&other, PollFlags::IN)];
        match poll(&mut waits, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(WireError::Broken(error.into()).into()),
        }
        let wire = waits.first().is_some_and(|wire| !wire.revents().is_empty());
        Ok(if wire { Woken::Wire } else { Woken::Otherwise })
    }
}

fn refusal(payload: &[u8]) -> UpstreamError {
    match code_of(payload) {
        Some(code::ACCESS_DENIED) => UpstreamError::Denied(text_of(payload)),
        Some(_) | None => UpstreamError::Refused(text_of(payload)),
    }
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// The wire moved.
    Wire,
    /// The time is up, or the other thing moved.
    Otherwise,
}

/// The header of a call of ours.
pub fn call_header(procedure: u32, serial: u32) -> Header {
    let kind = MessageKind::Call;
    Header { program: REMOTE, version: VERSION, procedure, kind, serial, status: Status::Ok }
}

fn encode(header: Header, payload: &[u8]) -> Result<Vec<u8>, UpstreamError> {
    let frame = frame::Frame { header, descriptors: 0, payload };
    frame.encode().map_err(|_| UpstreamError::Wire(WireError::Length))
}

fn opening(uri: &str, access: Access) -> Writer {
    let mut writer = Writer::with_capacity(64);
    writer.boolean(true);
    writer.text(uri);
    writer.u32(match access {
        Access::Full => 0,
        Access::ReadOnly => READ_ONLY,
    });
    writer
}

/// Typed parameters: libvirt's polkit driver needs process, start time and uid; the rest is for its logs.
fn identity(caller: &Subject) -> Writer {
    const HYPER: i32 = 3;
    const UNSIGNED_HYPER: i32 = 4;
    const TEXT: i32 = 7;
    let mut writer = Writer::with_capacity(256);
    writer.count(4);
    writer.text("user-name");
    writer.i32(TEXT);
    writer.text(&caller.account.name);
    writer.text("unix-user-id");
    writer.i32(UNSIGNED_HYPER);
    writer.u64(caller.account.uid.into());
    writer.text("process-id");
    writer.i32(HYPER);
    writer.i64(caller.process.pid.into());
    writer.text("process-time");
    writer.i32(UNSIGNED_HYPER);
    writer.u64(caller.process.start_time);
    writer.u32(0);
    writer
}
