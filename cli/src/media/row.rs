// SPDX-License-Identifier: Apache-2.0
//! A medium as a line, or as several.

use virtwarden_core::control::{MediumHolder, MediumRow, MediumVerdict};
use virtwarden_core::media::Source;

/// The columns.
pub(super) const HEADERS: [&str; 4] = ["NAME", "KIND", "WHERE", "ID"];
/// The columns where a VM is named.
pub(super) const HEADERS_FOR_VM: [&str; 5] = ["NAME", "KIND", "WHERE", "MAY BE CONNECTED", "ID"];

/// One line.
pub(super) fn row(row: &MediumRow) -> [String; 4] {
    let medium = &row.medium;
    [medium.name.clone(), medium.kind.to_string(), holder(&row.holder), medium.id.to_string()]
}

/// One line, with the policy's word on a VM.
pub(super) fn row_for_vm(one: &MediumRow) -> [String; 5] {
    let [name, kind, place, id] = row(one);
    [name, kind, place, verdict(one.verdict.as_ref()), id]
}

/// All that is known of it, a name and a value in each line.
pub(super) fn lines(row: &MediumRow) -> Vec<[String; 2]> {
    let medium = &row.medium;
    let mut lines = vec![
        ("name", medium.name.clone()),
        ("kind", medium.kind.to_string()),
        ("where", holder(&row.holder)),
        ("id", medium.id.to_string()),
    ];
    lines.extend(details(&medium.source));
    lines.extend(row.class.clone().map(|class| ("device class", class)));
    lines.extend(row.last.clone().map(|last| ("last with", last)));
    lines.extend(row.verdict.as_ref().map(|it| ("may be connected", verdict(Some(it)))));
    lines.into_iter().map(|(name, value)| [name.to_owned(), value]).collect()
}

fn details(source: &Source) -> Vec<(&'static str, String)> {
    match source {
        Source::Usb(usb) => {
            let mut lines = vec![
                ("vendor:product", format!("{:04x}:{:04x}", usb.vendor, usb.product)),
                ("port", usb.port.clone()),
                ("bus and device", format!("{} {}", usb.bus, usb.device)),
            ];
            lines.extend(usb.serial.clone().map(|serial| ("serial", serial)));
            lines
        }
        Source::Block(block) => {
            let mut lines = vec![("device", block.node.clone())];
            lines.extend(block.serial.clone().map(|serial| ("serial", serial)));
            lines.extend(block.content.clone().map(|content| ("content", content)));
            lines
        }
        Source::Image { path } => vec![("path", path.clone())],
    }
}

fn holder(holder: &MediumHolder) -> String {
    match holder {
        MediumHolder::Nobody => "-".to_owned(),
        MediumHolder::Host { why } => format!("host: {why}"),
        MediumHolder::Vm { name } => name.clone(),
        MediumHolder::SomeVm => "another VM".to_owned(),
    }
}

fn verdict(verdict: Option<&MediumVerdict>) -> String {
    match verdict {
        None => "-".to_owned(),
        Some(MediumVerdict::Allowed { access }) => access.word().to_owned(),
        Some(MediumVerdict::Confirm) => "after confirmation".to_owned(),
        Some(MediumVerdict::Denied { reason }) => format!("no: {reason}"),
    }
}
