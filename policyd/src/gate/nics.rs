// SPDX-License-Identifier: Apache-2.0
//! Leases, network ports and filter bindings tell of VMs by an address, a UUID or a device. Which of them are
//! the subject's own, by the present definitions of the VMs that he sees.
//!
//! Whoever may configure a VM's interfaces (Table 3, 5) chooses its address, and so could see the lease of
//! another VM with that address on the same network.

use std::collections::HashSet;

use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::frame;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::procedure;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::strict;

use super::call::{Call, Course};
use super::connection::Connection;
use super::fault::Fault;
use super::listed::{Key, elements, list_again};
use super::question;
use super::visible::{hidden, nonsense};

const NETWORK_GET_DHCP_LEASES: u32 = 341;

/// What the interfaces of VMs are known by elsewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Nics {
    /// Networks, each with an address in lower case.
    addresses: HashSet<(String, String)>,
    /// Network ports, of VMs that run.
    ports: HashSet<Uuid>,
    /// Devices of the host, of VMs that run.
    devices: HashSet<String>,
}

impl Nics {
    /// Whether a port or a binding is one of these. Handles of other kinds are none of them.
    pub(super) fn have(&self, handle: &Handle<'_>) -> bool {
        match handle {
            Handle::Port(_, port) => self.ports.contains(port),
            Handle::Binding(device) => self.devices.contains(*device),
            Handle::Vm(_)
            | Handle::Snapshot(..)
            | Handle::Checkpoint(..)
            | Handle::Network(_)
            | Handle::Filter(_)
            | Handle::Interface(_)
            | Handle::Pool(_)
            | Handle::Volume { .. }
            | Handle::Device(_)
            | Handle::Secret(_) => false,
        }
    }

    /// Whether a lease of a network is to one of these. A lease that names no address is nobody's.
    fn lease(&self, network: &str, lease: &Value<'_>) -> bool {
        let address = lease.parts().get(LEASE_ADDRESS).and_then(Value::as_text);
        address.is_some_and(|address| {
            self.addresses.contains(&(network.to_owned(), address.to_ascii_lowercase()))
        })
    }

    fn add(&mut self, vm: &Element) {
        let runs = vm.attribute("id").is_some();
        let Some(devices) = vm.child("devices") else { return };
        for interface in devices.all("interface") {
            let attribute = |part: &str, name: &str| interface.child(part)?.attribute(name);
            if let (Some(network), Some(mac)) = (attribute("source", "network"), attribute("mac", "address"))
            {
                self.addresses.insert((network.to_owned(), mac.to_ascii_lowercase()));
            }
            if runs {
                self.ports.extend(attribute("source", "portid").and_then(Uuid::parse));
                self.devices.extend(attribute("target", "dev").map(ToOwned::to_owned));
            }
        }
    }
}

/// The place of the address in a lease.
const LEASE_ADDRESS: usize = 3;

impl Connection {
    /// The leases of a network that were given to the subject's own VMs.
    pub(super) fn leases(&mut self, call: &Call<'_>) -> Result<Course, Fault> {
        let (network, replaced) = self.object_of_named(call)?;
        let Object::Network(network) = network else { return Err(nonsense()) };
        let mut arguments = call.arguments.clone();
        for (name, value) in replaced.into_iter().chain([("need_results", Value::Boolean(true))]) {
            arguments.replace(name, value).map_err(|_| nonsense())?;
        }
        let procedure = procedure::find(frame::REMOTE, NETWORK_GET_DHCP_LEASES).ok_or_else(nonsense)?;
        let answer = self.ask_as(call, procedure, &arguments.encode().map_err(|_| nonsense())?)?;
        let nics = self.own_nics(call)?;
        let own = |lease: &Value<'_>| nics.lease(&network, lease);
        let shown = elements(procedure.reply, answer.payload(), Key::Whole, own).map_err(|_| nonsense())?;
        let results = call.arguments.value("need_results") != Some(&Value::Boolean(false));
        Ok(Course::Answer(list_again(procedure, &shown, results)))
    }

    /// The interfaces of all VMs that the subject sees.
    pub(super) fn own_nics(&mut self, call: &Call<'_>) -> Result<Nics, Fault> {
        let mut nics = Nics::default();
        for vm in self.visible_vms(call) {
            match self.ask(question::DOMAIN_GET_XML_DESC, &[vm, Value::Unsigned(0)]) {
                Ok(answer) => {
                    if let Ok(vm) = strict::parse(answer.text("xml")?) {
                        nics.add(&vm);
                    }
                }
                // It is gone meanwhile.
                Err(Fault::Theirs(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(nics)
    }

    /// What sight of something found takes. A port or binding of a VM that the subject does not see is as if
    /// there were none; one of his own takes the network besides, where it has one.
    pub(super) fn sight_of(&mut self, call: &Call<'_>, handle: &Handle<'_>) -> Result<Need, Fault> {
        let of_nic = match handle {
            Handle::Port(network, _) => Object::Network(network.name.to_owned()),
            Handle::Binding(_) => Object::Host,
            Handle::Vm(_)
            | Handle::Snapshot(..)
            | Handle::Checkpoint(..)
            | Handle::Network(_)
            | Handle::Filter(_)
            | Handle::Interface(_)
            | Handle::Pool(_)
            | Handle::Volume { .. }
            | Handle::Device(_)
            | Handle::Secret(_) => return Ok(Need { right: Right::View, object: self.object_in(handle) }),
        };
        if !self.own_nics(call)?.have(handle) {
            return Err(hidden(call));
        }
        Ok(Need { right: Right::View, object: of_nic })
    }
}

/// Whether what a handle of this kind names is a VM's interface as the host sees it.
pub(super) const fn is_of_nic(kind: HandleKind) -> bool {
    matches!(kind, HandleKind::Port | HandleKind::Binding)
}

#[cfg(test)]
mod tests {
    use virtwarden_core::rpc::handle::Named;

    use super::*;

    const PORT: Uuid = Uuid([7; 16]);

    fn nics(id: &str) -> Nics {
        let nic = format!(
            "<interface type='network'><mac address='52:54:00:AA:00:01'/>\
             <source network='red' portid='{PORT}'/><target dev='vnet3'/></interface>"
        );
        let xml = format!("<domain type='kvm'{id}><name>bobvm</name><devices>{nic}</devices></domain>");
        let mut nics = Nics::default();
        nics.add(&strict::parse(xml).unwrap());
        nics
    }

    fn lease(mac: Value<'static>) -> Value<'static> {
        let text = |text: &'static str| Value::Text(text.into());
        Value::Record(vec![text("vw-red"), Value::Hyper(1), Value::Int(0), mac, Value::Absent])
    }

    #[test]
    fn a_lease_is_of_this_address_on_this_network() {
        let mac = |mac: &'static str| lease(Value::Text(mac.into()));
        assert!(nics("").lease("red", &mac("52:54:00:aa:00:01")));
        assert!(!nics("").lease("blue", &mac("52:54:00:aa:00:01")));
        assert!(!nics("").lease("red", &mac("52:54:00:aa:00:02")));
        assert!(!nics("").lease("red", &lease(Value::Absent)));
    }

    #[test]
    fn a_vm_that_does_not_run_has_no_port_and_no_device() {
        let network = Named { uuid: Uuid([3; 16]), name: "red" };
        for (id, expected) in [(" id='4'", true), ("", false)] {
            assert_eq!(nics(id).have(&Handle::Port(network, PORT)), expected);
            assert_eq!(nics(id).have(&Handle::Binding("vnet3")), expected);
            assert!(!nics(id).have(&Handle::Binding("vnet4")));
            assert!(!nics(id).have(&Handle::Network(network)));
        }
    }
}
