// SPDX-License-Identifier: Apache-2.0
//! What a VM's definition contains that rules binding everybody look at.

/// Where a network interface of a VM leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A libvirt network, by name.
    Network(String),
    /// Anything else (bridge, direct, user, ...), by the interface's type and source.
    Other(String),
}

/// What a definition contains, judged without knowing who asks. The same facts are taken by the
/// gate before a define or start and by the hook when libvirt is about to start a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where its network interfaces lead.
    pub links: Vec<Link>,
    /// Raw doors that the definition opens: `qemu:commandline`, a chosen emulator, ...
    pub raw: Vec<String>,
    /// Memory in KiB, the larger of present and maximum.
    pub memory_kib: u64,
    /// Maximum number of virtual CPUs.
    pub vcpus: u32,
}
