// SPDX-License-Identifier: Apache-2.0
//! Row 5: configure virtual networks. FDP_VNC_EXT.1 leaves it to Administrators.

use crate::evaluate::live::deed::{CONTROL, Deed, LIBVIRT, SOCKETS, Seen, performs, tries};

pub(super) const DEEDS: &[Deed] = &[
    performs(
        &[5],
        LIBVIRT,
        "defines a network",
        "{v} net-define {files}/newnet.xml && {v} net-info {newnet}",
    ),
    performs(
        &[5],
        LIBVIRT,
        "starts and stops it",
        "{v} net-start {newnet} && {v} net-info {newnet} && {v} net-destroy {newnet}",
    ),
    performs(&[5], LIBVIRT, "removes it", "{v} net-undefine {newnet} && ! {v} net-info {newnet}"),
    performs(
        &[5],
        LIBVIRT,
        "plugs a VM into a network and pulls it out",
        "{v} attach-interface {other} network {net} --config && {v} domiflist {other} --inactive && {v} detach-interface {other} network --config",
    ),
    performs(
        &[5],
        LIBVIRT,
        "defines a network filter and removes it",
        "{v} nwfilter-define {files}/filter.xml && {v} nwfilter-undefine vweval-filter-{mark}",
    ),
    tries(&[5], SOCKETS, "defines a network", "{v} net-define {files}/newnet.xml", Seen::Row(5)),
    tries(&[5], SOCKETS, "creates a network for once", "{v} net-create {files}/newnet.xml", Seen::Row(5)),
    tries(&[5], SOCKETS, "starts a network", "{v} net-start {net}", Seen::Hidden),
    tries(&[5], SOCKETS, "removes a network", "{v} net-undefine {net}", Seen::Hidden),
    tries(
        &[5],
        SOCKETS,
        "plugs his VM into a network",
        "{v} attach-interface {own} network {net} --config",
        Seen::Row(5),
    ),
    tries(
        &[5],
        SOCKETS,
        "plugs his VM into the host's own card",
        "{v} attach-device {own} {files}/direct.xml --config",
        Seen::Row(5),
    ),
    tries(&[5], SOCKETS, "defines a network filter", "{v} nwfilter-define {files}/filter.xml", Seen::Row(5)),
    tries(&[5], CONTROL, "removes a network", "virtwarden network delete {net}", Seen::Hidden),
];
