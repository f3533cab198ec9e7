// SPDX-License-Identifier: Apache-2.0
//! Doors that lead to many rows at once, and must be shut to the User.

use virtwarden_core::table3::Column;

use crate::evaluate::live::deed::{Deed, Seen};
use crate::evaluate::report::Door;

/// The rows that libvirt or an emulator could perform.
const MACHINES: &[u8] = &[3, 5, 7, 8, 21, 22, 23, 24, 25, 26];

pub(super) const DEEDS: &[Deed] = &[
    shut(MACHINES, Door::SessionDaemon, "runs a libvirt daemon of his own", "timeout 20 {v} list"),
    shut(MACHINES, Door::SessionDaemon, "starts that daemon by hand", "/usr/sbin/libvirtd --version"),
    shut(MACHINES, Door::Emulator, "runs an emulator", "qemu-system-x86_64 --version"),
    shut(MACHINES, Door::Emulator, "opens /dev/kvm", "exec 3<>/dev/kvm"),
    shut(
        MACHINES,
        Door::LibvirtSocket,
        "connects to libvirtd's own socket",
        "virsh -c 'qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock' list",
    ),
    shut(
        MACHINES,
        Door::LibvirtSocket,
        "connects to libvirt's admin socket",
        "virt-admin -c libvirtd:///system srv-list",
    ),
    shut(
        MACHINES,
        Door::LibvirtSocket,
        "connects to libvirtd over TCP",
        "timeout 20 virsh -c qemu+tcp://127.0.0.1/system list",
    ),
    shut(MACHINES, Door::File, "reads definitions on disk", "cat /etc/libvirt/qemu/{other}.xml"),
    shut(
        MACHINES,
        Door::File,
        "reads a disk that is not his",
        "head -c 4 /var/lib/libvirt/images/vweval-{mark}/other.qcow2",
    ),
    shut(MACHINES, Door::File, "writes the registry", "echo > /var/lib/virtwarden/registry.json"),
    shut(
        MACHINES,
        Door::Hook,
        "puts a hook of his own before libvirt's",
        "ln -s /bin/true /etc/libvirt/hooks/qemu.d/00-mine",
    ),
];

const fn shut(rows: &'static [u8], door: Door, what: &'static str, command: &'static str) -> Deed {
    Deed { rows, who: Column::User, doors: only(door), what, command, seen: Seen::Shut, sets: None }
}

const fn only(door: Door) -> &'static [Door] {
    match door {
        Door::LibvirtSocket => &[Door::LibvirtSocket],
        Door::ReadOnlySocket => &[Door::ReadOnlySocket],
        Door::SessionDaemon => &[Door::SessionDaemon],
        Door::ControlSocket => &[Door::ControlSocket],
        Door::File => &[Door::File],
        Door::Ssh => &[Door::Ssh],
        Door::Emulator => &[Door::Emulator],
        Door::Hook => &[Door::Hook],
        Door::Policy => &[Door::Policy],
        Door::Host => &[Door::Host],
    }
}
