// SPDX-License-Identifier: Apache-2.0
//! One client of libvirt: its wire, our own link to libvirtd on its behalf, and what is under way.
//!
//! One thread serves a connection and never waits for anything but its sockets and its bell. While a call
//! is being judged, replies, events and streams keep flowing and pings are answered; further calls queue.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use virtwarden_core::authentication::{Absence, Authentication};
use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::frame::{self, Header, KEEPALIVE, MessageKind, PING, PONG, Side};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::subject::{Door, Subject};

use super::Gate;
use super::end::End;
use super::errand::Errand;
use super::fault::{Fault, code, code_of};
use super::link::{Link, LinkError, Woken};
use super::parked::Parked;
use super::pending::{CallId, Pending, Streaming};
use super::question;
use super::upstream::Access;
use super::wire::{Frame, Reading};
use crate::accounts::Membership;
use crate::peer::{Peer, PeerError};

/// How long a client may take from connecting to having opened.
const GREETING: Duration = Duration::from_secs(5);
/// How long the last answers may take to leave.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a client may take no answers while a call of its keeps others from changing a VM.
const STALLED: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });
/// Calls of the client with libvirtd at once: one less than it reads, so that our own questions get through.
const UNDER_WAY: usize = 4;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not opened yet; it must be by then.
    Greeting(Instant),
    /// Calls pass.
    Open,
    /// Closed by the client; the last answers must be out by then.
    Closing(Instant),
}

/// A question of ours that libvirtd has not answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: CallId,
    /// Status and payload, once they are there.
    pub(super) answer: Option<(frame::Status, Vec<u8>)>,
}

/// One client.
pub(super) struct Connection {
    pub(super) gate: Arc<Gate>,
    pub(super) peer: Peer,
    pub(super) link: Link,
    pub(super) stage: Stage,
    pub(super) access: Access,
    pub(super) pending: HashMap<CallId, Pending>,
    pub(super) streams: HashMap<CallId, Streaming>,
    pub(super) asked: Option<Asked>,
    /// Questions of ours that nobody waits for any more; their answers are dropped.
    pub(super) abandoned: HashSet<CallId>,
    pub(super) serial: u32,
    /// Whether the client wants to hear when libvirtd is gone.
    pub(super) tells_close: bool,
    /// What policyd itself is about here, on the peer's behalf.
    pub(super) errand: Option<Errand>,
    /// VMs that may be gone, and by whom.
    pub(super) graves: VecDeque<(Uuid, Arc<Subject>)>,
    parked: Parked,
    /// Since when the client has taken no answers while it holds a turn.
    stalled: Option<Instant>,
    /// Whose subject it was when it was last asked, and the number of the login sessions then.
    known: Option<(Arc<Membership>, u64, Arc<Subject>)>,
}

impl Connection {
    pub(super) fn new(gate: Arc<Gate>, peer: Peer, link: Link) -> Self {
        let access = match peer.door {
            Door::LibvirtReadOnly => Access::ReadOnly,
            Door::Libvirt | Door::Control | Door::Hook | Door::Login => Access::Full,
        };
        Self {
            gate,
            peer,
            link,
            stage: Stage::Greeting(Instant::now() + GREETING),
            access,
            pending: HashMap::new(),
            streams: HashMap::new(),
            asked: None,
            abandoned: HashSet::new(),
            serial: 0,
            tells_close: false,
            errand: None,
            graves: VecDeque::new(),
            parked: Parked::default(),
            stalled: None,
            known: None,
        }
    }

    /// Serves the client until it leaves or cannot be served any longer.
    pub(super) fn serve(&mut self) -> End {
        let end = loop {
            match self.turn() {
                Ok(()) => {}
                Err(end) => break end,
            }
        };
        if matches!(end, End::UpstreamGone(_) | End::Stopping | End::Idle) {
            self.tell_of_loss(&end);
        }
        end
    }

    /// One round: everything that is there, then a wait.
    fn turn(&mut self) -> Result<(), End> {
        if self.sort()? | self.work()? {
            return self.link.flush().map_err(End::from);
        }
        match self.stage {
            Stage::Greeting(until) if Instant::now() >= until => Err(End::NeverOpened),
            Stage::Closing(until) if self.link.client.is_drained() || Instant::now() >= until => {
                Err(End::ClientLeft)
            }
            Stage::Greeting(until) | Stage::Closing(until) => self.wait(Some(until)).map(drop),
            Stage::Open => {
                let until = self.insist_on_reading()?;
                self.wait(until).map(drop)
            }
        }
    }

    /// Waits for traffic or the bell.
    pub(super) fn wait(&mut self, until: Option<Instant>) -> Result<Woken, End> {
        let reading = if self.has_room() { Reading::Wanted } else { Reading::Paused };
        let woken = self.link.wait(until, reading)?;
        if woken == Woken::Bell {
            self.heed_bell()?;
        }
        Ok(woken)
    }

    /// Whether one more call of the client can wait here.
    fn has_room(&self) -> bool {
        self.parked.has_room() && !self.link.client.is_full()
    }

    /// libvirtd is not heard while the client takes nothing, and so a turn would never end. Until when to wait.
    fn insist_on_reading(&mut self) -> Result<Option<Instant>, End> {
        let holds_turn = self.pending.values().any(|pending| pending.turn.is_some());
        if !(holds_turn && self.link.client.is_full()) {
            self.stalled = None;
            return Ok(None);
        }
        let until = *self.stalled.get_or_insert_with(Instant::now) + STALLED;
        if Instant::now() < until {
            return Ok(Some(until));
        }
        Err(End::ClientBroke("it takes no answers and keeps others waiting".to_owned()))
    }

    fn heed_bell(&mut self) -> Result<(), End> {
        if self.gate.is_stopping() {
            return Err(End::Stopping);
        }
        self.judge_streams_again()
    }

    /// Takes what has arrived: libvirtd's frames are dealt with, the client's calls queue. True if there was any.
    pub(super) fn sort(&mut self) -> Result<bool, End> {
        let mut any = false;
        while let Some(frame) = self.link.upstream_frame()? {
            self.receive_from_upstream(frame)?;
            any = true;
        }
        while self.has_room() {
            let Some(frame) = self.link.client.next_frame().map_err(LinkError::Client)? else { break };
            self.receive_from_client(frame)?;
            any = true;
        }
        Ok(any)
    }

    fn receive_from_client(&mut self, frame: Frame) -> Result<(), End> {
        let header = read_header(&frame).map_err(|error| End::ClientBroke(error.to_string()))?;
        if !header.may_come_from(Side::Client) {
            return Err(End::ClientBroke(format!("unexpected {:?} message", header.kind)));
        }
        if let Some(length) = frame.missing {
            return self.pass_over_from_client(header, length);
        }
        match header.kind {
            MessageKind::Call | MessageKind::CallWithFds => self.parked.push(frame),
            MessageKind::Stream | MessageKind::StreamHole => self.stream_from_client(header, frame),
            MessageKind::Message if (header.program, header.procedure) == (KEEPALIVE, PING) => {
                self.link.client.send(pong());
            }
            MessageKind::Message | MessageKind::Reply | MessageKind::ReplyWithFds => {}
        }
        Ok(())
    }

    /// Takes queued calls as far as libvirtd has room for them. True if there was any.
    fn work(&mut self) -> Result<bool, End> {
        let mut any = false;
        if self.link.client.is_full() {
            return Ok(false);
        }
        self.bury()?;
        while self.pending.len() < UNDER_WAY
            && !self.link.client.is_full()
            && !matches!(self.stage, Stage::Closing(_))
        {
            let Some(frame) = self.parked.pop() else { break };
            self.take_call(frame)?;
            any = true;
        }
        Ok(any)
    }

    /// Whose VM is gone leaves no claim on its UUID.
    pub(super) fn bury(&mut self) -> Result<(), End> {
        while let Some((uuid, subject)) = self.graves.front().cloned() {
            match self.ask(question::DOMAIN_LOOKUP_BY_UUID, &[Value::Uuid(uuid)]) {
                Err(Fault::Theirs(error)) if code_of(&error) == Some(code::NO_DOMAIN) => {
                    self.gate.monitor.forget(&subject, uuid);
                }
                Err(Fault::End(end)) => return Err(end),
                Ok(_) | Err(Fault::Theirs(_) | Fault::Refused(_) | Fault::Failed(..)) => {}
            }
            self.graves.pop_front();
        }
        Ok(())
    }

    /// From now on nothing but the last answers passes.
    pub(super) fn close(&mut self) {
        self.stage = Stage::Closing(Instant::now() + FAREWELL);
    }

    /// Who asks, with the groups and the login session that count at this moment.
    pub(super) fn subject(&mut self) -> Result<Arc<Subject>, End> {
        let now = Instant::now();
        let membership = self.gate.accounts.of_uid(self.peer.uid, now);
        let membership = membership.ok_or(End::Nobody(PeerError::NoAccount(self.peer.uid)))?;
        // Asked first: whatever changes after it makes this answer old.
        let generation = self.gate.monitor.sessions().generation();
        if let Some((known, then, subject)) = &self.known
            && Arc::ptr_eq(known, &membership)
            && *then == generation
        {
            return Ok(subject.clone());
        }
        let subject = Arc::new(self.gate.who(&self.peer, now).map_err(End::Nobody)?);
        if subject.authentication == Authentication::Nobody(Absence::Idle) {
            return Err(End::Idle);
        }
        self.known = Some((membership, generation, subject.clone()));
        Ok(subject)
    }
}

/// The header of a whole frame.
pub(super) fn read_header(frame: &Frame) -> Result<Header, frame::FrameError> {
    frame::Frame::parse(&frame.bytes).map(|frame| frame.header)
}

/// The answer to a ping.
pub(super) fn pong() -> Vec<u8> {
    let pong = frame::Frame { header: Header::keepalive(PONG), descriptors: 0, payload: &[] };
    pong.encode().unwrap_or_default()
}
