// SPDX-License-Identifier: Apache-2.0
//! A way through the gate for policyd itself, on somebody's behalf: what it asks there is judged, recorded and done as
//! if he had come with a client of his own.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use virtwarden_core::control::Mode;
use virtwarden_core::object::Vm;
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;

use super::call::Call;
use super::connection::Connection;
use super::upstream::{Upstream, UpstreamError};
use super::{Gate, STACK, TurnedAway};
use crate::peer::Peer;

/// What policyd is about on somebody's behalf.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The VM that is about to be made, with what it will belong to: its UUID is ours, so nobody else's can be meant.
    pub newcomer: Vm,
    /// Whether it is made, or only judged.
    pub mode: Mode,
}

impl Gate {
    /// A link through the gate on behalf of a caller, who is the one that the kernel named when he came in.
    ///
    /// # Errors
    /// There is no room, or libvirtd does not answer.
    pub fn pass(self: &Arc<Self>, caller: &Subject, errand: Errand) -> Result<Upstream, UpstreamError> {
        let (ours, theirs) = UnixStream::pair().map_err(UpstreamError::Unreachable)?;
        let peer = Peer {
            uid: caller.account.uid,
            process: caller.process,
            login: caller.login.clone(),
            door: caller.door,
        };
        let (gate, uri) = (self.clone(), self.place.uri.clone());
        let serve = move || gate.run_errand(theirs, &peer, errand);
        let thread = thread::Builder::new().name("errand".to_owned()).stack_size(STACK);
        thread.spawn(serve).map_err(UpstreamError::Unreachable)?;
        Upstream::over(ours, &uri)
    }

    fn run_errand(self: &Arc<Self>, socket: UnixStream, peer: &Peer, errand: Errand) {
        match self.serve_peer(socket, peer, Some(errand)) {
            Ok(_) => {}
            Err(away @ (TurnedAway::Full(_) | TurnedAway::Peer(_) | TurnedAway::Io(_))) => {
                eprintln!("virtwarden-policyd: an errand came to nothing: {away}");
            }
        }
    }
}

impl Connection {
    /// The VM that this errand makes, if the definition is its.
    pub(super) fn newcomer(&self, definition: &Definition) -> Option<&Vm> {
        let newcomer = self.errand.as_ref().map(|errand| &errand.newcomer)?;
        (definition.uuid() == Some(newcomer.uuid) && definition.name() == newcomer.name).then_some(newcomer)
    }

    /// Whether a call is only to be judged: what looks on goes on all the same.
    pub(super) fn is_rehearsed(&self, call: &Call<'_>) -> bool {
        let rehearsal = self.errand.as_ref().is_some_and(|errand| errand.mode == Mode::DryRun);
        rehearsal && matches!(call.procedure.rule, Rule::Judged(_))
    }
}
