// SPDX-License-Identifier: Apache-2.0
//! `virtwarden device learn`: text for a policy file, made from what is plugged in.

use std::fmt::Write as _;

use virtwarden_core::control::MediumRow;
use virtwarden_core::media::{Kind, Source, UsbDevice};
use virtwarden_core::trail::escape::printable;

/// A class of devices as it shall be written.
#[derive(Clone, Debug)]
pub(super) struct Wish<'a> {
    /// Its name.
    pub(super) class: &'a str,
    /// Information domains that get it; none leaves each connection to an Administrator.
    pub(super) granted: &'a [String],
}

/// Writes a class with every device that is in none yet. None: there is no such device.
pub(super) fn proposal(rows: &[MediumRow], wish: &Wish<'_>) -> Option<String> {
    let mut text = format!(
        "# Learned from what was plugged in. Keyboards and mice stay with the host.\n\
         [device-class.{}]\nmatch = [\n",
        quoted_key(wish.class)
    );
    let mut found = 0;
    for (row, pattern) in
        rows.iter().filter(|row| row.class.is_none()).filter_map(|row| Some((row, pattern(row)?)))
    {
        found += 1;
        let _written = writeln!(text, "    {pattern}, # {}", printable(&row.medium.name));
    }
    let granted: Vec<_> = wish.granted.iter().map(|domain| quoted(domain)).collect();
    let _written =
        write!(text, "]\nrule = \"grant\"\naccess = \"read-write\"\ngranted = [{}]\n", granted.join(", "));
    (found > 0).then_some(text)
}

/// What a device is known by: by its serial number, or else by where it is plugged in, so that a twin is not it.
fn pattern(row: &MediumRow) -> Option<String> {
    match (&row.medium.source, row.medium.kind) {
        (Source::Usb(usb), Kind::UsbStorage | Kind::Usb) if !is_input(usb) => Some(usb_pattern(usb)),
        (Source::Usb(_), _) | (Source::Image { .. }, _) => None,
        (Source::Block(block), kind) => {
            let by = block
                .serial
                .as_ref()
                .filter(|serial| is_plain(serial))
                .map(|serial| format!("serial = {}", quoted(serial)));
            let by = by.unwrap_or_else(|| format!("path = {}", quoted(&block.node)));
            Some(format!("{{ kind = \"{kind}\", {by} }}"))
        }
    }
}

fn usb_pattern(usb: &UsbDevice) -> String {
    let UsbDevice { vendor, product, .. } = usb;
    let place = match &usb.serial {
        Some(serial) if is_plain(serial) => format!("serial = {}", quoted(serial)),
        Some(_) | None => format!("port = {}", quoted(&usb.port)),
    };
    format!("{{ vendor = \"{vendor:04x}\", product = \"{product:04x}\", {place} }}")
}

/// Human interface devices: without them nobody works at the host.
fn is_input(usb: &UsbDevice) -> bool {
    usb.interfaces.iter().any(|interface| interface.class == 3)
}

/// A policy takes no other text.
fn is_plain(text: &str) -> bool {
    text.chars().all(|character| matches!(character, ' '..='~'))
}

/// A serial number is whatever the device says: it must not be able to write rules of its own.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn quoted_key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
#[path = "learn/tests.rs"]
mod tests;
