// SPDX-License-Identifier: Apache-2.0
//! Ends a login session: through logind where it knows the session, else by its leader.

use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::host::Host;

const LOGINCTL: &str = "/usr/bin/loginctl";
/// logind's own record of each session.
const SESSIONS: &str = "run/systemd/sessions";

/// Ends the session that has this audit session id.
///
/// # Errors
/// Nobody could end it.
pub(crate) fn end(host: &Host, session: u32, leader: u32) -> Result<Vec<String>, String> {
    let known = known_to_logind(host, session, leader);
    if known.is_empty() {
        return signal(host, session, leader);
    }
    known.iter().map(|id| terminate(host, id)).collect()
}

fn terminate(host: &Host, id: &str) -> Result<String, String> {
    host.must(&[LOGINCTL, "terminate-session", id]).map(|_| format!("session {id} of logind ended"))
}

/// The names that logind has for the session: by its audit session id, which logind does not note in a
/// container, or by its leader, if that is of this session.
fn known_to_logind(host: &Host, session: u32, leader: u32) -> Vec<String> {
    let audit = format!("AUDIT={session}");
    let leads = (audit_session(host, leader) == Some(session)).then(|| format!("LEADER={leader}"));
    let is_it = |text: &str| text.lines().any(|line| line == audit || Some(line) == leads.as_deref());
    let entries = fs::read_dir(host.root().join(SESSIONS)).into_iter().flatten().flatten();
    let named = |entry: fs::DirEntry| {
        // Beside the records lie pipes, which nobody would ever answer on.
        let record = entry.file_type().is_ok_and(|kind| kind.is_file());
        let name = entry.file_name().into_string().ok().filter(|_| record)?;
        let plain = name.chars().all(|character| character.is_ascii_alphanumeric());
        let text = fs::read_to_string(entry.path()).ok()?;
        (plain && is_it(&text)).then_some(name)
    };
    let mut known: Vec<_> = entries.filter_map(named).collect();
    known.sort_unstable();
    known
}

/// The audit session id of a process; none if there is no such process.
fn audit_session(host: &Host, process: u32) -> Option<u32> {
    let text = fs::read_to_string(host.root().join(format!("proc/{process}/sessionid"))).ok()?;
    text.trim().parse().ok()
}

/// The leader is held by a descriptor before it is looked at, so that no other process which gets its
/// number later can be meant.
fn signal(host: &Host, session: u32, leader: u32) -> Result<Vec<String>, String> {
    let gone = || format!("session {session} has ended already");
    let pid = i32::try_from(leader).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw).ok_or_else(gone)?;
    let held = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone())?;
    if audit_session(host, leader) != Some(session) {
        return Err(gone());
    }
    pidfd_send_signal(&held, Signal::TERM)
        .map_err(|error| format!("process {leader} could not be told: {error}"))?;
    Ok(vec![format!("process {leader}, which led the session, was told to end")])
}

#[cfg(test)]
mod tests;
