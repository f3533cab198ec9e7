// SPDX-License-Identifier: Apache-2.0
//! Serial lines, channels and what else is built like one, by what is at the host's end.

use crate::policy::channel::Channel;
use crate::xml::element::Element;
use crate::xml::paths::is_made_up;

use super::{Medium, Use, named, written};

/// Of the guest's agent. libvirt alone is at its other end, and who may speak to it is the right `guest`.
const AGENT: &str = "org.qemu.guest_agent.0";

pub(super) fn uses(device: &Element, kind: &str) -> Vec<Use> {
    let source = device.child("source");
    let path = source.and_then(|source| source.attribute("path"));
    let out = |what: &str| vec![Use::outside(Channel::Chardev, what)];
    match kind {
        "pty" | "null" | "vc" | "stdio" | "spicevmc" => Vec::new(),
        "qemu-vdagent" => clipboard(source),
        "spiceport" => match source.and_then(|source| source.attribute("channel")) {
            Some(name) if name.contains("webdav") => {
                vec![Use::outside(Channel::SharedFolder, "a folder of whoever looks at its screen")]
            }
            _ => out("a `spiceport` line"),
        },
        "unix" => match path {
            Some(path) if !is_made_up(path) => socket(path),
            _ if is_agent(device) => Vec::new(),
            _ => out("a line that is a socket of the host"),
        },
        "tcp" | "udp" => {
            vec![Use::outside(Channel::Chardev, format!("a `{kind}` line")).made_of(address(device, kind))]
        }
        "file" | "dev" => path.map(|path| written(Channel::Chardev, "line", path)).into_iter().collect(),
        "pipe" => path.map_or_else(|| out("a pipe"), socket),
        _ => out(&format!("a `{kind}` line")),
    }
}

/// The back end of a device, if it is built like a line.
pub(super) fn backend(backend: &Element, model: &str) -> Vec<Use> {
    match backend.attribute("model") {
        Some(own) if own == model => uses(backend, backend.attribute("type").unwrap_or_default()),
        _ => Vec::new(),
    }
}

/// Network interfaces that join VMs past the networks.
pub(super) fn interface(interface: &Element, kind: &str) -> Vec<Use> {
    match kind {
        "udp" | "mcast" | "server" | "client" | "vhostuser" => {
            let what = format!("an interface of type `{kind}`");
            vec![Use::outside(Channel::Chardev, what).made_of(address(interface, "net"))]
        }
        _ => Vec::new(),
    }
}

fn socket(path: &str) -> Vec<Use> {
    let what = format!("a line that is `{path}`");
    vec![Use::outside(Channel::Chardev, what).made_of(Some(named(path)))]
}

/// QEMU's own agent carries the clipboard only if told to.
fn clipboard(source: Option<&Element>) -> Vec<Use> {
    let told = source.and_then(|source| source.child("clipboard")).and_then(|c| c.attribute("copypaste"));
    match told {
        None | Some("no") => Vec::new(),
        Some(_) => vec![Use::outside(Channel::Clipboard, "the clipboard of its screen")],
    }
}

fn is_agent(device: &Element) -> bool {
    device.child("target").and_then(|target| target.attribute("name")) == Some(AGENT)
}

/// The two ends of a connection have the port in common, whatever names the hosts go by.
fn address(device: &Element, kind: &str) -> Option<Medium> {
    let port = |source: &Element| {
        source.attribute("service").or_else(|| source.attribute("port")).map(str::to_owned)
    };
    device.all("source").find_map(port).map(|port| Medium::Name(format!("{kind} port {port}")))
}
