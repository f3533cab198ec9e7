// SPDX-License-Identifier: Apache-2.0
//! Who is at the other end of a socket, as the kernel knows it. Nothing a client says takes part.

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::sys::socket::{getsockopt, sockopt};
use virtwarden_core::subject::{Account, Door, Login, Process, Subject};

use crate::accounts::Accounts;
use crate::sessions::Sessions;

/// The audit system's "nobody logged in for this".
const UNSET: u32 = u32::MAX;

/// Why a peer could not be told.
#[derive(Debug, PartialEq, Eq)]
pub enum PeerError {
    /// The process is gone, or its number belongs to another one now.
    Vanished,
    /// The kernel did not say who it is.
    Unknown(String),
    /// Its uid has no account.
    NoAccount(u32),
}

impl std::fmt::Display for PeerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PeerError::Vanished => f.write_str("the asking process is gone"),
            PeerError::Unknown(why) => write!(f, "the asking process is unknown: {why}"),
            PeerError::NoAccount(uid) => write!(f, "uid {uid} has no account on this host"),
        }
    }
}

impl std::error::Error for PeerError {}

/// The process that connected, fixed at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user when it connected.
    pub uid: u32,
    /// The process.
    pub process: Process,
    /// The login behind it.
    pub login: Option<Login>,
    /// The socket it used.
    pub door: Door,
}

impl Peer {
    /// Asks the kernel about the other end of `socket`.
    ///
    /// # Errors
    /// The process is gone or cannot be told.
    pub fn of(socket: &UnixStream, door: Door, accounts: &Accounts, now: Instant) -> Result<Self, PeerError> {
        let credentials = getsockopt(socket, sockopt::PeerCredentials).map_err(unknown)?;
        let pid = u32::try_from(credentials.pid()).ok().filter(|pid| *pid != 0).ok_or(PeerError::Vanished)?;
        let held = getsockopt(socket, sockopt::PeerPidfd).ok();
        let start_time = start_time(pid)?;
        let login = login(pid, accounts, now)?;
        if self::start_time(pid)? != start_time || held.is_some_and(|held| !still_names(&held, pid)) {
            return Err(PeerError::Vanished);
        }
        Ok(Self { uid: credentials.uid(), process: Process { pid, start_time }, login, door })
    }

    /// The subject behind the peer, with the groups and the login session that count now.
    ///
    /// # Errors
    /// The account is gone.
    pub fn subject(
        &self,
        accounts: &Accounts,
        sessions: &Sessions,
        now: Instant,
    ) -> Result<Subject, PeerError> {
        let membership = accounts.of_uid(self.uid, now).ok_or(PeerError::NoAccount(self.uid))?;
        Ok(Subject {
            account: membership.account.clone(),
            groups: membership.groups.clone(),
            login: self.login.clone(),
            authentication: sessions.authentication(&membership.account, self.login.as_ref()),
            process: self.process,
            door: self.door,
        })
    }
}

fn unknown(error: nix::Error) -> PeerError {
    PeerError::Unknown(error.to_string())
}

/// Field 22 of `/proc/PID/stat`; the command name before it may hold anything, so count from its end.
pub(crate) fn start_time(pid: u32) -> Result<u64, PeerError> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|_| PeerError::Vanished)?;
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).ok_or(PeerError::Vanished)?;
    fields.split_whitespace().nth(19).and_then(|field| field.parse().ok()).ok_or(PeerError::Vanished)
}

fn login(pid: u32, accounts: &Accounts, now: Instant) -> Result<Option<Login>, PeerError> {
    let (Some(uid), Some(session)) = (audit_number(pid, "loginuid")?, audit_number(pid, "sessionid")?) else {
        return Ok(None);
    };
    if uid == UNSET {
        return Ok(None);
    }
    let account = match accounts.of_uid(uid, now) {
        Some(membership) => membership.account.clone(),
        None => Account { name: format!("uid {uid}"), uid },
    };
    Ok(Some(Login { account, session }))
}

/// None: this kernel keeps no such number. A process that is gone is an error.
fn audit_number(pid: u32, name: &str) -> Result<Option<u32>, PeerError> {
    match std::fs::read_to_string(format!("/proc/{pid}/{name}")) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(_) if std::fs::exists(format!("/proc/self/{name}")).unwrap_or(true) => Err(PeerError::Vanished),
        Err(_) => Ok(None),
    }
}

/// Whether a process descriptor still stands for a live process of this number.
fn still_names(held: &OwnedFd, pid: u32) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", held.as_raw_fd())).unwrap_or_default();
    info.lines().filter_map(|line| line.strip_prefix("Pid:")).any(|text| text.trim().parse() == Ok(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_who_is_there() {
        let now = Instant::now();
        let accounts = Accounts::of_host(now);
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = Peer::of(&ours, Door::Libvirt, &accounts, now).unwrap();
        assert_eq!(peer.process.pid, std::process::id());
        assert_eq!(peer.uid, nix::unistd::geteuid().as_raw());
        let subject = peer.subject(&accounts, &Sessions::default(), now).unwrap();
        assert_eq!(subject.account.uid, peer.uid);
        assert_eq!(subject.door, Door::Libvirt);
    }

    #[test]
    fn a_process_that_is_gone_is_nobody() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert_eq!(start_time(pid), Err(PeerError::Vanished));
    }

    #[test]
    fn a_command_name_cannot_shift_the_start_time() {
        let own = start_time(std::process::id()).unwrap();
        assert!(own > 0);
    }

    #[test]
    fn an_account_that_is_gone_is_no_subject() {
        let now = Instant::now();
        let process = Process { pid: 1, start_time: 1 };
        let peer = Peer { uid: 3_999_999_999, process, login: None, door: Door::Libvirt };
        let subject = peer.subject(&Accounts::of_host(now), &Sessions::default(), now);
        assert_eq!(subject, Err(PeerError::NoAccount(3_999_999_999)));
    }
}
