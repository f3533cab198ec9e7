// SPDX-License-Identifier: Apache-2.0
//! Calls that libvirtd has and streams that flow: each with the permit it runs under.

use std::sync::Arc;

use virtwarden_core::object::Uuid;
use virtwarden_core::record::Outcome;
use virtwarden_core::rpc::frame::Header;
use virtwarden_core::rpc::procedure::Procedure;
use virtwarden_core::subject::Subject;

use super::moving::Moves;
use super::turns::Turn;
use crate::belongings::Changing;
use crate::monitor::Attempt;

/// What a reply or a stream packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CallId {
    pub(super) program: u32,
    pub(super) procedure: u32,
    pub(super) serial: u32,
}

impl CallId {
    pub(super) const fn of(header: Header) -> Self {
        Self { program: header.program, procedure: header.procedure, serial: header.serial }
    }
}

/// A call that libvirtd has not answered.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) procedure: &'static Procedure,
    pub(super) subject: Arc<Subject>,
    pub(super) attempt: Attempt,
    /// What follows from a good answer.
    pub(super) chore: Option<Chore>,
    /// Media that come and go with a good answer; until it is there, nobody else gets them.
    pub(super) media: Moves,
    /// Kept until the answer is there, so that nobody changes what was judged.
    pub(super) turn: Option<Turn>,
    /// What is kept of the VM is dropped when it is over.
    pub(super) _changing: Option<Changing>,
    /// How its stream ended and in which words, where that came before the answer.
    pub(super) ended: Option<(Outcome, String)>,
}

/// Something of our own that follows an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chore {
    /// The VM in the reply is new and belongs to whoever made it.
    Adopt,
    /// The VM may be gone; then nobody may inherit it.
    Bury(Uuid),
    /// The VM is there again, out of a saved state.
    Restore(Uuid),
    /// The VM has a new name.
    Rename(Uuid, String),
}

/// A stream between client and libvirtd.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) attempt: Attempt,
}
