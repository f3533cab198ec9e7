// SPDX-License-Identifier: Apache-2.0
//! One deed by one door: done or tried in its person's own login session, and looked at from three sides. What was shown,
//! what has changed, what is on record.

use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::table3::{Column, Function};

use super::deed::{Deed, Seen, virsh};
use super::program::Ran;
use super::stage::Stage;
use super::state::Look;
use super::watch::Watch;
use crate::evaluate::report::{Door, RecordLine, State, Step, Verdict};

/// Does it and judges; `command` is the deed's, complete but for names and the door.
pub(super) fn perform(stage: &Stage<'_>, watch: &Watch, deed: &Deed, door: Door, command: &str) -> Step {
    let who = match deed.who {
        Column::Administrator => &stage.administrator,
        Column::User => &stage.user,
    };
    let command = stage.named(&command.replace("{v}", virsh(door)));
    let before =
        deed.seen.is_refusal().then(|| stage.looked.take().unwrap_or_else(|| Look::now(&stage.names)));
    stage.looked.set(None);
    let since = watch.end();
    let ran = stage.sshd.within(&who.name, &command, Some(stage.interrupt));
    let state = before.map_or(State::NotCompared, |before| compare(stage, &before));
    let records = records(watch, since, &who.name, deed, &ran);
    let verdict = verdict(deed, &ran, &state, &records);
    Step {
        what: sentence(deed),
        who: who.name.clone(),
        door,
        command,
        exit: ran.exit,
        output: ran.output,
        state,
        records,
        verdict,
    }
}

/// What an attempt left is what the next one finds, so that nothing can change between two of them unseen.
fn compare(stage: &Stage<'_>, before: &Look) -> State {
    let after = Look::now(&stage.names);
    let state = before.compare(&after);
    stage.looked.set(Some(after));
    state
}

fn sentence(deed: &Deed) -> String {
    let who = match deed.who {
        Column::Administrator => "The Administrator",
        Column::User => "The User",
    };
    let verb = if deed.seen.is_refusal() { " tries and" } else { "" };
    let end = if deed.seen.is_refusal() { " is refused: he" } else { "" };
    format!("{who}{verb}{end} {}.", deed.what)
}

/// The records that show the deed; where there must be none, whatever there is of the account.
fn records(watch: &Watch, since: u64, account: &str, deed: &Deed, ran: &Ran) -> Vec<RecordLine> {
    let rows: Vec<Function> = deed.rows.iter().filter_map(|row| Function::from_number(*row)).collect();
    let of_account = |event: &Event| event.actor.as_ref().is_some_and(|actor| actor.account.name == account);
    let denied = |event: &Event| {
        of_account(event)
            && event.outcome == Outcome::Denied
            && matches!(event.kind, Kind::Denial | Kind::Repeated | Kind::Attempt | Kind::Connection)
    };
    let done = |event: &Event| of_account(event) && event.outcome == Outcome::Success;
    match deed.seen {
        Seen::Done if ran.succeeded() => {
            watch.records(since, |event| done(event) && rows.iter().any(|row| event.functions.contains(row)))
        }
        Seen::DoneAs(operation) if ran.succeeded() => {
            watch.records(since, |event| done(event) && event.operation == operation)
        }
        Seen::Row(row) => watch.records(since, |event| {
            denied(event) && event.functions.iter().any(|function| function.number() == row)
        }),
        Seen::Denied | Seen::Hidden | Seen::Says(_) | Seen::Refused => watch.records(since, denied),
        Seen::Done | Seen::DoneAs(_) | Seen::Quiet | Seen::Shut => watch.present(since, of_account),
    }
}

fn verdict(deed: &Deed, ran: &Ran, state: &State, records: &[RecordLine]) -> Verdict {
    if !deed.seen.is_refusal() {
        return done(ran, records);
    }
    if ran.succeeded() {
        return Verdict::fail("it was done, and must be refused");
    }
    if let State::Changed { how, .. } = state {
        return Verdict::fail(format!("it was refused, and something is different: {}", how.trim_end()));
    }
    if !looks_so(deed.seen, &ran.output) {
        return Verdict::fail("the refusal does not say what it must");
    }
    if records.is_empty() && deed.seen.is_ours() {
        return Verdict::fail("the trail has no record of the refusal");
    }
    Verdict::Pass
}

/// Whether a refusal says what it must.
fn looks_so(seen: Seen, text: &str) -> bool {
    let denied = text.contains("access denied");
    let hidden = ["not found", "failed to get", "there is no"].iter().any(|word| text.contains(word));
    match seen {
        Seen::Done | Seen::DoneAs(_) => false,
        Seen::Row(row) => denied && text.contains(&format!("(Table 3, {row})")),
        Seen::Denied => denied,
        Seen::Hidden => hidden,
        Seen::Says(words) => text.contains(words),
        Seen::Refused => denied || hidden,
        Seen::Quiet => true,
        Seen::Shut => !text.is_empty(),
    }
}

/// How a provider says that there is nothing on this host that it could set.
const NOTHING_THERE: &[&str] = &[
    "this host has no ",
    "; install rsyslog",
    "; install sssd-ldap",
    "; install libnss-sss",
    "; install libpam-sss",
    "; install ldap-utils",
    "is your own and would be mixed with ours",
];

fn done(ran: &Ran, records: &[RecordLine]) -> Verdict {
    if let Some(why) = nothing_there(&ran.output) {
        return Verdict::not_exercised(why);
    }
    if !ran.succeeded() {
        return Verdict::fail("it failed, and must be done");
    }
    if records.is_empty() {
        return Verdict::fail("the trail has no record of it");
    }
    Verdict::Pass
}

/// The words of a provider that has nothing to set here.
pub(super) fn nothing_there(output: &str) -> Option<&str> {
    let line = output.lines().find(|line| NOTHING_THERE.iter().any(|words| line.contains(words)));
    line.map(|line| line.trim_start_matches("virtwarden: "))
}
