// SPDX-License-Identifier: Apache-2.0
//! Which records of the audit trail are asked for.

use serde::{Deserialize, Serialize};

use crate::record::{Event, Kind, Outcome};
use crate::setting::SettingName;
use crate::table3::Function;

/// Whether the trail's own marks are shown: where a segment begins, and each seal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marks {
    /// They are not: a busy trail is sealed every second.
    #[default]
    Hidden,
    /// They are.
    Shown,
}

/// Which records to show. An empty filter matches every record; each field narrows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditFilter {
    /// The person: the login account, or the account where no login is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// A VM, by name at the time or by UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<String>,
    /// A removable medium, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// A setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<SettingName>,
    /// A function of Table 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    /// What kind of event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Not before this time, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Not after this time, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Only the last so many of those that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Whether the trail's own marks are among them. The reader's business as well.
    #[serde(default)]
    pub marks: Marks,
}

impl AuditFilter {
    /// Whether an event that was recorded at `time` (microseconds since 1970 UTC) is asked for.
    /// The limit is the reader's business.
    pub fn matches(&self, event: &Event, time: u64) -> bool {
        self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time <= until)
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self.function.is_none_or(|function| event.functions.contains(&function))
            && self.person.as_ref().is_none_or(|person| is_by(event, person))
            && self.vm.as_ref().is_none_or(|vm| is_about(event, vm))
            && self.medium.as_ref().is_none_or(|id| is_about_named(event, "medium", id))
            && self.setting.is_none_or(|name| is_about_setting(event, name.word()))
    }
}

/// Everybody's, and what somebody has stricter for himself.
fn is_about_setting(event: &Event, name: &str) -> bool {
    is_about_named(event, "setting", name) || is_about_named(event, "own-setting", name)
}

/// A person is found by either name: who logged in, and whose rights counted. A login is also found by the
/// account that was to be entered: whoever failed to is nobody yet.
fn is_by(event: &Event, person: &str) -> bool {
    let acts = event.actor.as_ref().is_some_and(|actor| {
        let login = actor.login.as_ref().map(|login| login.account.name.as_str());
        login == Some(person) || actor.account.name == person
    });
    acts || is_claimed(event, person)
}

fn is_claimed(event: &Event, account: &str) -> bool {
    let mut targets = event.targets.iter();
    targets.any(|target| target.kind == "account" && target.name.as_deref() == Some(account))
}

fn is_about(event: &Event, vm: &str) -> bool {
    event.targets.iter().filter(|target| target.kind == "vm").any(|target| {
        target.name.as_deref() == Some(vm) || target.uuid.is_some_and(|uuid| uuid.to_string() == vm)
    })
}

fn is_about_named(event: &Event, kind: &str, name: &str) -> bool {
    event.targets.iter().any(|target| target.kind == kind && target.name.as_deref() == Some(name))
}

/// What of the trail is to go: every whole segment before this point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Before {
    /// Segments with a smaller number.
    Segment(u64),
    /// Segments in which everything is older than this, in microseconds since 1970 UTC.
    Time(u64),
}

/// What a copy of the trail is checked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailKeys {
    /// The public keys that sealed it, oldest first, as a PEM file.
    pub keys: String,
    /// The newest checkpoint that is kept apart from it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// A range of sequence numbers, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRange {
    /// The first; none means the oldest that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The last; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

impl AuditRange {
    /// Whether a sequence number lies in the range.
    pub fn contains(&self, sequence: u64) -> bool {
        self.from.is_none_or(|from| sequence >= from) && self.to.is_none_or(|to| sequence <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Uuid;
    use crate::record::{Actor, Kind, Target};
    use crate::subject::{Account, Door, Login, Process};

    fn account(name: &str, uid: u32) -> Account {
        Account { name: name.to_owned(), uid }
    }

    /// bob logged in and became root to start `bobvm`.
    fn start_by_bob_as_root() -> Event {
        Event {
            origin: None,
            kind: Kind::Attempt,
            outcome: Outcome::Pending,
            actor: Some(Actor {
                account: account("root", 0),
                login: Some(Login { account: account("bob", 1001), session: 4 }),
                authenticated: None,
                roles: vec!["administrator".to_owned()],
                process: Process { pid: 10, start_time: 1 },
                door: Door::Libvirt,
            }),
            operation: "DOMAIN_CREATE".to_owned(),
            functions: vec![Function::Start],
            targets: vec![Target {
                kind: "vm".to_owned(),
                name: Some("bobvm".to_owned()),
                uuid: Some(Uuid([7; 16])),
                ..Target::default()
            }],
            detail: String::new(),
            of: None,
            count: None,
        }
    }

    #[test]
    fn each_field_narrows() {
        let event = start_by_bob_as_root();
        let all = AuditFilter::default();
        let rows: [(AuditFilter, bool); 14] = [
            (all.clone(), true),
            (AuditFilter { person: Some("bob".into()), ..all.clone() }, true),
            (AuditFilter { person: Some("root".into()), ..all.clone() }, true),
            (AuditFilter { person: Some("alice".into()), ..all.clone() }, false),
            (AuditFilter { vm: Some("bobvm".into()), ..all.clone() }, true),
            (AuditFilter { vm: Some(Uuid([7; 16]).to_string()), ..all.clone() }, true),
            (AuditFilter { vm: Some("finance".into()), ..all.clone() }, false),
            (AuditFilter { function: Some(Function::Start), ..all.clone() }, true),
            (AuditFilter { function: Some(Function::Stop), ..all.clone() }, false),
            (AuditFilter { outcome: Some(Outcome::Pending), ..all.clone() }, true),
            (AuditFilter { outcome: Some(Outcome::Denied), ..all.clone() }, false),
            (AuditFilter { since: Some(100), until: Some(100), ..all.clone() }, true),
            (AuditFilter { since: Some(101), ..all.clone() }, false),
            (AuditFilter { until: Some(99), ..all }, false),
        ];
        for (filter, expected) in rows {
            assert_eq!(filter.matches(&event, 100), expected, "{filter:?}");
        }
    }

    #[test]
    fn a_login_is_found_by_its_kind_and_by_the_account_that_was_to_be_entered() {
        let mut event = start_by_bob_as_root();
        event.kind = Kind::Login;
        event.targets =
            vec![Target { kind: "account".to_owned(), name: Some("carol".to_owned()), ..Target::default() }];
        let logins = AuditFilter { kind: Some(Kind::Login), ..AuditFilter::default() };
        for (person, found) in [("carol", true), ("bob", true), ("alice", false)] {
            let filter = AuditFilter { person: Some(person.into()), ..logins.clone() };
            assert_eq!(filter.matches(&event, 0), found, "{person}");
        }
        event.kind = Kind::Attempt;
        assert!(!logins.matches(&event, 0));
    }

    #[test]
    fn a_network_named_like_a_vm_is_not_the_vm() {
        let mut event = start_by_bob_as_root();
        event.targets[0].kind = "network".to_owned();
        assert!(!AuditFilter { vm: Some("bobvm".into()), ..AuditFilter::default() }.matches(&event, 0));
    }

    #[test]
    fn a_setting_is_found_by_its_name_and_not_by_a_medium_of_that_name() {
        let mut event = start_by_bob_as_root();
        event.targets[0] =
            Target { kind: "setting".to_owned(), name: Some("lockout".to_owned()), ..Target::default() };
        let lockout = AuditFilter { setting: Some(SettingName::Lockout), ..AuditFilter::default() };
        assert!(lockout.matches(&event, 0));
        assert!(
            !AuditFilter { setting: Some(SettingName::Banner), ..AuditFilter::default() }.matches(&event, 0)
        );
        event.targets[0].kind = "own-setting".to_owned();
        assert!(lockout.matches(&event, 0));
        event.targets[0].kind = "medium".to_owned();
        assert!(!lockout.matches(&event, 0));
    }

    #[test]
    fn a_range_includes_both_ends() {
        let range = AuditRange { from: Some(3), to: Some(5) };
        assert_eq!((2..=6).filter(|n| range.contains(*n)).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(AuditRange::default().contains(0));
    }
}
