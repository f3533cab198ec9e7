// SPDX-License-Identifier: Apache-2.0
//! `virtwarden banner`.

mod preview;
mod source;

use std::path::Path;

use virtwarden_core::control::{Reply, Request};
use virtwarden_core::setting::{Banner, Setting, SettingName};

use crate::arguments::{BannerSetArguments, BannerVerb, TextArguments};
use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::Output;
use crate::setting;
use crate::vm::print_change;

/// Does what the verb says.
pub(crate) fn run(verb: &BannerVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        BannerVerb::Show => setting::show(SettingName::Banner, socket, output),
        BannerVerb::Set(arguments) => set(arguments, socket, output),
        BannerVerb::Unset { reason, change } => {
            setting::unset(SettingName::Banner, reason.words(), change.mode(), socket, output)
        }
        BannerVerb::Preview(text) => preview(text, socket, output),
        BannerVerb::Accept => accept(socket, output),
    }
}

fn set(arguments: &BannerSetArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let typed = source::text(&arguments.text)?;
    let merged = |now| {
        let Setting::Banner(now) = now else { return Err(unexpected()) };
        let text = typed.clone().or(now.text);
        let acknowledgement = arguments.accept.unwrap_or(now.acknowledgement);
        Ok(Setting::Banner(Banner { text, acknowledgement }))
    };
    let told = (arguments.reason.words(), arguments.change.mode());
    setting::change(SettingName::Banner, merged, told, socket, output)
}

fn preview(text: &TextArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let shown = match source::text(text)? {
        Some(text) => Some(text),
        None => current(socket)?.text,
    };
    let missing = "no banner is set; name a text to see how it would look".to_owned();
    let shown = shown.ok_or(Failed { exit: Exit::NotFound, message: missing })?;
    preview::print(&shown, output)
}

fn current(socket: &Path) -> Result<Banner, Failed> {
    let Setting::Banner(banner) = setting::current(SettingName::Banner, socket)?.setting else {
        return Err(unexpected());
    };
    Ok(banner)
}

fn accept(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, &Request::BannerAccept)? else { return Err(unexpected()) };
    print_change(&change, output)
}
