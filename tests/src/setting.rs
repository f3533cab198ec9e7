// SPDX-License-Identifier: Apache-2.0
//! What every story of a setting looks at: the record of what alice set, and bob, who sets nothing.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::SettingName;
use virtwarden_core::table3::Function;

use crate::host::{Host, Ran};
use crate::narrator::told;
use crate::scene::bob;
use crate::trail::{self, Recorded};

/// Turns an output without a part into an error that shows it.
///
/// # Errors
/// The part is not there.
pub fn must_contain(what: &str, ran: &Ran, part: &str) -> Result<(), String> {
    if ran.shown().contains(part) { Ok(()) } else { Err(format!("{what}: no `{part}` in: {}", ran.shown())) }
}

/// alice's attempt and its success stand in the trail, under the row of the setting.
///
/// # Errors
/// What stands there instead.
pub fn is_on_record(host: &Host, since: u64, operation: &str, function: Function) -> Result<(), String> {
    is_on_record_of("alice", host, since, operation, function)
}

/// As [`is_on_record`], of somebody.
///
/// # Errors
/// As there.
pub fn is_on_record_of(
    person: &str,
    host: &Host,
    since: u64,
    operation: &str,
    function: Function,
) -> Result<(), String> {
    trail::until(host, since, |records| {
        let fits = |kind, outcome| {
            records.iter().any(|record| {
                record.is_of(person)
                    && record.is(kind, outcome)
                    && record.event.operation == operation
                    && record.event.functions == [function]
            })
        };
        if fits(Kind::Attempt, Outcome::Pending) && fits(Kind::Outcome, Outcome::Success) {
            Ok(())
        } else {
            Err(format!("`{operation}` is not on record: {records:?}"))
        }
    })
}

/// How often bob was denied a function. Who sets a value looks at the present one first and is denied that as well: it is one
/// attempt.
pub fn refusals_of_bob(records: &[Recorded], function: Function) -> usize {
    let is_one = |record: &&Recorded| {
        record.is_of("bob")
            && record.is(Kind::Denial, Outcome::Denied)
            && record.event.functions == [function]
    };
    let denied: Vec<_> =
        records.iter().filter(is_one).map(|record| record.event.operation.as_str()).collect();
    let sets = |operation: &str| SettingName::ALL.iter().any(|name| name.set_operation() == operation);
    let is_look = |pair: &&[&str]| matches!(pair, ["setting show", then] if sets(then));
    denied.len() - denied.windows(2).filter(is_look).count()
}

/// bob tries each script, is told so, and nothing changes. What asks policyd is on record as denied: `denials` times.
///
/// # Errors
/// What he could do, or what is missing from the trail.
pub fn bob_is_refused(
    host: &Host,
    state: impl Fn() -> String,
    attempts: &[(&str, &str)],
    (function, denials): (Function, usize),
) -> Result<(), String> {
    let (before, since) = (state(), trail::end(host));
    for (script, said) in attempts {
        let ran = bob(host, &format!("{{ {script}; }} 2>&1"));
        must_contain(script, &ran, said)?;
        let after = state();
        if after != before {
            return Err(format!("`{script}` did something: {}: {before} became {after}", ran.shown()));
        }
        told("bob", script, "refused");
    }
    trail::until(host, since, |records| {
        let count = refusals_of_bob(records, function);
        if count == denials { Ok(()) } else { Err(format!("{count} refusals on record, not {denials}")) }
    })
}
