// SPDX-License-Identifier: Apache-2.0
//! libvirt's networks and who is plugged into them. Asked each time, not remembered.

use std::fmt;

use virtwarden_core::control::NetworkState;
use virtwarden_core::object::Uuid;
use virtwarden_core::policy::networks::Network;
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::nic::{Nic, nics};

use super::Libvirt;
use crate::gate::upstream::{Access, Upstream, UpstreamError};
use crate::networks::look;

const DOMAIN_GET_XML_DESC: u32 = 14;
const NETWORK_CREATE: u32 = 39;
const NETWORK_DEFINE_XML: u32 = 41;
const NETWORK_DESTROY: u32 = 42;
const NETWORK_SET_AUTOSTART: u32 = 48;
const NETWORK_UNDEFINE: u32 = 49;
/// As it runs, and as it is stored (`VIR_DOMAIN_XML_INACTIVE`).
const FORMS: [u32; 2] = [0, 2];
/// libvirt's own bound for a string.
const TEXT: u32 = 4 << 20;

/// A network and whether it is up.
pub type Present = (Network, NetworkState);

/// libvirt's networks, as far as the control socket needs them.
pub trait Fabric: Send + Sync + fmt::Debug {
    /// All networks.
    ///
    /// # Errors
    /// Why libvirt does not answer, for people.
    fn networks(&self, caller: &Subject) -> Result<Vec<Present>, String>;

    /// The interfaces of VMs, running and stored; none of one that is gone.
    ///
    /// # Errors
    /// Why libvirt does not answer, for people.
    fn nics(&self, caller: &Subject, vms: &[(Uuid, String)]) -> Result<Vec<(Uuid, Vec<Nic>)>, String>;

    /// Defines a network, starts it, and has it started with the host.
    ///
    /// # Errors
    /// What libvirt said. What was done until then is undone.
    fn make(&self, caller: &Subject, name: &str, uuid: Uuid, xml: &str) -> Result<(), String>;

    /// Stops a network, if it is up, and removes it.
    ///
    /// # Errors
    /// What libvirt said.
    fn remove(&self, caller: &Subject, network: (&str, Uuid), state: NetworkState) -> Result<(), String>;
}

impl Fabric for Libvirt {
    fn networks(&self, caller: &Subject) -> Result<Vec<Present>, String> {
        let look = || {
            let mut link = self.open(caller, Access::ReadOnly)?;
            let up = look::active(&mut link)?;
            let networks = look::networks(&mut link)?.into_iter();
            let state = |network: &Network| match network.uuid {
                Some(uuid) if up.contains(&uuid) => NetworkState::Up,
                Some(_) | None => NetworkState::Down,
            };
            Ok(networks.map(|network| (network.clone(), state(&network))).collect())
        };
        look().map_err(|error: UpstreamError| error.to_string())
    }

    fn nics(&self, caller: &Subject, vms: &[(Uuid, String)]) -> Result<Vec<(Uuid, Vec<Nic>)>, String> {
        let look = || {
            let mut link = self.open(caller, Access::ReadOnly)?;
            let nics = |(uuid, name): &(Uuid, String)| Ok((*uuid, nics_of(&mut link, name, *uuid)?));
            vms.iter().map(nics).collect::<Result<_, UpstreamError>>()
        };
        look().map_err(|error| error.to_string())
    }

    fn make(&self, caller: &Subject, name: &str, uuid: Uuid, xml: &str) -> Result<(), String> {
        let make = || {
            let mut link = self.open(caller, Access::Full)?;
            let mut arguments = Writer::with_capacity(1024);
            arguments.text(xml);
            link.call(NETWORK_DEFINE_XML, arguments)?;
            let mut autostart = handle(name, uuid);
            autostart.boolean(true);
            let begun = link
                .call(NETWORK_SET_AUTOSTART, autostart)
                .and_then(|_| link.call(NETWORK_CREATE, handle(name, uuid)));
            if begun.is_err() {
                let _undone = link.call(NETWORK_UNDEFINE, handle(name, uuid));
            }
            begun.map(drop)
        };
        make().map_err(|error: UpstreamError| error.to_string())
    }

    fn remove(
        &self,
        caller: &Subject,
        (name, uuid): (&str, Uuid),
        state: NetworkState,
    ) -> Result<(), String> {
        let remove = || {
            let mut link = self.open(caller, Access::Full)?;
            match state {
                NetworkState::Up => drop(link.call(NETWORK_DESTROY, handle(name, uuid))?),
                NetworkState::Down | NetworkState::Missing | NetworkState::Direct => {}
            }
            link.call(NETWORK_UNDEFINE, handle(name, uuid)).map(drop)
        };
        remove().map_err(|error: UpstreamError| error.to_string())
    }
}

/// A network's handle.
fn handle(name: &str, uuid: Uuid) -> Writer {
    let mut arguments = Writer::with_capacity(64);
    arguments.text(name);
    arguments.raw(&uuid.0);
    arguments
}

fn nics_of(link: &mut Upstream, name: &str, uuid: Uuid) -> Result<Vec<Nic>, UpstreamError> {
    let mut found = Vec::new();
    for form in FORMS {
        let mut arguments = handle(name, uuid);
        arguments.i32(-1);
        arguments.u32(form);
        let answer = match link.call(DOMAIN_GET_XML_DESC, arguments) {
            Err(UpstreamError::Refused(_)) => continue,
            answer => answer?,
        };
        let text = Reader::new(&answer).opaque(TEXT)?.to_vec();
        let definition =
            Definition::parse(text).map_err(|_| UpstreamError::Nonsense("the question what a VM is"))?;
        found.extend(nics(&definition).into_iter().filter(|nic| !found.contains(nic)).collect::<Vec<_>>());
    }
    Ok(found)
}
