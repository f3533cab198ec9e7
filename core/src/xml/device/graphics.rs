// SPDX-License-Identifier: Apache-2.0
//! Screens: who can reach them and what they carry besides the picture.

use std::net::IpAddr;

use crate::policy::request::Right;
use crate::xml::element::Element;
use crate::xml::needs::{CONFIGURE, DEVICE, Needs, SHARING};

pub(super) fn needs(graphics: &Element) -> Needs {
    let needs = Needs::of(CONFIGURE).with(listeners(graphics)).when(
        graphics.child("gl").is_some_and(|gl| gl.attribute("rendernode").is_some()),
        DEVICE,
        "it uses a device of the host",
    );
    match graphics.attribute("type").unwrap_or_default() {
        "vnc" => needs,
        "spice" => needs
            .when(!is_off(graphics, "clipboard", "copypaste"), SHARING, "it carries the clipboard")
            .when(!is_off(graphics, "filetransfer", "enable"), SHARING, "it carries files"),
        "egl-headless" => needs.and(DEVICE, "it uses a device of the host"),
        "sdl" | "desktop" => needs.and(Right::Administer, "it opens a window on the host"),
        "rdp" | "dbus" => needs.and(SHARING, "").and(Right::Administer, "it is served by another process"),
        _ => needs.and(Right::Administer, "its type is not understood"),
    }
}

/// SPICE carries both unless told otherwise.
fn is_off(graphics: &Element, part: &str, attribute: &str) -> bool {
    graphics.child(part).and_then(|p| p.attribute(attribute)) == Some("no")
}

fn listeners(graphics: &Element) -> Needs {
    let network = graphics.attribute("listen").is_some_and(|address| !is_loopback(address))
        || graphics.all("listen").any(listens_on_network);
    let socket = graphics.attribute("socket").is_some()
        || graphics.all("listen").any(|listen| listen.attribute("socket").is_some());
    Needs::default().when(network, Right::Administer, "it listens on the network").when(
        socket,
        Right::Administer,
        "it names a socket of the host",
    )
}

fn listens_on_network(listen: &Element) -> bool {
    match listen.attribute("type") {
        Some("none" | "socket") => false,
        Some("address") => listen.attribute("address").is_some_and(|address| !is_loopback(address)),
        _ => true,
    }
}

/// Only an address counts; a name can come to mean another one.
pub(in crate::xml) fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
