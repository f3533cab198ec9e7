// SPDX-License-Identifier: Apache-2.0
//! Rows 7 and 8: VMs' access to physical devices, and sharing between VMs. FDP_PPR_EXT.1 and FDP_VMS_EXT.1 leave both to
//! Administrators.

use crate::evaluate::live::deed::{CONTROL, Deed, LIBVIRT, SOCKETS, Seen, performs, tries};

pub(super) const DEEDS: &[Deed] = &[
    performs(
        &[7],
        LIBVIRT,
        "gives a USB device to a VM and takes it back",
        "{v} attach-device {other} {files}/usb.xml --config && {v} dumpxml {other} --inactive | grep -A5 '<hostdev' && {v} detach-device {other} {files}/usb.xml --config",
    ),
    performs(
        &[7],
        LIBVIRT,
        "gives a PCI device to a VM and takes it back",
        "{v} attach-device {other} {files}/pci.xml --config && {v} dumpxml {other} --inactive | grep -A5 '<hostdev' && {v} detach-device {other} {files}/pci.xml --config",
    ),
    tries(
        &[7],
        SOCKETS,
        "gives a USB device to his VM",
        "{v} attach-device {own} {files}/usb.xml --config",
        Seen::Row(7),
    ),
    tries(
        &[7],
        SOCKETS,
        "gives a PCI device to his VM",
        "{v} attach-device {own} {files}/pci.xml --config",
        Seen::Row(7),
    ),
    tries(
        &[7],
        SOCKETS,
        "gives a USB device to a VM that is not his",
        "{v} attach-device {other} {files}/usb.xml --config",
        Seen::Hidden,
    ),
    tries(&[7], SOCKETS, "takes a device from the host", "{v} nodedev-detach computer", Seen::Hidden),
    performs(
        &[8],
        CONTROL,
        "opens a channel between a VM and the host, and closes it",
        "virtwarden sharing allow shared-folder {other} host && virtwarden sharing list && virtwarden sharing deny shared-folder {other} host",
    ),
    performs(
        &[8],
        LIBVIRT,
        "shares a directory through an open channel, and no more",
        "virtwarden sharing allow shared-folder {other} host && {v} attach-device {other} {files}/share.xml --config && {v} detach-device {other} {files}/share.xml --config && virtwarden sharing deny shared-folder {other} host",
    ),
    tries(
        &[8],
        SOCKETS,
        "shares a directory of the host with his VM",
        "{v} attach-device {own} {files}/share.xml --config",
        Seen::Row(8),
    ),
    tries(
        &[8],
        SOCKETS,
        "gives his VM a socket to the host",
        "{v} attach-device {own} {files}/vsock.xml --config",
        Seen::Row(8),
    ),
    tries(
        &[8],
        CONTROL,
        "opens a channel between his VM and the host",
        "virtwarden sharing allow shared-folder {own} host",
        Seen::Row(8),
    ),
    tries(
        &[8],
        CONTROL,
        "opens a channel to a VM that is not his",
        "virtwarden sharing allow disk {own} {other}",
        Seen::Refused,
    ),
];
