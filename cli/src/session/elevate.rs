// SPDX-License-Identifier: Apache-2.0
//! `virtwarden session elevate`: policyd says which session, root's helper authenticates who is in it.

use std::io::IsTerminal;
use std::path::Path;

use serde::Serialize;
use virtwarden_core::control::{Elevation, Reply, Request};
use virtwarden_core::setting::{Acknowledgement, BannerText};

use super::conversation;
use crate::arguments::ElevateArguments;
use crate::client::{Client, unexpected};
use crate::duration::spelled;
use crate::exit::{Exit, Failed};
use crate::output::{Format, Output};
use crate::terminal::{self, Answers, Echo};
use crate::time;

/// For programs.
#[derive(Serialize)]
struct Raised {
    /// Seconds since 1970.
    raised_until: u64,
}

/// Raises the session that this process is in.
pub(super) fn elevate(arguments: &ElevateArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let mut answers = answers(arguments)?;
    let mut client = Client::connect(socket)?;
    let Reply::Elevation(elevation) = client.ask(&Request::SessionElevate)? else {
        return Err(unexpected());
    };
    show_banner(&elevation, arguments, &mut client)?;
    let shown = elevation.banner.as_ref().map(BannerText::as_str);
    conversation::hold(&arguments.elevate_socket, elevation.ticket, shown, &mut answers)?;
    let until = time::now_in_seconds().saturating_add(elevation.seconds);
    if output.format() == Format::Json {
        return output.json(&Raised { raised_until: until });
    }
    output.remark(&format!(
        "raised for {}, until {} UTC",
        spelled(elevation.seconds),
        time::of_seconds(until)
    ))
}

fn answers(arguments: &ElevateArguments) -> Result<Answers, Failed> {
    if arguments.stdin {
        return Ok(Answers::lines());
    }
    if std::io::stdin().is_terminal() {
        return Ok(Answers::Terminal);
    }
    Err(Failed::usage("standard input is no terminal; add --stdin to take the answers from it all the same"))
}

fn show_banner(
    elevation: &Elevation,
    arguments: &ElevateArguments,
    client: &mut Client,
) -> Result<(), Failed> {
    let Some(text) = &elevation.banner else { return Ok(()) };
    terminal::say(text.as_str());
    match elevation.acknowledgement {
        Acknowledgement::NotAsked => Ok(()),
        Acknowledgement::Required => {
            consent(arguments)?;
            client.ask(&Request::BannerAccept).map(drop)
        }
    }
}

fn consent(arguments: &ElevateArguments) -> Result<(), Failed> {
    if arguments.accept_banner {
        return Ok(());
    }
    if arguments.stdin {
        return Err(Failed::usage("the banner must be accepted; add --accept-banner if you do"));
    }
    let answer = terminal::ask("Do you accept this? Type `yes`: ", Echo::Shown)?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    let message = "the banner was not accepted; the session stays as it was".to_owned();
    Err(Failed { exit: Exit::Denied, message })
}
