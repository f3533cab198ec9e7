// SPDX-License-Identifier: Apache-2.0
//! A record as one line for people.

use virtwarden_core::authentication::Origin;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::Door;
use virtwarden_core::trail::line::Line;

use crate::functions::named;
use crate::output::listed;
use crate::time;

/// The columns.
pub(super) const HEADERS: [&str; 10] =
    ["SEQ", "TIME (UTC)", "PERSON", "FROM", "ROLE", "OPERATION", "FUNCTION", "OBJECT", "OUTCOME", "DETAIL"];

/// How much of a detail a line has room for.
const DETAIL: usize = 100;

/// Writes a record as one line.
pub(super) fn row(line: &Line) -> [String; 10] {
    let event = line.entry.event();
    [
        line.seq.to_string(),
        time::format(line.stamp.time),
        person(&event),
        origin(&event).map_or_else(|| "-".to_owned(), ToString::to_string),
        listed(event.actor.iter().flat_map(|actor| &actor.roles)),
        event.operation.clone(),
        listed(event.functions.iter().copied().map(named)),
        listed(event.targets.iter().map(object)),
        outcome(&event),
        shortened(&event.detail),
    ]
}

/// Writes a record as a sentence for reports: time, person, operation, functions, objects, outcome, detail.
pub(crate) fn sentence(line: &Line) -> String {
    let [_, time, person, from, role, operation, function, object, outcome, _] = row(line);
    let detail = line.entry.event().detail.clone();
    format!("{time} {person} from {from} ({role}): {operation} [{function}] {object}: {outcome} {detail}")
}

/// Who logged in, and as whom he acted if that is somebody else. A login program that asks before anybody is in
/// is no person.
pub(super) fn person(event: &Event) -> String {
    let Some(actor) = &event.actor else { return "-".to_owned() };
    match &actor.login {
        None if actor.door == Door::Login && actor.account.uid == 0 => "-".to_owned(),
        Some(login) if login.account != actor.account => {
            format!("{} (as {})", login.account.name, actor.account.name)
        }
        Some(_) | None => actor.account.name.clone(),
    }
}

/// Where from: a login says it itself, everything else has it from the login it was done in.
pub(super) fn origin(event: &Event) -> Option<&Origin> {
    let login = || event.actor.as_ref()?.authenticated.as_ref().map(|authenticated| &authenticated.origin);
    event.origin.as_ref().or_else(login)
}

/// The kind and name of an object; a VM needs no kind.
pub(super) fn object(target: &Target) -> String {
    let name = target.name.clone().or_else(|| target.uuid.map(|uuid| uuid.to_string()));
    match name {
        Some(name) if target.kind == "vm" => name,
        Some(name) => format!("{} {name}", target.kind),
        None => target.kind.clone(),
    }
}

/// How it ended, in the words that filters take.
pub(super) fn outcome(event: &Event) -> String {
    let word = word(event.outcome);
    match event.count.filter(|_| event.kind == Kind::Repeated) {
        Some(count) => format!("{word} x{count}"),
        None => word.to_owned(),
    }
}

/// An outcome in one word.
pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::Denied => "denied",
        Outcome::Unknown => "unknown",
    }
}

/// The first line, as far as there is room.
fn shortened(detail: &str) -> String {
    let detail = detail.trim_end();
    let start: String = detail.lines().next().unwrap_or_default().chars().take(DETAIL).collect();
    if start.len() == detail.len() { start } else { format!("{start}...") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtwarden_core::authentication::{Authenticated, Factor};
    use virtwarden_core::record::Actor;
    use virtwarden_core::subject::{Account, Login, Process};
    use virtwarden_core::trail::entry::of_trail;

    fn account(name: &str) -> Account {
        Account { name: name.to_owned(), uid: 1 }
    }

    fn by(name: &str, login: Option<&str>) -> Event {
        let actor = Actor {
            account: account(name),
            login: login.map(|name| Login { account: account(name), session: 1 }),
            authenticated: None,
            roles: Vec::new(),
            process: Process { pid: 1, start_time: 1 },
            door: Door::Libvirt,
        };
        Event { actor: Some(actor), ..of_trail("x", Outcome::Success, String::new()) }
    }

    #[test]
    fn the_person_is_who_logged_in() {
        assert_eq!(person(&by("bob", Some("bob"))), "bob");
        assert_eq!(person(&by("root", Some("bob"))), "bob (as root)");
        assert_eq!(person(&by("root", None)), "root");
        let mut failed = by("root", None);
        if let Some(actor) = &mut failed.actor {
            actor.account.uid = 0;
            actor.door = Door::Login;
        }
        assert_eq!(person(&failed), "-");
        assert_eq!(person(&of_trail("x", Outcome::Success, String::new())), "-");
    }

    #[test]
    fn where_from_is_the_events_own_word_or_the_logins() {
        let remote = |address: &str| Origin::Remote { address: address.to_owned() };
        let mut event = by("bob", Some("bob"));
        assert_eq!(origin(&event), None);
        let authenticated = Authenticated {
            origin: remote("192.0.2.7"),
            service: "sshd".to_owned(),
            factors: vec![Factor::Pam],
        };
        event.actor.as_mut().unwrap().authenticated = Some(authenticated);
        assert_eq!(origin(&event), Some(&remote("192.0.2.7")));
        event.origin = Some(remote("192.0.2.8"));
        assert_eq!(origin(&event), Some(&remote("192.0.2.8")));
    }

    #[test]
    fn a_long_or_many_lined_detail_is_cut() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened("one\ntwo"), "one...");
        assert_eq!(shortened(&"x".repeat(200)), format!("{}...", "x".repeat(100)));
    }

    #[test]
    fn refusals_that_were_counted_say_how_many() {
        let counted =
            Event { kind: Kind::Repeated, count: Some(50), outcome: Outcome::Denied, ..by("bob", None) };
        assert_eq!(outcome(&counted), "denied x50");
    }
}
