// SPDX-License-Identifier: Apache-2.0
//! What a call needs that its name alone does not tell: judged by its arguments and by what they change.

pub mod media;

use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::rule::Judge;

use super::call::{Call, Forward};
use super::connection::Connection;
use super::fault::Fault;

impl Connection {
    /// Judges a call by what it carries.
    pub(super) fn judge(&mut self, call: &Call<'_>, _judge: Judge) -> Result<Forward, Fault> {
        let (object, replaced) = self.object_of(call, &[Right::Administer])?;
        Ok(Forward { replaced, ..Forward::from(vec![Need { right: Right::Administer, object }]) })
    }
}
