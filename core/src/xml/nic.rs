// SPDX-License-Identifier: Apache-2.0
//! The network interfaces of a VM.

use super::definition::Definition;
use super::device::link;
use super::link::Link;
use super::reach::Ports;

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Where it leads.
    pub link: Link,
    /// Whether others on the network reach it, where its own definition says so.
    pub ports: Option<Ports>,
}

/// The interfaces of a definition.
pub fn nics(definition: &Definition) -> Vec<Nic> {
    let interfaces = definition.devices().filter(|device| device.is("interface"));
    let nic = |interface: &super::element::Element| Nic {
        link: link(interface),
        ports: match interface.child("port").and_then(|port| port.attribute("isolated")) {
            Some("yes") => Some(Ports::Isolated),
            Some(_) => Some(Ports::Open),
            None => None,
        },
    };
    interfaces.map(nic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_read_with_their_ports() {
        let vm = "<domain><name>v</name><devices><disk/>\
                  <interface type='network'><source network='red'/><port isolated='yes'/></interface>\
                  <interface type='network'><source network='red'/><port isolated='no'/></interface>\
                  <interface type='user'/></devices></domain>";
        let read = nics(&Definition::parse(vm).unwrap());
        let ports: Vec<_> = read.iter().map(|nic| nic.ports).collect();
        assert_eq!(ports, [Some(Ports::Isolated), Some(Ports::Open), None]);
        assert_eq!(read[0].link, Link::Network("red".into()));
    }
}
