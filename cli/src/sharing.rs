// SPDX-License-Identifier: Apache-2.0
//! `virtwarden sharing`.

use std::path::Path;

use virtwarden_core::control::{Holds, Reply, Request, SharingRequest, SharingRows};

use crate::arguments::{ChannelArguments, SharingVerb};
use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output};
use crate::time;
use crate::vm::print_change;

const HEADERS: [&str; 6] = ["CHANNEL", "BETWEEN", "AND", "STATE", "BY", "REASON"];

/// Does what the verb says.
pub(crate) fn run(verb: &SharingVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        SharingVerb::List => list(socket, output),
        SharingVerb::Allow(ChannelArguments { channel, one, other, reason, change }) => {
            let (channel, one, other) = (*channel, one.clone(), other.clone());
            let (reason, mode) = (reason.words(), change.mode());
            make(SharingRequest::Allow { channel, one, other, reason, mode }, socket, output)
        }
        SharingVerb::Deny(ChannelArguments { channel, one, other, reason, change }) => {
            let (channel, one, other) = (*channel, one.clone(), other.clone());
            let (reason, mode) = (reason.words(), change.mode());
            make(SharingRequest::Deny { channel, one, other, reason, mode }, socket, output)
        }
    }
}

fn make(request: SharingRequest, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, &Request::Sharing(request))? else { return Err(unexpected()) };
    print_change(&change, output)
}

fn list(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Sharing(rows) = ask(socket, &Request::Sharing(SharingRequest::List))? else {
        return Err(unexpected());
    };
    if rows == SharingRows::default() && output.format() != Format::Json {
        return output.remark("nothing is shared");
    }
    let open = rows.open.iter().map(|row| {
        let by = format!("{} at {}", row.by, time::of_seconds(row.at));
        [
            row.channel.to_string(),
            row.one.clone(),
            row.other.clone(),
            "open".to_owned(),
            by,
            row.reason.clone(),
        ]
    });
    let beyond = rows.beyond.iter().map(|row| {
        let state = match row.holds {
            Holds::UntilStopped => "in use until stopped",
            Holds::PreventsStart => "prevents its start",
        };
        let dash = || "-".to_owned();
        [row.channel.to_string(), row.vm.clone(), dash(), state.to_owned(), dash(), row.why.clone()]
    });
    output.show(&rows, HEADERS, open.chain(beyond))
}
