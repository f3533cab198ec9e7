// SPDX-License-Identifier: Apache-2.0
//! Calls that the gate answers itself: authentication, opening and closing, identity, keepalive.

use std::time::Instant;

use virtwarden_core::policy::request::Right;
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::rpc::rule::Own;
use virtwarden_core::rpc::writer::Writer;

use super::call::{Call, Course, Forward, on_host};
use super::connection::{Connection, Stage};
use super::fault::{Fault, code};
use super::upstream::{Access, Upstream};
use crate::monitor::actor;

/// In CONNECT_OPEN: a read-only connection.
const READ_ONLY: u32 = 1;
/// The keepalive feature, which each leg has for itself.
const KEEPALIVE_FEATURE: u32 = 10;

impl Connection {
    /// Answers, or says what is to be forwarded.
    pub(super) fn answer(&mut self, call: &Call<'_>, own: Own) -> Result<Course, Fault> {
        let payload = match own {
            Own::AuthList => numbers(&[1, 0]),
            Own::Polkit => numbers(&[1]),
            Own::SaslInit | Own::SaslStart | Own::SaslStep => {
                let text = "no authentication is needed here".to_owned();
                return Err(Fault::Failed(code::RPC, text));
            }
            Own::Open => self.open(call)?,
            Own::Close => {
                self.close();
                Vec::new()
            }
            Own::Feature => return self.feature(call),
            Own::Uri => text(&self.gate.place.uri),
            Own::Secure => numbers(&[1]),
            Own::CloseCallback => {
                self.tells_close = call.procedure.name == "CONNECT_REGISTER_CLOSE_CALLBACK";
                Vec::new()
            }
            Own::Identity => {
                let why = "a client cannot choose whom libvirt takes it for";
                return Err(self.forbidden(call, why, vec![on_host(Right::Administer)]));
            }
        };
        Ok(Course::Answer(payload))
    }

    /// Opens our own link. Whatever name the client gave, libvirtd gets our one literal.
    fn open(&mut self, call: &Call<'_>) -> Result<Vec<u8>, Fault> {
        if !matches!(self.stage, Stage::Greeting(_)) {
            return Err(self.malformed(&call.subject, call.procedure.name, "the connection is already open"));
        }
        let name = call.arguments.text("name").unwrap_or_default();
        if !name.is_empty() && name != self.gate.place.uri {
            let text = format!("this host serves `{}`, not `{name}`", self.gate.place.uri);
            return Err(Fault::Failed(code::NO_CONNECT, text));
        }
        if call.arguments.number("flags").unwrap_or_default() & READ_ONLY != 0 {
            self.access = Access::ReadOnly;
        }
        let entry =
            self.gate.monitor.judge(&call.subject, call.procedure.name, vec![on_host(Right::View)])?;
        let upstream = Upstream::open(&self.gate.place, self.access, &call.subject)
            .map_err(|error| Fault::Failed(code::SYSTEM, error.to_string()))?;
        let mut upstream = upstream.into_wire();
        upstream.charge(self.link.purse.clone());
        self.link.upstream = Some(upstream);
        self.stage = Stage::Open;
        self.note_entry(call, entry.permit().roles());
        Ok(Vec::new())
    }

    /// Who came in, for the record.
    fn note_entry(&self, call: &Call<'_>, roles: &[String]) {
        self.gate.monitor.ledger().note(Event {
            origin: None,
            kind: Kind::Connection,
            outcome: Outcome::Success,
            actor: Some(actor(&call.subject, roles)),
            operation: call.procedure.name.to_owned(),
            functions: Vec::new(),
            targets: Vec::new(),
            detail: String::new(),
            of: None,
            count: None,
        });
    }

    /// Keepalive is ours; for the rest, libvirtd knows what it can.
    fn feature(&mut self, call: &Call<'_>) -> Result<Course, Fault> {
        let asked = call.arguments.number("feature").unwrap_or_default();
        match self.stage {
            _ if asked == KEEPALIVE_FEATURE => Ok(Course::Answer(numbers(&[1]))),
            Stage::Open => Ok(Course::Forward(Forward::from(vec![on_host(Right::View)]))),
            Stage::Greeting(_) | Stage::Closing(_) => Ok(Course::Answer(numbers(&[0]))),
        }
    }

    /// Tells the client why everything ends, as libvirt would.
    pub(super) fn tell_of_loss(&mut self, end: &super::end::End) {
        let pending: Vec<_> = self.pending.drain().collect();
        for (id, _unknown) in pending {
            let header = super::upstream::call_header(id.procedure, id.serial);
            let header = virtwarden_core::rpc::frame::Header { program: id.program, ..header };
            let payload = Fault::Failed(code::SYSTEM, end.to_string()).payload();
            let _sent = self.reply(header, virtwarden_core::rpc::frame::Status::Error, &payload);
        }
        if self.tells_close {
            self.send_close_event();
        }
        let until = Instant::now() + std::time::Duration::from_millis(500);
        self.link.upstream = None;
        while !self.link.client.is_drained() && Instant::now() < until {
            if self.link.wait(Some(until), super::wire::Reading::Paused).is_err() {
                return;
            }
        }
    }

    fn send_close_event(&mut self) {
        use virtwarden_core::rpc::frame::{Frame, Header, MessageKind, REMOTE, Status, VERSION};
        /// CONNECT_EVENT_CONNECTION_CLOSED, and its reason "end of file".
        const CLOSED: u32 = 362;
        let reason = numbers(&[1]);
        let header = Header {
            program: REMOTE,
            version: VERSION,
            procedure: CLOSED,
            kind: MessageKind::Message,
            serial: 0,
            status: Status::Ok,
        };
        if let Ok(frame) = (Frame { header, descriptors: 0, payload: &reason }).encode() {
            self.link.client.send(frame);
        }
    }
}

fn numbers(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn text(text: &str) -> Vec<u8> {
    let mut writer = Writer::with_capacity(32);
    writer.text(text);
    writer.finish()
}
