// SPDX-License-Identifier: Apache-2.0
//! Character devices: serial lines, consoles, channels, and what else is built like one.

use crate::policy::request::Right;
use crate::xml::element::Element;
use crate::xml::needs::{DEVICE, Needs, SHARING};
use crate::xml::paths::is_made_up;

/// What the host side of a character device of some type needs.
pub(super) fn needs(kind: &str, device: &Element) -> Needs {
    let logs = device.child("log").is_some();
    let needs = Needs::default().when(logs, Right::Administer, "it writes a file on the host");
    match kind {
        "pty" | "null" | "vc" => needs,
        "dev" => needs.and(DEVICE, "it is a device of the host"),
        "spicevmc" | "qemu-vdagent" => needs.and(SHARING, "it carries clipboard, files or devices"),
        "spiceport" | "dbus" => needs.and(SHARING, "it leads out of the VM"),
        "unix" => needs.and(SHARING, "it is a socket on the host").when(
            names_socket(device),
            Right::Administer,
            "it names a socket of the host",
        ),
        "tcp" | "udp" => {
            needs.and(SHARING, "it leads out of the VM").and(Right::Administer, "it opens the host's network")
        }
        "file" | "pipe" | "stdio" | "nmdm" => {
            needs.and(Right::Administer, "it reads or writes files of the host")
        }
        _ => needs.and(Right::Administer, "its type is not understood"),
    }
}

fn names_socket(device: &Element) -> bool {
    let mut paths = device.all("source").filter_map(|source| source.attribute("path"));
    paths.any(|path| !is_made_up(path))
}
