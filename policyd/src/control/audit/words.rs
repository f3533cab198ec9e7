// SPDX-License-Identifier: Apache-2.0
//! What somebody wanted to read, for the record of it.

use virtwarden_core::control::{AuditFilter, Marks};
use virtwarden_core::trail::time::Time;

/// A filter in words, as it is typed.
pub(super) fn of(filter: &AuditFilter) -> String {
    let AuditFilter { person, vm, medium, setting, function, kind, outcome, since, until, limit, marks } =
        filter;
    let moment = |time: &u64| Time::from_micros(*time).to_string();
    let parts = [
        ("person", person.clone()),
        ("vm", vm.clone()),
        ("medium", medium.clone()),
        ("setting", setting.map(|name| name.word().to_owned())),
        ("function", function.map(|function| function.slug().to_owned())),
        ("kind", kind.map(|kind| spelled(&kind))),
        ("outcome", outcome.map(|outcome| spelled(&outcome))),
        ("since", since.as_ref().map(moment)),
        ("until", until.as_ref().map(moment)),
        ("limit", limit.map(|limit| limit.to_string())),
        ("marks", (*marks == Marks::Shown).then(|| "shown".to_owned())),
    ];
    let said: Vec<_> =
        parts.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name} {value}"))).collect();
    if said.is_empty() { "everything".to_owned() } else { said.join(", ") }
}

/// A word as the stored record spells it.
fn spelled(word: &impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use virtwarden_core::record::Outcome;
    use virtwarden_core::table3::Function;

    use super::*;

    #[test]
    fn what_was_asked_for_reads_like_the_command_line() {
        assert_eq!(of(&AuditFilter::default()), "everything");
        let filter = AuditFilter {
            person: Some("bob".to_owned()),
            function: Some(Function::Start),
            outcome: Some(Outcome::Denied),
            since: Some(0),
            limit: Some(3),
            ..AuditFilter::default()
        };
        assert_eq!(
            of(&filter),
            "person bob, function start, outcome denied, since 1970-01-01T00:00:00.000000Z, limit 3"
        );
    }
}
