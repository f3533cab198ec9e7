// SPDX-License-Identifier: Apache-2.0
//! Records as comma-separated values (RFC 4180).

use virtwarden_core::trail::line::Line;

use super::row::{object, origin, person, word};
use crate::authentication::how;
use crate::csv;

/// The first line.
pub(super) const HEADER: &str = "sequence,time,kind,outcome,person,account,roles,door,operation,functions,objects,\
                                 uuids,detail,of,count,authenticated,origin";

/// One record.
pub(super) fn record(line: &Line) -> String {
    let event = line.entry.event();
    let actor = event.actor.as_ref();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields = [
        line.seq.to_string(),
        line.stamp.time.to_string(),
        spelled(&event.kind),
        word(event.outcome).to_owned(),
        actor.map(|_| person(&event)).unwrap_or_default(),
        actor.map(|actor| actor.account.name.clone()).unwrap_or_default(),
        actor.map(|actor| actor.roles.join(" ")).unwrap_or_default(),
        actor.map(|actor| spelled(&actor.door)).unwrap_or_default(),
        event.operation.clone(),
        joined(event.functions.iter().map(|function| function.slug().to_owned())),
        joined(event.targets.iter().map(object)),
        joined(event.targets.iter().filter_map(|target| target.uuid).map(|uuid| uuid.to_string())),
        event.detail.clone(),
        number(event.of),
        number(event.count),
        actor.and_then(|actor| actor.authenticated.as_ref()).map(how).unwrap_or_default(),
        origin(&event).map(ToString::to_string).unwrap_or_default(),
    ];
    csv::line(fields)
}

/// A word as the stored record spells it.
pub(super) fn spelled(word: &impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
