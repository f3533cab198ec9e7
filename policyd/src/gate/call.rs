// SPDX-License-Identifier: Apache-2.0
//! One call from bytes to its outcome: checked, decoded, judged, recorded, and only then forwarded.

use std::sync::Arc;
use std::time::SystemTime;

use virtwarden_core::object::Object;
use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::record::Outcome;
use virtwarden_core::rpc::arguments::Arguments;
use virtwarden_core::rpc::check::check;
use virtwarden_core::rpc::frame::{self, Header, MessageKind, Status, VERSION};
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::subject::Subject;

use super::budget::Room;
use super::connection::{Connection, Stage};
use super::end::End;
use super::fault::{Fault, code};
use super::moving::Moves;
use super::pending::{CallId, Chore, Pending};
use super::question;
use super::turns::Turn;
use super::visible::refused;
use super::wire::Frame;
use crate::belongings::Changing;
use crate::monitor::Attempt;

/// A call that was understood.
pub(super) struct Call<'a> {
    pub(super) procedure: &'static Procedure,
    pub(super) arguments: Arguments<'a>,
    pub(super) subject: Arc<Subject>,
}

/// Arguments that go out otherwise than they came.
pub(super) type Replaced = Vec<(&'static str, Value<'static>)>;

/// What becomes of a call that may go on.
pub(super) enum Course {
    /// We answer it, with this payload.
    Answer(Vec<u8>),
    /// libvirtd answers it, if these needs are met.
    Forward(Forward),
}

/// A call for libvirtd.
pub(super) struct Forward {
    /// What it needs.
    pub(super) needs: Vec<Need>,
    /// What is attempted, for the record; never a secret.
    pub(super) detail: String,
    /// Arguments that go out otherwise than they came.
    pub(super) replaced: Replaced,
    /// The definition that the VM gets first, once the attempt is on record.
    pub(super) first: Option<Box<str>>,
    /// What follows from a good answer.
    pub(super) chore: Option<Chore>,
    /// Media that come and go if the answer is good.
    pub(super) media: Moves,
    /// The turn on the VM that was judged.
    pub(super) turn: Option<Turn>,
}

impl From<Vec<Need>> for Forward {
    fn from(needs: Vec<Need>) -> Self {
        Self {
            needs,
            detail: String::new(),
            replaced: Vec::new(),
            first: None,
            chore: None,
            media: Moves::default(),
            turn: None,
        }
    }
}

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
        fds: Vec<std::os::fd::OwnedFd>,
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

    /// What becomes of a call, by the rule of its procedure.
    fn course(&mut self, call: &Call<'_>) -> Result<Course, Fault> {
        let rule = call.procedure.rule;
        if !matches!(rule, Rule::Own(_)) && self.stage != Stage::Open {
            return Err(Fault::Failed(code::INTERNAL, "hypervisor connection not open".to_owned()));
        }
        self.insist_on_keeping(call)?;
        let forward = match rule {
            Rule::Own(own) => return self.answer(call, own),
            Rule::Needs { .. } => self.plain(call)?,
            Rule::Describe { secret_flags } => self.describe(call, secret_flags)?,
            Rule::List(listed) => return self.list(call, listed),
            Rule::Recast(recast) => return self.recast(call, recast),
            Rule::Lookup(kind) => return self.look_up(call, kind),
            Rule::Judged(judge) => self.judge(call, judge)?,
            Rule::Register { right, .. } => self.register(call, right)?,
            Rule::Deregister => Forward::from(vec![on_host(Right::View)]),
            Rule::Event(_) | Rule::Closed => {
                return Err(self.malformed(&call.subject, call.procedure.name, "events are not for calling"));
            }
            Rule::Refused(why) => return Err(self.forbidden(call, why, Vec::new())),
        };
        Ok(Course::Forward(Self::with_right_to_administer(forward)))
    }

    /// Rights that are fixed, on the object of the call.
    fn plain(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let rights = call.procedure.rights(&call.arguments);
        let (object, replaced) = self.object_of(call, &rights)?;
        let needs: Vec<_> = rights.into_iter().map(|right| Need { right, object: object.clone() }).collect();
        self.insist_on_free_name(call, &needs)?;
        let turn =
            if let Object::Vm(vm) = &object { self.insist_on_resized_quota(call, vm, &needs)? } else { None };
        Ok(Forward { replaced, turn, chore: chore(call, &object), ..Forward::from(needs) })
    }

    /// A definition to look at; without its secrets for who may not see those.
    fn describe(&mut self, call: &Call<'_>, secret_flags: u32) -> Result<Forward, Fault> {
        let (object, mut replaced) = self.object_of(call, &[Right::View])?;
        let secrets = Need { right: Right::Administer, object: object.clone() };
        if call.arguments.flags() & u64::from(secret_flags) != 0 && !self.may(call, &[secrets]) {
            let flags = call.arguments.number("flags").unwrap_or_default() & !secret_flags;
            replaced.push(("flags", Value::Unsigned(flags)));
        }
        let mut needs = vec![Need { right: Right::View, object: object.clone() }];
        needs.extend(
            call.procedure
                .rights(&call.arguments)
                .into_iter()
                .map(|right| Need { right, object: object.clone() }),
        );
        Ok(Forward { replaced, ..Forward::from(needs) })
    }

    /// Events of one object, or of all that the subject sees.
    fn register(&mut self, call: &Call<'_>, right: Right) -> Result<Forward, Fault> {
        let object = match call.arguments.handle() {
            Some(_) => self.object_of(call, &[right])?.0,
            None => Object::Host,
        };
        Ok(Forward::from(vec![Need { right, object }]))
    }

    /// Whether the policy would say yes. Decides nothing and records nothing.
    pub(super) fn may(&self, call: &Call<'_>, needs: &[Need]) -> bool {
        self.gate.monitor.would_allow(&call.subject, needs)
    }

    /// Sends an answer of ours.
    pub(super) fn reply(&mut self, header: Header, status: Status, payload: &[u8]) -> Result<(), End> {
        let frame = frame::Frame { header: header.reply(status), descriptors: 0, payload }.encode();
        self.link.client.send(frame.map_err(|error| End::ClientBroke(error.to_string()))?);
        Ok(())
    }
}

/// A need on the host as a whole.
pub(super) const fn on_host(right: Right) -> Need {
    Need { right, object: Object::Host }
}

/// What follows from a good answer to a call whose rights are fixed.
fn chore(call: &Call<'_>, object: &Object) -> Option<Chore> {
    let Object::Vm(vm) = object else { return None };
    match (call.procedure.name, call.arguments.text("new_name")) {
        ("DOMAIN_UNDEFINE" | "DOMAIN_UNDEFINE_FLAGS" | "DOMAIN_DESTROY" | "DOMAIN_DESTROY_FLAGS", _) => {
            Some(Chore::Bury(vm.uuid))
        }
        ("DOMAIN_RENAME", Some(name)) => Some(Chore::Rename(vm.uuid, name.to_owned())),
        _ => None,
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
