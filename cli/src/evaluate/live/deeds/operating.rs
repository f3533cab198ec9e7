// SPDX-License-Identifier: Apache-2.0
//! Rows 21 to 26: what is done with a VM from day to day. A User does it with his own.

use crate::evaluate::live::deed::{CONTROL, Deed, LIBVIRT, SOCKETS, Seen, operates, performs, tries};

pub(super) const DEEDS: &[Deed] = &[
    performs(&[22], LIBVIRT, "starts a VM", "{v} start {other} && {v} domstate {other}"),
    performs(&[25], LIBVIRT, "suspends it", "{v} suspend {other} && {v} domstate {other}"),
    performs(&[26], LIBVIRT, "resumes it", "{v} resume {other} && {v} domstate {other}"),
    performs(
        &[24],
        LIBVIRT,
        "takes a snapshot, goes back to it, deletes it",
        "{v} snapshot-create-as {other} first && {v} snapshot-revert {other} first && {v} snapshot-delete {other} first",
    ),
    performs(
        &[21],
        LIBVIRT,
        "inserts a disc and ejects it",
        "{v} change-media {other} hdc --insert {iso} && {v} domblklist {other} && {v} change-media {other} hdc --eject",
    ),
    performs(&[23], LIBVIRT, "powers it off", "{v} destroy {other} && {v} domstate {other}"),
    operates(&[22], LIBVIRT, "starts his VM", "{v} start {own} && {v} domstate {own}"),
    operates(&[25], LIBVIRT, "suspends his VM", "{v} suspend {own} && {v} domstate {own}"),
    operates(&[26], LIBVIRT, "resumes his VM", "{v} resume {own} && {v} domstate {own}"),
    operates(
        &[24],
        LIBVIRT,
        "takes a snapshot of his VM, goes back to it, deletes it",
        "{v} snapshot-create-as {own} first && {v} snapshot-revert {own} first && {v} snapshot-delete {own} first",
    ),
    operates(
        &[21],
        LIBVIRT,
        "inserts a disc into his VM and ejects it",
        "{v} change-media {own} hdc --insert {iso} && {v} domblklist {own} && {v} change-media {own} hdc --eject",
    ),
    operates(
        &[25, 26],
        LIBVIRT,
        "saves his VM and starts it again",
        "{v} managedsave {own} && {v} start {own}",
    ),
    tries(
        &[21],
        SOCKETS,
        "inserts a file of the host as a disc",
        "{v} change-media {own} hdc --insert /etc/passwd --live",
        Seen::Denied,
    ),
    tries(
        &[21],
        SOCKETS,
        "inserts a disc into a VM that is not his",
        "{v} change-media {other} hdc --insert {iso} --config",
        Seen::Hidden,
    ),
    tries(
        &[21],
        CONTROL,
        "inserts a disc into a VM that is not his",
        "virtwarden media insert {other} {iso}",
        Seen::Hidden,
    ),
    tries(
        &[21],
        LIBVIRT,
        "smuggles a USB device in as a removable one",
        "{v} attach-device {own} {files}/usb.xml --config",
        Seen::Denied,
    ),
    tries(
        &[24],
        SOCKETS,
        "takes a snapshot of a VM that is not his",
        "{v} snapshot-create-as {other} first",
        Seen::Hidden,
    ),
    tries(
        &[24],
        LIBVIRT,
        "has a snapshot write to a file of the host",
        "{v} snapshot-create-as {own} out --disk-only --diskspec vda,file=/tmp/stolen.qcow2",
        Seen::Denied,
    ),
    tries(&[25], SOCKETS, "suspends a VM that is not his", "{v} suspend {other}", Seen::Hidden),
    tries(
        &[25],
        LIBVIRT,
        "saves his VM to a file of his choice",
        "{v} save {own} /tmp/stolen.save",
        Seen::Denied,
    ),
    tries(&[25], LIBVIRT, "suspends the host", "{v} nodesuspend mem 60", Seen::Denied),
    tries(&[26], SOCKETS, "resumes a VM that is not his", "{v} resume {other}", Seen::Hidden),
    operates(&[23], LIBVIRT, "powers his VM off", "{v} destroy {own} && {v} domstate {own}"),
    tries(&[22], SOCKETS, "starts a VM that is not his", "{v} start {other}", Seen::Hidden),
    tries(&[23], SOCKETS, "powers off a VM that is not his", "{v} destroy {other}", Seen::Hidden),
];
