// SPDX-License-Identifier: Apache-2.0
//! Row 3: create, configure or delete VMs.

use crate::evaluate::live::deed::{CONTROL, Deed, LIBVIRT, SOCKETS, Seen, performs, tries};

pub(super) const DEEDS: &[Deed] = &[
    performs(&[3], LIBVIRT, "defines a VM", "{v} define {files}/new.xml && {v} dominfo {new}"),
    performs(&[3], LIBVIRT, "gives it less memory", "{v} setmem {new} 32M --config && {v} dominfo {new}"),
    performs(&[3], LIBVIRT, "has it start with the host", "{v} autostart {new} && {v} dominfo {new}"),
    performs(
        &[3],
        LIBVIRT,
        "attaches a disk and detaches it",
        "{v} attach-device {new} {files}/disk.xml --config && {v} domblklist {new} && {v} detach-device {new} {files}/disk.xml --config",
    ),
    performs(&[3], LIBVIRT, "deletes the VM", "{v} undefine {new} && ! {v} domstate {new}"),
    performs(
        &[3],
        LIBVIRT,
        "creates a VM for once",
        "{v} create {files}/new.xml && {v} domstate {new} && {v} destroy {new}",
    ),
    performs(
        &[3],
        CONTROL,
        "assigns a VM and takes it back",
        "virtwarden vm assign {other} {user} && virtwarden vm show {other} && virtwarden vm unassign {other} {user}",
    ),
    tries(&[3], SOCKETS, "defines a VM", "{v} define {files}/new.xml", Seen::Row(3)),
    tries(&[3], SOCKETS, "creates a VM for once", "{v} create {files}/new.xml", Seen::Row(3)),
    tries(&[3], SOCKETS, "deletes his VM", "{v} undefine {own}", Seen::Row(3)),
    tries(&[3], SOCKETS, "gives his VM less memory", "{v} setmem {own} 32M --config", Seen::Row(3)),
    tries(
        &[3],
        SOCKETS,
        "gives his VM a processor more",
        "{v} setvcpus {own} 2 --config --maximum",
        Seen::Row(3),
    ),
    tries(&[3], SOCKETS, "has his VM start with the host", "{v} autostart {own}", Seen::Row(3)),
    tries(&[3], SOCKETS, "renames his VM", "{v} domrename {own} {new}", Seen::Row(3)),
    tries(
        &[3],
        SOCKETS,
        "attaches a disk to his VM",
        "{v} attach-device {own} {files}/disk.xml --config",
        Seen::Row(3),
    ),
    tries(&[3], SOCKETS, "deletes a VM that is not his", "{v} undefine {other}", Seen::Hidden),
    tries(&[3], SOCKETS, "reads the definition of a VM that is not his", "{v} dumpxml {other}", Seen::Hidden),
    tries(&[3], SOCKETS, "defines a pool", "{v} pool-define-as {new} dir --target {files}", Seen::Denied),
    tries(
        &[3],
        LIBVIRT,
        "speaks to the emulator of his VM",
        "{v} qemu-monitor-command {own} --hmp info version",
        Seen::Denied,
    ),
    tries(&[3], CONTROL, "assigns himself a VM", "virtwarden vm assign {other} {user}", Seen::Hidden),
];
