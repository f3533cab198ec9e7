// SPDX-License-Identifier: Apache-2.0
//! A session as people read it.

use virtwarden_core::authentication::Absence;
use virtwarden_core::control::{SessionRow, SessionState};

use crate::authentication::{how, how_in_short};
use crate::duration::spelled;
use crate::time;

/// The columns.
pub(super) const HEADERS: [&str; 7] =
    ["SESSION", "ACCOUNT", "FROM", "AUTHENTICATED BY", "SINCE (UTC)", "STATE", "RAISED FOR"];

/// One line; an asterisk marks the asker's own. `now` is in seconds since 1970.
pub(super) fn row(session: &SessionRow, own: Option<u32>, now: u64) -> [String; 7] {
    let mark = if own == Some(session.id) { " *" } else { "" };
    [
        format!("{}{mark}", session.id),
        session.account.name.clone(),
        session.origin.to_string(),
        session.authenticated.as_ref().map_or_else(|| nobody(session), how_in_short),
        time::of_seconds(session.since),
        state(session.state).to_owned(),
        raised(session, now).unwrap_or_else(|| "-".to_owned()),
    ]
}

/// All that is known of one.
pub(super) fn describe(session: &SessionRow, now: u64) -> Vec<[String; 2]> {
    let moment = |seconds: u64| format!("{} UTC", time::of_seconds(seconds));
    let idle = |active: u64| format!("{} ({} ago)", moment(active), spelled(now.saturating_sub(active)));
    let until = |end: u64| raised(session, now).map(|left| format!("{} (for {left})", moment(end)));
    let fields = [
        ("session", Some(session.id.to_string())),
        ("account", Some(format!("{} ({})", session.account.name, session.account.uid))),
        ("from", Some(session.origin.to_string())),
        ("authenticated by", Some(authenticated(session))),
        ("opened by", Some(format!("{}, process {}", session.service, session.leader))),
        ("since", Some(moment(session.since))),
        ("ended", session.until.map(moment)),
        ("last used", session.active.map(idle)),
        ("raised until", session.raised_until.and_then(until)),
        ("state", Some(state(session.state).to_owned())),
        ("what to do", advice(session.state).map(str::to_owned)),
    ];
    fields.into_iter().filter_map(|(name, value)| value.map(|value| [name.to_owned(), value])).collect()
}

fn authenticated(session: &SessionRow) -> String {
    session.authenticated.as_ref().map_or_else(|| nobody(session), how)
}

fn nobody(session: &SessionRow) -> String {
    format!("- ({})", session.service)
}

fn raised(session: &SessionRow, now: u64) -> Option<String> {
    session.raised_until.filter(|until| *until > now).map(|until| spelled(until - now))
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Active => "active",
        SessionState::Plain(absence) => short(absence),
        SessionState::Closed => "over",
    }
}

/// Why Administrator roles do not count, in a few words.
fn short(absence: Absence) -> &'static str {
    match absence {
        Absence::NoSession => "no login",
        Absence::Unproved => "not authenticated",
        Absence::Ended => "over",
        Absence::Idle => "over: idle",
        Absence::OtherAccount => "another account's",
        Absence::NotRaised => "not raised",
        Absence::BannerNotAccepted => "banner not accepted",
    }
}

fn advice(state: SessionState) -> Option<&'static str> {
    match state {
        SessionState::Active | SessionState::Closed => None,
        SessionState::Plain(absence) => Some(absence.advice()),
    }
}

#[cfg(test)]
mod tests {
    use virtwarden_core::authentication::{Authenticated, Factor, Origin};
    use virtwarden_core::subject::Account;

    use super::*;

    fn alices() -> SessionRow {
        let origin = Origin::Remote { address: "192.0.2.7".to_owned() };
        let factors = vec![Factor::Password];
        let service = "sshd".to_owned();
        SessionRow {
            id: 7,
            account: Account { name: "alice".to_owned(), uid: 1000 },
            authenticated: Some(Authenticated { origin: origin.clone(), service: service.clone(), factors }),
            service,
            origin,
            leader: 4711,
            since: 1_795_253_415,
            until: None,
            raised_until: Some(1_795_253_415 + 900),
            active: Some(1_795_253_415),
            state: SessionState::Active,
        }
    }

    #[test]
    fn a_session_is_who_from_where_how_since_when_and_how_it_stands() {
        let now = 1_795_253_415 + 300;
        let since = "2026-11-21 09:30:15";
        assert_eq!(
            row(&alices(), Some(7), now),
            ["7 *", "alice", "192.0.2.7", "password (sshd)", since, "active", "10 min"]
        );
        let cron = SessionRow {
            authenticated: None,
            service: "cron".to_owned(),
            origin: Origin::Local { terminal: String::new() },
            state: SessionState::Plain(Absence::Unproved),
            raised_until: Some(now - 1),
            ..alices()
        };
        assert_eq!(
            row(&cron, None, now),
            ["7", "alice", "local", "- (cron)", since, "not authenticated", "-"]
        );
    }

    #[test]
    fn where_a_session_is_plain_it_says_what_to_do() {
        let plain = SessionRow { state: SessionState::Plain(Absence::NotRaised), ..alices() };
        let told = describe(&plain, 1_795_253_415 + 300);
        let value =
            |name: &str| told.iter().find(|[known, _]| known == name).map(|[_, value]| value.as_str());
        assert_eq!(value("raised until"), Some("2026-11-21 09:45:15 UTC (for 10 min)"));
        assert!(value("what to do").unwrap().contains("virtwarden session elevate"));
        assert_eq!(value("ended"), None);
    }
}
