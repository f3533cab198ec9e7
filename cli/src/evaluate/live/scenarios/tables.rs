// SPDX-License-Identifier: Apache-2.0
//! Tests that are deeds of the two people, one after the other.

use super::Hand;
use crate::evaluate::live::deed::{
    CONTROL, Deed, LIBVIRT, Seen, administrator_is_told, operates, performs, tries,
};
use crate::evaluate::live::perform::perform;
use crate::evaluate::report::Step;
use crate::exit::Failed;

const VNC_1: &[Deed] = &[
    performs(
        &[5],
        LIBVIRT,
        "plugs a running VM into a network",
        "{v} net-start {net} && {v} start {other} && {v} attach-interface {other} network {net} --live && {v} domiflist {other}",
    ),
    operates(&[22], LIBVIRT, "starts his VM", "{v} start {own}"),
    tries(
        &[5],
        LIBVIRT,
        "plugs his running VM into that network",
        "{v} attach-interface {own} network {net} --live",
        Seen::Row(5),
    ),
    tries(
        &[5],
        LIBVIRT,
        "plugs it in from its next start",
        "{v} attach-interface {own} network {net} --config",
        Seen::Row(5),
    ),
    operates(&[23], LIBVIRT, "powers his VM off", "{v} destroy {own}"),
    performs(&[5], LIBVIRT, "stops VM and network", "{v} destroy {other} && {v} net-destroy {net}"),
];

const VNC_2: &[Deed] = &[
    performs(
        &[5],
        LIBVIRT,
        "plugs a VM into a card of the host and pulls it out",
        "{v} attach-device {other} {files}/nic.xml --config && {v} domiflist {other} --inactive && {v} detach-device {other} {files}/nic.xml --config",
    ),
    tries(
        &[5],
        LIBVIRT,
        "plugs his VM into that card",
        "{v} attach-device {own} {files}/nic.xml --config",
        Seen::Row(5),
    ),
    tries(
        &[5],
        LIBVIRT,
        "has his VM's emulator go out by itself",
        "{v} attach-device {own} {files}/usernet.xml --config",
        Seen::Row(5),
    ),
];

const VMS_1: &[Deed] = &[
    administrator_is_told(
        &[8],
        LIBVIRT,
        "(a, b) gives a VM a disk to be shared, with no channel open",
        "{v} attach-device {own} {files}/common.xml --config",
        "virtwarden sharing allow disk",
    ),
    performs(
        &[8],
        CONTROL,
        "(c) opens the channel between two VMs",
        "virtwarden sharing allow disk {own} {other} && virtwarden sharing list",
    ),
    performs(
        &[3, 8],
        LIBVIRT,
        "(d) gives both the disk, and both run with it",
        "{v} attach-device {own} {files}/common.xml --config && {v} attach-device {other} {files}/common.xml --config && {v} start {own} && {v} start {other} && {v} domblklist {own} && {v} domblklist {other}",
    ),
    tries(
        &[8],
        CONTROL,
        "opens a channel himself",
        "virtwarden sharing allow disk {own} {other}",
        Seen::Refused,
    ),
    performs(
        &[8],
        CONTROL,
        "(e) stops both, takes the disk from the second, and opens the channel for the first alone",
        "virsh -q -c qemu:///system destroy {own} && virsh -q -c qemu:///system destroy {other} && virsh -q -c qemu:///system detach-disk {other} vdc --config && virtwarden sharing deny disk {own} {other} && virtwarden sharing allow disk {own} host && virsh -q -c qemu:///system start {own} && virtwarden sharing list",
    ),
    administrator_is_told(
        &[8],
        LIBVIRT,
        "(f) gives the second the disk that the first runs with",
        "{v} attach-device {other} {files}/common.xml --config",
        "virtwarden sharing allow disk",
    ),
    performs(
        &[8],
        CONTROL,
        "(g) opens the channel for the second",
        "virtwarden sharing allow disk {own} {other} && virtwarden sharing list",
    ),
    performs(
        &[3, 8],
        LIBVIRT,
        "(h) gives it the disk, and it runs beside the first",
        "{v} attach-device {other} {files}/common.xml --config && {v} start {other} && {v} domblklist {other} && {v} domstate {own} | grep running",
    ),
    performs(
        &[8],
        CONTROL,
        "(i) stops both and closes the channel",
        "virsh -q -c qemu:///system destroy {own} && virsh -q -c qemu:///system destroy {other} && virtwarden sharing deny disk {own} {other} && virtwarden sharing deny disk {own} host && virtwarden sharing list",
    ),
    administrator_is_told(
        &[8],
        LIBVIRT,
        "(j) starts both",
        "{v} start {own} && {v} start {other}",
        "virtwarden sharing allow disk",
    ),
    performs(
        &[3],
        LIBVIRT,
        "takes the disk from both",
        "{v} detach-disk {own} vdc --config && {v} detach-disk {other} vdc --config; {v} destroy {own}; {v} destroy {other}; ! {v} domblklist {own} --inactive | grep common",
    ),
];

const RDM_1: &[Deed] = &[
    operates(
        &[21],
        LIBVIRT,
        "puts a disc of the library into his VM's drive",
        "{v} change-media {own} hdc --insert {iso} --config && {v} domblklist {own} --inactive",
    ),
    performs(
        &[21],
        LIBVIRT,
        "puts the same disc, which may only be read, into another's",
        "{v} change-media {other} hdc --insert {iso} --config && {v} domblklist {other} --inactive",
    ),
    tries(
        &[21],
        LIBVIRT,
        "puts a file of the host into his drive",
        "{v} change-media {own} hdc --update /etc/passwd --config",
        Seen::Denied,
    ),
    operates(&[21], LIBVIRT, "ejects it", "{v} change-media {own} hdc --eject --config"),
    performs(&[21], LIBVIRT, "ejects it", "{v} change-media {other} hdc --eject --config"),
];

const RDM_2: &[Deed] = &[
    operates(&[22], LIBVIRT, "starts his VM", "{v} start {own}"),
    operates(
        &[21],
        LIBVIRT,
        "inserts a disc into it",
        "{v} change-media {own} hdc --insert {iso} --live && {v} domblklist {own}",
    ),
    operates(
        &[21],
        LIBVIRT,
        "ejects the disc",
        "{v} change-media {own} hdc --eject --live && {v} domblklist {own}",
    ),
    operates(&[23], LIBVIRT, "powers his VM off", "{v} destroy {own}"),
];

pub(super) fn vnc_1(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    Ok(play(hand, VNC_1))
}

pub(super) fn vnc_2(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    Ok(play(hand, VNC_2))
}

pub(super) fn vms_1(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    Ok(play(hand, VMS_1))
}

pub(super) fn rdm_1(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    Ok(play(hand, RDM_1))
}

pub(super) fn rdm_2(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    Ok(play(hand, RDM_2))
}

fn play(hand: &mut Hand<'_, '_>, deeds: &[Deed]) -> Vec<Step> {
    let step = |deed: &Deed| {
        let doors = deed.doors.iter();
        doors.map(|door| perform(hand.stage, hand.watch, deed, *door, deed.command)).collect::<Vec<_>>()
    };
    deeds.iter().flat_map(step).collect()
}
