// SPDX-License-Identifier: Apache-2.0
//! What libvirtd sends: answers in any order, streams, events. Each is taken to the call it belongs to;
//! what belongs to none does not reach the client.

use std::time::Instant;

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::record::Outcome;
use virtwarden_core::rpc::frame::{self, Header, KEEPALIVE, MessageKind, PING, Side, Status};
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::procedure::Procedure;
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::rpc::value::{self, Strings, Value};
use virtwarden_core::subject::Subject;

use super::connection::{Connection, pong, read_header};
use super::end::End;
use super::fault::{Fault, code, text_of};
use super::pending::{CallId, Chore, Pending, Streaming};
use super::wire::Frame;

impl Connection {
    /// Takes one frame of libvirtd's to where it belongs.
    pub(super) fn receive_from_upstream(&mut self, frame: Frame) -> Result<(), End> {
        let header = read_header(&frame).map_err(|error| End::UpstreamGone(error.to_string()))?;
        if !header.may_come_from(Side::Daemon) {
            return Err(End::UpstreamGone(format!("unexpected {:?} message", header.kind)));
        }
        let frame = match frame.missing {
            Some(length) => match self.pass_over_from_upstream(header, length) {
                Some(instead) => instead,
                None => return Ok(()),
            },
            None => frame,
        };
        let header = read_header(&frame).map_err(|error| End::UpstreamGone(error.to_string()))?;
        match header.kind {
            MessageKind::Reply | MessageKind::ReplyWithFds => self.reply_from_upstream(header, frame),
            MessageKind::Stream | MessageKind::StreamHole => {
                self.stream_from_upstream(header, frame);
                Ok(())
            }
            MessageKind::Message if (header.program, header.procedure) == (KEEPALIVE, PING) => {
                if let Some(upstream) = &mut self.link.upstream {
                    upstream.send(pong());
                }
                Ok(())
            }
            MessageKind::Message => self.event(header, frame),
            MessageKind::Call | MessageKind::CallWithFds => Ok(()),
        }
    }

    fn reply_from_upstream(&mut self, header: Header, frame: Frame) -> Result<(), End> {
        let id = CallId::of(header);
        if let Some(asked) = &mut self.asked
            && asked.id == id
        {
            let payload = payload(&frame)?.to_vec();
            asked.answer = Some((header.status, payload));
            return Ok(());
        }
        if self.abandoned.remove(&id) {
            return Ok(());
        }
        match self.pending.remove(&id) {
            Some(pending) => self.settle(id, header, frame, pending),
            None => Err(End::UpstreamGone("it answered a call that nobody made".to_owned())),
        }
    }

    /// The outcome is recorded, then the client hears of it.
    fn settle(&mut self, id: CallId, header: Header, frame: Frame, mut pending: Pending) -> Result<(), End> {
        let payload = payload(&frame)?;
        if header.status == Status::Error {
            pending.attempt.finish(Outcome::Failure, &text_of(payload));
        } else {
            if !pending.procedure.descriptors.reply.allows(u32::try_from(frame.fds.len()).unwrap_or(u32::MAX))
            {
                return Err(End::UpstreamGone("it sent file descriptors that do not belong".to_owned()));
            }
            if let Some(vm) = made_by(pending.procedure, payload) {
                self.gate.monitor.made(vm, Instant::now());
            }
            if let Some(chore) = pending.chore.take() {
                self.see_to(chore, &pending, payload);
            }
            for moving in std::mem::take(&mut pending.media.moving) {
                moving.settle(&self.gate.monitor, &pending.subject);
            }
            match (pending.procedure.stream, pending.ended) {
                (Some(_), None) => {
                    let streaming = Streaming { attempt: pending.attempt };
                    self.streams.insert(id, streaming);
                }
                (Some(_), Some((outcome, text))) => pending.attempt.finish(outcome, &text),
                (None, _) => pending.attempt.finish(Outcome::Success, ""),
            }
        }
        self.link.client.send(frame);
        Ok(())
    }

    fn see_to(&mut self, chore: Chore, pending: &Pending, payload: &[u8]) {
        let monitor = &self.gate.monitor;
        match chore {
            Chore::Adopt => {
                let fields = pending.procedure.reply;
                let values = value::decode_fields(fields, &mut Reader::new(payload), Strings::Lossy);
                let values = values.unwrap_or_default();
                let made = values.first().and_then(|value| Handle::from_value(HandleKind::Vm, value));
                if let Some(vm) = made.and_then(|handle| handle.vm()) {
                    monitor.adopt(&pending.subject, vm.uuid, vm.name);
                }
            }
            Chore::Restore(uuid) => monitor.made(uuid, Instant::now()),
            Chore::Rename(uuid, name) => monitor.rename(&pending.subject, uuid, &name),
            Chore::Bury(uuid) => self.graves.push_back((uuid, pending.subject.clone())),
        }
    }

    /// A stream may overtake the reply that opens it: libvirtd sends the two from different threads.
    fn stream_from_upstream(&mut self, header: Header, frame: Frame) {
        let id = CallId::of(header);
        let end = end_of(header, &frame);
        if let Some(pending) = self.pending.get_mut(&id).filter(|pending| pending.procedure.stream.is_some())
        {
            pending.ended = pending.ended.take().or(end);
        } else if !self.streams.contains_key(&id) {
            return;
        } else if let Some((outcome, text)) = end
            && let Some(streaming) = self.streams.remove(&id)
        {
            streaming.attempt.finish(outcome, &text);
        }
        self.link.client.send(frame);
    }

    /// A packet of a stream that is not open any more is dropped, as libvirtd would.
    pub(super) fn stream_from_client(&mut self, header: Header, frame: Frame) {
        if let (true, Some(upstream)) =
            (self.streams.contains_key(&CallId::of(header)), &mut self.link.upstream)
        {
            upstream.send(frame);
        }
    }

    /// After a change of policy: what would not be permitted now ends now.
    pub(super) fn judge_streams_again(&mut self) -> Result<(), End> {
        let ids: Vec<_> = self.streams.keys().copied().collect();
        let subject = self.subject()?;
        for id in ids {
            let Some(streaming) = self.streams.get(&id) else { continue };
            let needs: Vec<_> =
                streaming.attempt.permit().needs().iter().map(|need| self.renewed(need)).collect();
            if !self.gate.monitor.would_allow(&subject, &needs) {
                self.abort_stream(id, &subject, needs);
            }
        }
        Ok(())
    }

    /// The same need with the VM's assignment of this moment.
    fn renewed(&self, need: &Need) -> Need {
        let Object::Vm(vm) = &need.object else { return need.clone() };
        Need { right: need.right, object: self.gate.monitor.vm(vm.uuid, &vm.name) }
    }

    fn abort_stream(&mut self, id: CallId, subject: &Subject, needs: Vec<Need>) {
        let refusal = self.gate.monitor.judge(subject, "STREAM", needs).map(drop);
        let text =
            refusal.err().map_or_else(|| "the policy changed".to_owned(), |refusal| refusal.to_string());
        let record = "ended because it is not permitted any more";
        self.end_stream(id, record, &Fault::Failed(code::ACCESS_DENIED, text));
    }

    /// Ends a stream for want of room.
    pub(super) fn break_off(&mut self, id: CallId, why: &str) {
        if let Some(opening) = self.pending.get_mut(&id).filter(|opening| opening.procedure.stream.is_some())
        {
            opening.ended.get_or_insert_with(|| (Outcome::Failure, why.to_owned()));
            self.end_stream_upstream(id);
        }
        self.end_stream(id, why, &Fault::Failed(code::BUSY, why.to_owned()));
    }

    fn end_stream(&mut self, id: CallId, on_record: &str, for_client: &Fault) {
        let Some(streaming) = self.streams.remove(&id) else { return };
        streaming.attempt.finish(Outcome::Failure, on_record);
        let payload = for_client.payload();
        let to_client =
            frame::Frame { header: end_of_stream(id), descriptors: 0, payload: &payload }.encode();
        if let Ok(to_client) = to_client {
            self.link.client.send(to_client);
        }
        self.end_stream_upstream(id);
    }

    /// Tells libvirtd that a stream is of no use any more.
    pub(super) fn end_stream_upstream(&mut self, id: CallId) {
        let end = frame::Frame { header: end_of_stream(id), descriptors: 0, payload: &[] }.encode();
        if let (Ok(end), Some(upstream)) = (end, &mut self.link.upstream) {
            upstream.send(end);
        }
    }

    /// An event reaches the client if the subject may see its object now.
    fn event(&mut self, header: Header, frame: Frame) -> Result<(), End> {
        let subject = self.subject()?;
        let right = match header.program {
            frame::QEMU => Right::Administer,
            _ => Right::View,
        };
        let event = payload(&frame)?;
        let Some(object) = self.object_of_event(header, event) else { return Ok(()) };
        if self.gate.monitor.would_allow(&subject, &[Need { right, object }]) {
            self.link.client.send(frame);
        }
        Ok(())
    }
}

/// The VM that a call has brought about or touched; looking for one brings none about.
fn made_by(procedure: &Procedure, payload: &[u8]) -> Option<Uuid> {
    if !matches!(procedure.rule, Rule::Judged(_)) {
        return None;
    }
    let field = procedure.reply.first().filter(|field| field.layout.handle() == Some(HandleKind::Vm))?;
    let value = Value::decode(&field.layout, &mut Reader::new(payload), Strings::Lossy).ok()?;
    Some(Handle::from_value(HandleKind::Vm, &value)?.vm()?.uuid)
}

/// How a packet ends its stream, if it does, and in which words.
fn end_of(header: Header, frame: &Frame) -> Option<(Outcome, String)> {
    match (header.kind, header.status) {
        (MessageKind::Stream, Status::Ok) => Some((Outcome::Success, String::new())),
        (MessageKind::Stream, Status::Error) => {
            Some((Outcome::Failure, payload(frame).map(text_of).unwrap_or_default()))
        }
        _ => None,
    }
}

/// The header of a packet that ends a stream with an error.
fn end_of_stream(id: CallId) -> Header {
    let header = super::upstream::call_header(id.procedure, id.serial);
    Header { program: id.program, kind: MessageKind::Stream, status: Status::Error, ..header }
}

/// What follows the header of a frame.
pub(super) fn payload(frame: &Frame) -> Result<&[u8], End> {
    let parsed = frame::Frame::parse(&frame.bytes).map_err(|error| End::UpstreamGone(error.to_string()))?;
    Ok(parsed.payload)
}
