// SPDX-License-Identifier: Apache-2.0
//! A call that was understood, and what becomes of one.

use std::sync::Arc;

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::arguments::Arguments;
use virtwarden_core::rpc::procedure::Procedure;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::subject::Subject;

use super::moving::Moves;
use super::pending::Chore;
use super::turns::Turn;

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

/// A need on the host as a whole.
pub(super) const fn on_host(right: Right) -> Need {
    Need { right, object: Object::Host }
}
