// SPDX-License-Identifier: Apache-2.0
//! Which networks there are at this moment, and that those of different information domains stay apart.

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::networks::{Network, Networks};
use virtwarden_core::policy::request::Need;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::facts::Link;
use virtwarden_core::xml::network::NetworkDefinition;
use virtwarden_core::xml::reach::Reach;

use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};

const CONNECT_LIST_ALL_NETWORKS: u32 = 283;
const NETWORK_GET_XML_DESC: u32 = 43;
/// As it is while it is up, and as it is stored (`VIR_NETWORK_XML_INACTIVE`).
const FORMS: [u32; 2] = [0, 1];

impl Connection {
    /// The networks of the host, where what the policy says of a VM's links depends on them.
    pub(super) fn networks_of(&mut self, links: &[Link]) -> Result<Networks, Fault> {
        if !self.has_information_domains() || links.iter().all(|link| self.is_settled(link)) {
            return Ok(Networks::default());
        }
        self.networks()
    }

    /// Refuses a network that would meet one of another information domain.
    pub(super) fn insist_on_apartness(
        &mut self,
        call: &Call<'_>,
        (name, uuid): (&str, Option<Uuid>),
        reaches: &[Reach],
        needed: &[Need],
    ) -> Result<(), Fault> {
        if !self.has_information_domains() {
            return Ok(());
        }
        let networks = self.networks()?;
        let membership = uuid.and_then(|uuid| self.gate.monitor.networks().membership(uuid));
        let assigned = membership.map(|membership| membership.information_domain);
        let proposed = Network { name: name.to_owned(), uuid, assigned, reaches: reaches.to_vec() };
        self.insist_on_apartness_among(call, &proposed, &networks, needed)
    }

    /// The same for a network that is there, or for what becomes of it.
    pub(super) fn insist_on_apartness_of(
        &mut self,
        call: &Call<'_>,
        object: &Object,
        becomes: impl Fn(Reach) -> Reach,
        needed: &[Need],
    ) -> Result<(), Fault> {
        let Object::Network(name) = object else { return Ok(()) };
        if !self.has_information_domains() {
            return Ok(());
        }
        let networks = self.networks()?;
        // One that is gone meanwhile cannot be changed.
        let Some(present) = networks.named(name) else { return Ok(()) };
        let reaches = present.reaches.iter().cloned().map(becomes).collect();
        let proposed = Network { reaches, ..present.clone() };
        self.insist_on_apartness_among(call, &proposed, &networks, needed)
    }

    fn insist_on_apartness_among(
        &self,
        call: &Call<'_>,
        proposed: &Network,
        networks: &Networks,
        needed: &[Need],
    ) -> Result<(), Fault> {
        let policy = self.gate.monitor.policy();
        let violation = policy.policy.check_network(proposed, networks).err();
        violation
            .map_or(Ok(()), |violation| Err(self.forbidden(call, &violation.to_string(), needed.to_vec())))
    }

    /// Whether any network can be an information domain's.
    fn has_information_domains(&self) -> bool {
        let monitor = &self.gate.monitor;
        monitor.policy().policy.information_domains().next().is_some() || monitor.networks().has_members()
    }

    /// Whether the policy names whose the link's network is.
    fn is_settled(&self, link: &Link) -> bool {
        match link {
            Link::Network(name) => {
                self.gate.monitor.policy().policy.claim(name, &Networks::default()).is_some()
            }
            Link::Past { .. } => false,
        }
    }

    /// Every network, by libvirtd's word of this moment.
    fn networks(&mut self) -> Result<Networks, Fault> {
        let answer = self.ask(CONNECT_LIST_ALL_NETWORKS, &[Value::Boolean(true), Value::Unsigned(0)])?;
        let values = answer.values()?;
        let listed = values.first().map(Value::parts).unwrap_or_default();
        let found = listed.iter().filter_map(|value| {
            let Some(Handle::Network(network)) = Handle::from_value(HandleKind::Network, value) else {
                return None;
            };
            Some((network.name.to_owned(), network.uuid))
        });
        let found: Vec<_> = found.collect();
        let mut networks = Vec::with_capacity(found.len());
        for (name, uuid) in found {
            let reaches = self.reaches(&name, uuid)?;
            networks.push(Network { name, uuid: Some(uuid), assigned: None, reaches });
        }
        Ok(self.gate.monitor.networks().complete(networks))
    }

    fn reaches(&mut self, name: &str, uuid: Uuid) -> Result<Vec<Reach>, Fault> {
        let mut reaches = Vec::new();
        for form in FORMS {
            let handle = Value::Record(vec![Value::Text(name.to_owned().into()), Value::Uuid(uuid)]);
            let text = match self.ask(NETWORK_GET_XML_DESC, &[handle, Value::Unsigned(form)]) {
                Ok(answer) => answer.text("xml")?,
                // It is gone meanwhile.
                Err(Fault::Theirs(_)) => continue,
                Err(fault) => return Err(fault),
            };
            let definition = NetworkDefinition::parse(text).map_err(|error| {
                let why = format!("access denied: network `{name}` is not understood: {error}");
                Fault::Failed(code::ACCESS_DENIED, why)
            })?;
            let reach = Reach::of(&definition);
            if !reaches.contains(&reach) {
                reaches.push(reach);
            }
        }
        Ok(reaches)
    }
}
