// SPDX-License-Identifier: Apache-2.0
//! Records as comma-separated values (RFC 4180).

use virtwarden_core::trail::escape::printable;
use virtwarden_core::trail::line::Line;

use super::row::{object, origin, person, word};
use crate::authentication::how;

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
    fields.map(|field| quoted(&field)).join(",")
}

/// A word as the stored record spells it.
pub(super) fn spelled(word: &impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// Quotes a field, and puts an apostrophe before what a spreadsheet would take for a formula: the
/// name of a VM must not be able to act on the desk of whoever opens the file.
fn quoted(field: &str) -> String {
    let safe = printable(field);
    let guard = if safe.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if guard.is_empty() && !safe.contains([',', '"']) {
        return safe;
    }
    format!("\"{guard}{}\"", safe.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stays_one_field_and_no_formula() {
        let rows = [
            ("bobvm", "bobvm"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("two\nlines", "two\\nlines"),
        ];
        for (field, expected) in rows {
            assert_eq!(quoted(field), expected);
        }
    }
}
