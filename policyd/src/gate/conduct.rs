// SPDX-License-Identifier: Apache-2.0
//! One call from bytes to its outcome: checked, decoded, judged, recorded, and only then forwarded.

use std::os::fd::OwnedFd;
use std::time::SystemTime;

use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::request::Need;
use virtwarden_core::record::Outcome;
use virtwarden_core::rpc::arguments::Arguments;
use virtwarden_core::rpc::check::check;
use virtwarden_core::rpc::frame::{self, Header, MessageKind, Status, VERSION};
use virtwarden_core::rpc::procedure;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::subject::Subject;

use super::budget::Room;
use super::call::{Call, Course, Forward, Replaced};
use super::connection::Connection;
use super::end::End;
use super::fault::{Fault, code};
use super::pending::{CallId, Pending};
use super::question;
use super::visible::refused;
use super::wire::Frame;
use crate::belongings::Changing;
use crate::monitor::Attempt;

impl Connection {
    /// Takes a call as far as it gets.
    pub(super) fn take_call(&mut self, frame: Frame) -> Result<(), End> {
        let Frame { bytes, fds, room, missing: _ } = frame;
        let parsed = frame::Frame::parse(&bytes).map_err(|error| End::ClientBroke(error.to_string()))?;
        let header = parsed.header;
        match self.conduct(&parsed, &bytes, fds, room) {
            Ok(None) => Ok(()),
            Ok(Some(answer)) => self.reply(header, Status::Ok, &answer),
            Err(Fault::End(end)) => Err(end),
            Err(fault) => self.reply(header, Status::Error, &fault.payload()),
        }
    }

    /// The gate's answer; none if libvirtd will answer.
    fn conduct(
        &mut self,
        frame: &frame::Frame<'_>,
        bytes: &[u8],
        fds: Vec<OwnedFd>,
        room: Option<Room>,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let call = self.understand(frame)?;
        let forward = match self.course(&call)? {
            Course::Answer(payload) => return Ok(Some(payload)),
            Course::Forward(forward) => forward,
        };
        let attempt = self.begin(&call, &forward)?;
        if self.is_rehearsed(&call) {
            attempt.finish(Outcome::Success, "dry run");
            return Ok(Some(Vec::new()));
        }
        let bytes = rewrite(&call, frame, bytes, forward.replaced)?;
        let attempt = self.prepare(attempt, forward.first)?;
        let (chore, media, turn, subject) =
            (forward.chore, forward.media, forward.turn, call.subject.clone());
        // What only reads is not recorded.
        let named = call.arguments.handle().and_then(|handle| handle.vm()).filter(|_| attempt.is_recorded());
        let changing = named.map(|vm| Changing::begin(self.gate.monitor.belongings(), vm.uuid));
        let Some(upstream) = &mut self.link.upstream else {
            return Err(Fault::Failed(code::INTERNAL, "the connection is not open".to_owned()));
        };
        upstream.send(Frame { bytes, fds, room, missing: None });
        let procedure = call.procedure;
        let pending =
            Pending { procedure, subject, attempt, chore, media, turn, _changing: changing, ended: None };
        self.pending.insert(CallId::of(frame.header), pending);
        Ok(None)
    }

    /// Gives the VM the definition that the call needs it to have. If libvirtd does not take it, the call ends there.
    fn prepare(&mut self, attempt: Attempt, first: Option<Box<str>>) -> Result<Attempt, Fault> {
        let Some(definition) = first else { return Ok(attempt) };
        match self.ask(question::DOMAIN_DEFINE_XML, &[Value::Text(String::from(definition).into())]) {
            Ok(_) => Ok(attempt),
            Err(fault) => {
                attempt.finish(Outcome::Failure, "libvirtd did not take the completed definition");
                Err(fault)
            }
        }
    }

    /// Decides and records; what is hidden is answered like what does not exist.
    fn begin(&self, call: &Call<'_>, forward: &Forward) -> Result<Attempt, Fault> {
        let (operation, needs) = (call.procedure.name, forward.needs.clone());
        let judged = self.gate.monitor.judge_in_detail(&call.subject, operation, &forward.detail, needs);
        let attempt = judged.map_err(|refusal| refused(call, refusal))?;
        if attempt.is_recorded() {
            self.gate.monitor.sessions().touch(call.subject.login.as_ref(), SystemTime::now());
        }
        Ok(attempt)
    }

    /// Checks and decodes a call; what is not understood is refused and recorded.
    fn understand<'a>(&mut self, frame: &frame::Frame<'a>) -> Result<Call<'a>, Fault> {
        let subject = self.subject()?;
        let header = frame.header;
        let procedure =
            procedure::find(header.program, header.procedure).filter(|_| header.version == VERSION);
        let Some(procedure) = procedure else {
            let name = format!("program {:#x} procedure {}", header.program, header.procedure);
            let _recorded = self.malformed(&subject, &name, "the procedure is unknown");
            // Clients know libvirt's own answer and fall back on it.
            return Err(Fault::Failed(code::RPC, format!("unknown procedure: {}", header.procedure)));
        };
        let refuse = |connection: &Self, why: &str| Err(connection.malformed(&subject, procedure.name, why));
        if self.is_in_use(CallId::of(header)) {
            return refuse(self, "a call with this serial is under way");
        }
        let takes = header.kind == MessageKind::CallWithFds || frame.descriptors == 0;
        if !takes || !procedure.descriptors.call.allows(frame.descriptors) {
            return refuse(self, "the number of file descriptors is wrong");
        }
        let arguments = match Arguments::decode(procedure, frame.payload) {
            Ok(arguments) => arguments,
            Err(error) => return refuse(self, &error.to_string()),
        };
        if procedure.unknown_flags(&arguments) != 0 {
            return refuse(self, &format!("flags {:#x} are unknown", procedure.unknown_flags(&arguments)));
        }
        if let Err(error) = check(procedure, &arguments) {
            return refuse(self, &error.to_string());
        }
        Ok(Call { procedure, arguments, subject })
    }

    /// A refusal of what cannot be understood.
    pub(super) fn malformed(&self, subject: &Subject, operation: &str, why: &str) -> Fault {
        let reason = Reason::Malformed(why.to_owned());
        self.gate.monitor.forbid(subject, operation, reason, Vec::new()).into()
    }

    /// A refusal by a rule that binds everybody.
    pub(super) fn forbidden(&self, call: &Call<'_>, why: &str, needs: Vec<Need>) -> Fault {
        let reason = Reason::Forbidden(why.to_owned());
        refused(call, self.gate.monitor.forbid(&call.subject, call.procedure.name, reason, needs))
    }

    /// Sends an answer of ours.
    pub(super) fn reply(&mut self, header: Header, status: Status, payload: &[u8]) -> Result<(), End> {
        let frame = frame::Frame { header: header.reply(status), descriptors: 0, payload }.encode();
        self.link.client.send(frame.map_err(|error| End::ClientBroke(error.to_string()))?);
        Ok(())
    }
}

/// The frame that libvirtd gets: the client's own bytes, which are the only spelling of what was judged,
/// or our spelling of what replaces them.
fn rewrite(
    call: &Call<'_>,
    frame: &frame::Frame<'_>,
    bytes: &[u8],
    replaced: Replaced,
) -> Result<Vec<u8>, Fault> {
    if replaced.is_empty() {
        return Ok(bytes.to_vec());
    }
    let misfit = |_| Fault::Failed(code::INTERNAL, format!("cannot rewrite {}", call.procedure.name));
    let mut arguments = call.arguments.clone();
    for (name, value) in replaced {
        arguments.replace(name, value).map_err(misfit)?;
    }
    let payload = arguments.encode().map_err(misfit)?;
    frame::Frame { payload: &payload, ..*frame }
        .encode()
        .map_err(|error| Fault::Failed(code::RPC, error.to_string()))
}
