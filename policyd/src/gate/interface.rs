// SPDX-License-Identifier: Apache-2.0
//! Interfaces of the host: a handle is looked up before it is used.
//!
//! Such a handle is but a name that a client may have kept or made up. Only a name that libvirtd itself finds
//! goes any further.

use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::error::leads_nowhere;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;

use super::call::Call;
use super::connection::Connection;
use super::fault::Fault;
use super::question;

impl Connection {
    /// Refuses a handle of an interface that libvirtd does not find. Who may not see interfaces is refused
    /// by the decision that follows, in the same words.
    pub(super) fn insist_on_interface(&mut self, call: &Call<'_>, handle: &Handle<'_>) -> Result<(), Fault> {
        let Handle::Interface(name) = handle else { return Ok(()) };
        let sight = Need { right: Right::View, object: self.object_in(handle) };
        if !self.may(call, &[sight]) || self.finds_interface(name)? {
            return Ok(());
        }
        Err(Fault::Theirs(leads_nowhere(handle).encode()))
    }

    fn finds_interface(&mut self, name: &str) -> Result<bool, Fault> {
        let answer =
            match self.ask(question::INTERFACE_LOOKUP_BY_NAME, &[Value::Text(name.to_owned().into())]) {
                Err(Fault::Theirs(_)) => return Ok(false),
                other => other?,
            };
        let values = answer.values()?;
        let found = values.first().and_then(|value| Handle::from_value(HandleKind::Interface, value));
        Ok(matches!(found, Some(Handle::Interface(found)) if found == name))
    }
}
