// SPDX-License-Identifier: Apache-2.0
//! Messages for which there was no room: whoever waits for one hears why, and the connection goes on.

use virtwarden_core::rpc::frame::{self, Header, MessageKind, Status};
use virtwarden_core::rpc::procedure;

use super::budget::no_room;
use super::connection::Connection;
use super::end::End;
use super::fault::{Fault, code};
use super::pending::CallId;
use super::wire::Frame;

impl Connection {
    /// A call is answered, a stream ends; either is on record.
    pub(super) fn pass_over_from_client(&mut self, header: Header, length: usize) -> Result<(), End> {
        let subject = self.subject()?;
        let name = procedure::find(header.program, header.procedure).map_or("MESSAGE", |found| found.name);
        self.gate.monitor.turn_away(&subject, name, &no_room(length));
        match header.kind {
            MessageKind::Call | MessageKind::CallWithFds => {
                self.reply(header, Status::Error, &busy(length).payload())
            }
            MessageKind::Stream | MessageKind::StreamHole => {
                self.break_off(CallId::of(header), &no_room(length));
                Ok(())
            }
            MessageKind::Message | MessageKind::Reply | MessageKind::ReplyWithFds => Ok(()),
        }
    }

    /// What the client gets instead of libvirtd's message; nothing for an event. A call that libvirtd has
    /// carried out is a failure for the client and in the record, as it would be for one who hung up.
    pub(super) fn pass_over_from_upstream(&mut self, header: Header, length: usize) -> Option<Frame> {
        match header.kind {
            MessageKind::Reply | MessageKind::ReplyWithFds => {
                let header = Header { kind: MessageKind::Reply, status: Status::Error, ..header };
                let payload = busy(length).payload();
                frame::Frame { header, descriptors: 0, payload: &payload }.encode().ok().map(Frame::from)
            }
            MessageKind::Stream | MessageKind::StreamHole => {
                self.break_off(CallId::of(header), &no_room(length));
                None
            }
            MessageKind::Message | MessageKind::Call | MessageKind::CallWithFds => None,
        }
    }
}

fn busy(length: usize) -> Fault {
    Fault::Failed(code::BUSY, no_room(length))
}
