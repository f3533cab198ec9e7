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
    let known = known_to_logind(host, session);
    if known.is_empty() {
        return signal(host, session, leader);
    }
    known.iter().map(|id| terminate(host, id)).collect()
}

fn terminate(host: &Host, id: &str) -> Result<String, String> {
    host.must(&[LOGINCTL, "terminate-session", id]).map(|_| format!("session {id} of logind ended"))
}

/// The names that logind has for sessions of this audit session id.
fn known_to_logind(host: &Host, session: u32) -> Vec<String> {
    let entries = fs::read_dir(host.root().join(SESSIONS)).into_iter().flatten().flatten();
    let is_it =
        |text: &str| text.lines().any(|line| line.strip_prefix("AUDIT=") == Some(&session.to_string()));
    let named = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let text = fs::read_to_string(entry.path()).ok()?;
        let plain = name.chars().all(|character| character.is_ascii_alphanumeric());
        (plain && is_it(&text)).then_some(name)
    };
    let mut known: Vec<_> = entries.filter_map(named).collect();
    known.sort_unstable();
    known
}

/// The leader is held by a descriptor before it is looked at, so that no other process which gets its
/// number later can be meant.
fn signal(host: &Host, session: u32, leader: u32) -> Result<Vec<String>, String> {
    let gone = || format!("session {session} has ended already");
    let pid = i32::try_from(leader).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw).ok_or_else(gone)?;
    let held = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone())?;
    let its = fs::read_to_string(host.root().join(format!("proc/{leader}/sessionid"))).map_err(|_| gone())?;
    if its.trim() != session.to_string() {
        return Err(gone());
    }
    pidfd_send_signal(&held, Signal::TERM)
        .map_err(|error| format!("process {leader} could not be told: {error}"))?;
    Ok(vec![format!("process {leader}, which led the session, was told to end")])
}

#[cfg(test)]
mod tests;
