// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit show`: one record in full.

use std::path::Path;

use virtwarden_core::control::{AuditRange, Request};
use virtwarden_core::record::{Actor, Event, Kind};
use virtwarden_core::trail::line::Line;

use super::csv::spelled;
use super::parse;
use super::row::{object, origin, outcome, person};
use crate::authentication::how;
use crate::client::Client;
use crate::exit::{Exit, Failed};
use crate::functions::named;
use crate::output::{Format, Output, listed};

/// A name and what stands there, if anything does.
type Field = (&'static str, Option<String>);

/// Prints one record.
pub(super) fn show(sequence: u64, socket: &Path, output: &Output) -> Result<(), Failed> {
    let range = AuditRange { from: Some(sequence), to: Some(sequence) };
    let mut found = None;
    Client::connect(socket)?.records(&Request::AuditExport { range }, |line| {
        found = Some(parse(line)?);
        Ok(())
    })?;
    let missing = || Failed { exit: Exit::NotFound, message: format!("the trail has no record {sequence}") };
    let line = found.ok_or_else(missing)?;
    match output.format() {
        Format::Json => output.json(&line),
        Format::Table | Format::Rows => output.rows(describe(&line)),
    }
}

fn describe(line: &Line) -> Vec<[String; 2]> {
    let event = line.entry.event();
    let mut fields = vec![
        ("sequence", Some(line.seq.to_string())),
        ("time", Some(line.stamp.time.to_string())),
        ("boot", Some(format!("{}, {} us after its start", line.stamp.boot, line.stamp.up))),
        ("kind", Some(spelled(&event.kind))),
        ("outcome", Some(outcome(&event))),
    ];
    fields.extend(who(&event));
    fields.extend(what(&event));
    fields.push(("hash", Some(line.hash.to_string())));
    fields.into_iter().filter_map(|(name, value)| value.map(|value| [name.to_owned(), value])).collect()
}

fn who(event: &Event) -> Vec<Field> {
    let Some(actor) = &event.actor else { return vec![("person", Some(nobody(event).to_owned()))] };
    let session = actor.login.as_ref().map(|login| login.session.to_string());
    vec![
        ("person", Some(person(event))),
        ("account", Some(format!("{} ({})", actor.account.name, actor.account.uid))),
        ("login session", session),
        ("authenticated", Some(authenticated(actor))),
        ("roles", Some(listed(&actor.roles))),
        ("process", Some(format!("{}, started at tick {}", actor.process.pid, actor.process.start_time))),
        ("door", Some(spelled(&actor.door))),
    ]
}

/// Who it is if no process asked.
fn nobody(event: &Event) -> &'static str {
    if event.kind == Kind::Login { "not known" } else { "the trail itself" }
}

fn authenticated(actor: &Actor) -> String {
    actor.authenticated.as_ref().map_or_else(|| "no person".to_owned(), how)
}

fn what(event: &Event) -> Vec<Field> {
    let uuids = event.targets.iter().filter_map(|target| target.uuid).map(|uuid| uuid.to_string());
    vec![
        ("from", origin(event).map(ToString::to_string)),
        ("operation", Some(event.operation.clone())),
        ("functions", Some(listed(event.functions.iter().copied().map(named)))),
        ("objects", Some(listed(event.targets.iter().map(object)))),
        ("UUIDs", Some(listed(uuids))),
        ("detail", Some(event.detail.clone()).filter(|detail| !detail.is_empty())),
        ("ends record", event.of.map(|sequence| sequence.to_string())),
        ("times", event.count.map(|count| count.to_string())),
    ]
}
