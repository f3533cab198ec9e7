// SPDX-License-Identifier: Apache-2.0
//! `virtwarden device`.

mod apply;
mod learn;

use std::path::Path;

use virtwarden_core::control::{DeviceClassRow, MediumRow, Reply, Request};
use virtwarden_core::media::{Kind, Source};

use crate::arguments::DeviceVerb;
use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::media::media;
use crate::output::{Output, listed};

const HEADERS: [&str; 6] = ["NAME", "KIND", "VENDOR:PRODUCT", "SERIAL", "PORT", "CLASS"];
const CLASS_HEADERS: [&str; 6] = ["CLASS", "RULE", "ACCESS", "GRANTED", "MATCH", "FILE"];

/// Does what the verb says.
pub(crate) fn run(verb: &DeviceVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        DeviceVerb::List => {
            let rows = plugged(socket)?;
            output.show(&rows, HEADERS, rows.iter().map(row))
        }
        DeviceVerb::Classes => {
            let Reply::DeviceClasses(rows) = ask(socket, &Request::DeviceClasses)? else {
                return Err(unexpected());
            };
            output.show(&rows, CLASS_HEADERS, rows.iter().map(class_row))
        }
        DeviceVerb::Learn { class, grant, apply, revert_after } => {
            let proposal = learn::proposal(&plugged(socket)?, &learn::Wish { class, granted: grant });
            match proposal {
                Some(text) if *apply => apply::apply((class, &text), *revert_after, socket, output),
                Some(text) => output.lines(&text),
                None => Err(Failed {
                    exit: Exit::NotFound,
                    message: "nothing is plugged in that is in no device class; keyboards and mice stay with the host"
                        .to_owned(),
                }),
            }
        }
    }
}

/// What is plugged in: images are not.
fn plugged(socket: &Path) -> Result<Vec<MediumRow>, Failed> {
    let rows = media(Request::MediaList { medium: None, vm: None }, socket)?;
    Ok(rows.into_iter().filter(|row| row.medium.kind != Kind::Image).collect())
}

fn row(row: &MediumRow) -> [String; 6] {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let (numbers, serial, port) = match &row.medium.source {
        Source::Usb(usb) => {
            (format!("{:04x}:{:04x}", usb.vendor, usb.product), usb.serial.as_deref(), usb.port.as_str())
        }
        Source::Block(block) => ("-".to_owned(), block.serial.as_deref(), block.node.as_str()),
        Source::Image { path } => ("-".to_owned(), None, path.as_str()),
    };
    let medium = &row.medium;
    let class = or_dash(row.class.as_deref());
    [medium.name.clone(), medium.kind.to_string(), numbers, or_dash(serial), port.to_owned(), class]
}

fn class_row(row: &DeviceClassRow) -> [String; 6] {
    [
        row.name.clone(),
        row.rule.clone(),
        row.access.map_or("-", |access| access.word()).to_owned(),
        listed(&row.granted),
        row.patterns.join("; "),
        row.place.clone(),
    ]
}
