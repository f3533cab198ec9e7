// SPDX-License-Identifier: Apache-2.0
//! The kinds of handles, by the structures of the protocol that are one.

/// What kind of handle it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HandleKind {
    /// A VM.
    Vm,
    /// A snapshot of a VM.
    Snapshot,
    /// A checkpoint of a VM.
    Checkpoint,
    /// A virtual network.
    Network,
    /// A port of a virtual network.
    Port,
    /// A network filter.
    Filter,
    /// What binds a filter to a port of a VM.
    Binding,
    /// A network interface of the host.
    Interface,
    /// A storage pool.
    Pool,
    /// A volume.
    Volume,
    /// A device of the host.
    Device,
    /// A secret.
    Secret,
}

impl HandleKind {
    /// The kind of handle that a structure of this name is.
    pub(in crate::rpc) fn from_type(name: &str) -> Option<Self> {
        Some(match name {
            "domain" => Self::Vm,
            "domain_snapshot" => Self::Snapshot,
            "domain_checkpoint" => Self::Checkpoint,
            "network" => Self::Network,
            "network_port" => Self::Port,
            "nwfilter" => Self::Filter,
            "nwfilter_binding" => Self::Binding,
            "interface" => Self::Interface,
            "storage_pool" => Self::Pool,
            "storage_vol" => Self::Volume,
            "node_device" => Self::Device,
            "secret" => Self::Secret,
            _ => return None,
        })
    }
}
