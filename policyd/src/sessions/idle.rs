// SPDX-License-Identifier: Apache-2.0
//! Which remote sessions nobody has used for too long: row 15. Pure: what was seen comes in.
//!
//! Used means: typed in, or something asked for at the gate or the command that is more than looking. What
//! VMs do, events, console output and forwarded ports are nobody's doing and keep nothing alive.

use std::collections::{BTreeMap, BTreeSet};

use virtwarden_core::authentication::Origin;

use super::kind::Kind;
use super::table::{Session, Table};

/// A moment for each of some sessions, in seconds since 1970.
pub(super) type Moments = BTreeMap<u32, u64>;

/// Remote sessions that began and last asked for something that many seconds ago or earlier.
pub(super) fn quiet(table: &Table, asked: &Moments, limit: u32, now: u64) -> BTreeSet<u32> {
    let sessions = table.sessions.values().map(|session| &**session).filter(|session| is_remote(session));
    let last = |session: &Session| session.since.max(asked.get(&session.id).copied().unwrap_or_default());
    sessions.filter(|session| is_old(last(session), limit, now)).map(|session| session.id).collect()
}

/// Those of them in which nobody typed either.
pub(super) fn unused(quiet: &BTreeSet<u32>, typed: &Moments, limit: u32, now: u64) -> Vec<u32> {
    let last = |id: &u32| typed.get(id).copied().unwrap_or_default();
    quiet.iter().copied().filter(|id| is_old(last(id), limit, now)).collect()
}

fn is_remote(session: &Session) -> bool {
    let remote = match session.origin {
        Origin::Remote { .. } => true,
        Origin::Local { .. } => false,
    };
    remote && session.is_open() && session.kind == Kind::Login
}

fn is_old(moment: u64, limit: u32, now: u64) -> bool {
    now.saturating_sub(moment) >= u64::from(limit)
}

#[cfg(test)]
mod tests {
    use super::super::table::{End, Over};
    use super::super::tests::{alices, remote, table};
    use super::*;

    #[test]
    fn a_remote_session_is_idle_when_nobody_typed_and_nobody_asked() {
        for (since, asked, typed, now, idle) in [
            (1000, None, None, 1059, false),
            (1000, None, None, 1060, true),
            (1000, Some(1050), None, 1060, false),
            (1000, Some(1050), None, 1110, true),
            (1000, None, Some(1050), 1109, false),
            (1000, None, Some(1050), 1110, true),
            (1000, Some(1001), Some(1050), 1100, false),
            (1000, None, Some(2000), 1500, false),
        ] {
            let table = table([Session { since, ..remote(alices(5)) }]);
            let moments = |moment: Option<u64>| moment.map(|moment| (5, moment)).into_iter().collect();
            let quiet = quiet(&table, &moments(asked), 60, now);
            let unused = unused(&quiet, &moments(typed), 60, now);
            assert_eq!(unused == [5], idle, "{since} {asked:?} {typed:?} {now}");
        }
    }

    #[test]
    fn sessions_at_the_machine_and_those_that_are_over_are_left_alone() {
        let over = Session { end: Some(End { at: 1001, why: Over::Closed }), ..remote(alices(6)) };
        let job = Session { kind: Kind::Job, ..remote(alices(7)) };
        let table = table([alices(5), over, job]);
        assert!(quiet(&table, &Moments::new(), 60, u64::MAX).is_empty());
    }
}
