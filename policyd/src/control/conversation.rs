// SPDX-License-Identifier: Apache-2.0
//! One client's requests and their answers, one after the other.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use virtwarden_core::authentication::{Absence, Authentication};
use virtwarden_core::control::{LineError, LineReader, Reply, Request, encode};
use virtwarden_core::object::Object;
use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::request::{Need, Right};

use super::failure::{denied, failed, unavailable, usage};
use super::{Control, Flow, Listener, Pending};
use crate::peer::Peer;

/// Answers a client until it leaves, says something that is no request, or takes too long.
pub(super) fn hold(stream: UnixStream, peer: &Peer, control: &Control) {
    let Ok(writer) = stream.try_clone() else { return };
    let mut voice = Voice { stream: writer };
    let mut lines = LineReader::new(stream);
    let mut pending = None;
    loop {
        let reply = match lines.receive::<Request>() {
            Ok(Some(request)) => answer(peer, &request, &mut pending, control, &mut voice),
            Ok(None) => return,
            Err(error) => return refuse(peer, &error, control, &mut voice),
        };
        if voice.take(reply) == Flow::Stop {
            return;
        }
    }
}

/// The account's groups are looked up for each request, so that a role withdrawn is gone at once.
fn answer(
    peer: &Peer,
    request: &Request,
    pending: &mut Pending,
    control: &Control,
    voice: &mut Voice,
) -> Reply {
    let now = Instant::now();
    match peer.subject(&control.accounts, control.monitor.sessions(), now) {
        Ok(subject) if subject.authentication == Authentication::Nobody(Absence::Idle) => {
            Reply::Failed(denied(format!("access denied: {}", Absence::Idle.advice())))
        }
        Ok(subject) => control.answer(&subject, request, pending, now, voice).unwrap_or_else(Reply::Failed),
        Err(error) => Reply::Failed(denied(format!("access denied: {error}"))),
    }
}

/// What cannot be understood is recorded as refused, and ends the conversation. A client that only
/// went away, or fell silent, asked for nothing.
fn refuse(peer: &Peer, error: &LineError, control: &Control, voice: &mut Voice) {
    match error {
        LineError::Io(_) => return,
        LineError::TooLong | LineError::Truncated | LineError::Version(_) | LineError::Malformed(_) => {}
    }
    if let Ok(subject) = peer.subject(&control.accounts, control.monitor.sessions(), Instant::now()) {
        let needs = vec![Need { right: Right::Administer, object: Object::Host }];
        let reason = Reason::Malformed(error.to_string());
        let _recorded = control.monitor.forbid(&subject, "control", reason, needs);
    }
    voice.take(Reply::Failed(usage(error.to_string())));
}

/// The way back to the client.
struct Voice {
    stream: UnixStream,
}

impl Listener for Voice {
    fn take(&mut self, reply: Reply) -> Flow {
        let line = encode(&reply).or_else(|error| encode(&Reply::Failed(failed(error.to_string()))));
        let line = line.or_else(|_| encode(&Reply::Failed(unavailable("the answer cannot be sent"))));
        match line.map(|line| self.stream.write_all(&line)) {
            Ok(Ok(())) => Flow::Continue,
            Ok(Err(_)) | Err(_) => Flow::Stop,
        }
    }

    /// A client that has closed its end reads as empty.
    fn wait(&mut self) -> Flow {
        let mut byte = [0];
        match recv(self.stream.as_raw_fd(), &mut byte, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN | Errno::EINTR) => Flow::Continue,
            Ok(0) | Err(_) => Flow::Stop,
            Ok(_) => Flow::Continue,
        }
    }
}
