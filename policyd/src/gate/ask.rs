// SPDX-License-Identifier: Apache-2.0
//! Questions of our own to libvirtd, on the client's own link, while its traffic keeps flowing.

use std::time::{Duration, Instant};

use virtwarden_core::rpc::frame::{self, Status};
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::value::{self, Strings, Value};
use virtwarden_core::rpc::writer::Writer;

use super::connection::{Asked, Connection};
use super::fault::{Fault, code};
use super::link::Woken;
use super::pending::CallId;
use super::upstream::call_header;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Our own serials start here; clients count from one. Clashes are looked for all the same.
const FIRST_SERIAL: u32 = 0xf000_0000;

/// A good answer.
#[derive(Debug)]
pub(super) struct Answer {
    procedure: &'static Procedure,
    payload: Vec<u8>,
}

impl Answer {
    /// What it says, field by field.
    pub(super) fn values(&self) -> Result<Vec<Value<'_>>, Fault> {
        let mut reader = Reader::new(&self.payload);
        value::decode_fields(self.procedure.reply, &mut reader, Strings::Lossy)
            .map_err(|error| Fault::Failed(code::RPC, format!("libvirtd's answer makes no sense: {error}")))
    }

    /// The bytes of it.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The text in a field.
    pub(super) fn text(&self, field: &str) -> Result<String, Fault> {
        let values = self.values()?;
        let fields = self.procedure.reply.iter().zip(&values);
        let text = fields.filter(|(known, _)| known.name == field).find_map(|(_, value)| value.as_text());
        text.map(ToOwned::to_owned).ok_or_else(|| nonsense(field))
    }
}

fn nonsense(what: &str) -> Fault {
    Fault::Failed(code::RPC, format!("libvirtd's answer has no `{what}`"))
}

impl Connection {
    /// Asks libvirtd and waits for the answer; everything else that arrives is dealt with meanwhile.
    pub(super) fn ask(&mut self, number: u32, arguments: &[Value<'_>]) -> Result<Answer, Fault> {
        let procedure = procedure::find(frame::REMOTE, number).ok_or_else(|| nonsense("procedure"))?;
        let mut writer = Writer::with_capacity(64);
        value::encode_fields(procedure.arguments, arguments, &mut writer)
            .map_err(|_| Fault::Failed(code::INTERNAL, format!("cannot ask {}", procedure.name)))?;
        let payload = writer.finish();
        self.ask_raw(procedure, &payload)
    }

    /// As [`Connection::ask`], with arguments that are encoded already.
    pub(super) fn ask_raw(&mut self, procedure: &'static Procedure, payload: &[u8]) -> Result<Answer, Fault> {
        let id = self.fresh_id(procedure);
        let header = frame::Header { program: id.program, ..call_header(id.procedure, id.serial) };
        self.send_upstream(header, payload)?;
        self.asked = Some(Asked { id, answer: None });
        match self.await_answer(Instant::now() + PATIENCE)? {
            Some((Status::Ok, payload)) => Ok(Answer { procedure, payload }),
            Some((_, payload)) => Err(Fault::Theirs(payload)),
            None => {
                self.abandoned.insert(id);
                Err(Fault::Failed(
                    code::TIMEOUT,
                    format!("libvirtd did not answer {} in time", procedure.name),
                ))
            }
        }
    }

    fn await_answer(&mut self, until: Instant) -> Result<Option<(Status, Vec<u8>)>, Fault> {
        loop {
            self.sort()?;
            if self.asked.as_ref().is_none_or(|asked| asked.answer.is_some()) {
                return Ok(self.asked.take().and_then(|asked| asked.answer));
            }
            if self.wait(Some(until))? == Woken::Late && Instant::now() >= until {
                self.asked = None;
                return Ok(None);
            }
        }
    }

    /// Queues a call of ours.
    pub(super) fn send_upstream(&mut self, header: frame::Header, payload: &[u8]) -> Result<(), Fault> {
        let frame = frame::Frame { header, descriptors: 0, payload }.encode();
        let frame = frame.map_err(|error| Fault::Failed(code::RPC, error.to_string()))?;
        match &mut self.link.upstream {
            Some(upstream) => {
                upstream.send(frame);
                Ok(())
            }
            None => Err(Fault::Failed(code::INTERNAL, "the connection is not open".to_owned())),
        }
    }

    fn fresh_id(&mut self, procedure: &Procedure) -> CallId {
        loop {
            self.serial = self.serial.wrapping_add(1) | FIRST_SERIAL;
            let id = CallId {
                program: procedure.program.number(),
                procedure: procedure.number,
                serial: self.serial,
            };
            if !self.is_in_use(id) {
                return id;
            }
        }
    }

    /// Whether an answer to such a call would be taken for another's.
    pub(super) fn is_in_use(&self, id: CallId) -> bool {
        self.pending.contains_key(&id) || self.streams.contains_key(&id) || self.abandoned.contains(&id)
    }
}
