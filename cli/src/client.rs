// SPDX-License-Identifier: Apache-2.0
//! The command's end of the control socket.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use virtwarden_core::control::{Failure, FailureKind, LineError, LineReader, Reply, Request, encode};

use crate::exit::{Exit, Failed};

/// How long policyd may be silent: longer than it waits for libvirtd itself, so that its own word on that arrives.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(100) } else { Duration::from_secs(30) };
/// How long it may be silent while it goes through the whole trail.
const LONG: Duration = Duration::from_secs(600);

/// How long for somebody who is typing.
const AT_ONCE: Duration = Duration::from_millis(500);

/// A connection to policyd.
#[derive(Debug)]
pub(crate) struct Client {
    lines: LineReader<UnixStream>,
    pace: Pace,
}

/// How long policyd is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// As long as the question may take.
    Patient,
    /// As long as nobody notices.
    Hurried,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(socket: &Path) -> Result<Self, Failed> {
        let stream = UnixStream::connect(socket).map_err(|error| unreachable_policyd(socket, &error))?;
        Ok(Self { lines: LineReader::new(stream), pace: Pace::Patient })
    }

    /// Connects for a question that is not worth waiting for.
    pub(crate) fn hurried(socket: &Path) -> Result<Self, Failed> {
        Ok(Self { pace: Pace::Hurried, ..Self::connect(socket)? })
    }

    /// Asks one thing and waits for its one answer. A refusal is an error.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Reply, Failed> {
        self.send(request)?;
        self.receive()
    }

    /// Asks for a stream of records and hands each line to `each`.
    pub(crate) fn records(
        &mut self,
        request: &Request,
        mut each: impl FnMut(&str) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        self.stream(request, |reply| {
            let Reply::Record { line } = reply else { return Err(unexpected()) };
            each(&line)
        })
    }

    /// Asks for a stream and hands each reply to `each`.
    pub(crate) fn stream(
        &mut self,
        request: &Request,
        mut each: impl FnMut(Reply) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        self.send(request)?;
        for received in 0_u64.. {
            let reply = self.receive()?;
            if let Reply::End { replies } = reply {
                return check_count(received, replies);
            }
            each(reply)?;
        }
        Ok(())
    }

    fn send(&mut self, request: &Request) -> Result<(), Failed> {
        let line = encode(request).map_err(|error| broken(&error))?;
        let longest = match self.pace {
            Pace::Patient => patience(request),
            Pace::Hurried => Some(AT_ONCE),
        };
        let stream = self.lines.stream();
        let sent = stream
            .set_read_timeout(longest)
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .and_then(|()| stream.write_all(&line));
        sent.map_err(|error| broken(&LineError::Io(error)))
    }

    fn receive(&mut self) -> Result<Reply, Failed> {
        match self.lines.receive::<Reply>().map_err(|error| broken(&error))? {
            Some(Reply::Failed(failure)) => Err(refused(failure)),
            Some(reply) => Ok(reply),
            None => Err(Failed::error(
                "policyd closed the connection without an answer; see `journalctl -u virtwarden-policyd`",
            )),
        }
    }
}

/// One question on a connection of its own.
pub(crate) fn ask(socket: &Path, request: &Request) -> Result<Reply, Failed> {
    Client::connect(socket)?.ask(request)
}

/// An answer to another question than was asked.
pub(crate) fn unexpected() -> Failed {
    Failed::error(
        "policyd gave an answer that does not fit the question; `virtwarden status` shows its version",
    )
}

fn check_count(received: u64, sent: u64) -> Result<(), Failed> {
    if received == sent {
        return Ok(());
    }
    Err(Failed::error(format!("only {received} of {sent} answers arrived; try again")))
}

fn refused(failure: Failure) -> Failed {
    let exit = match failure.kind {
        FailureKind::Usage => Exit::Usage,
        FailureKind::Denied => Exit::Denied,
        FailureKind::NotFound => Exit::NotFound,
        FailureKind::Unavailable | FailureKind::Error => Exit::Error,
    };
    Failed { exit, message: failure.message }
}

/// None: it may take as long as it likes, for a person ends it.
fn patience(request: &Request) -> Option<Duration> {
    match request {
        Request::AuditFollow { .. } | Request::MediaWatch => None,
        Request::AuditList { .. }
        | Request::PolicySimulate { .. }
        | Request::AuditExport { .. }
        | Request::AuditDelete { .. }
        | Request::AuditVerify => Some(LONG),
        Request::Status
        | Request::Table
        | Request::Whoami
        | Request::VmList
        | Request::VmShow { .. }
        | Request::VmAssign { .. }
        | Request::VmUnassign { .. }
        | Request::VmDomain { .. }
        | Request::VmSensitive { .. }
        | Request::VmTemplates
        | Request::VmCreate { .. }
        | Request::NetworkList
        | Request::NetworkShow { .. }
        | Request::NetworkAssign { .. }
        | Request::NetworkUnassign { .. }
        | Request::NetworkCreate { .. }
        | Request::NetworkDelete { .. }
        | Request::RoleList
        | Request::RoleReview
        | Request::RoleChange { .. }
        | Request::RoleDone { .. }
        | Request::PolicyShow
        | Request::PolicyReload { .. }
        | Request::PolicyTry { .. }
        | Request::PolicyConfirm
        | Request::PolicyExplain { .. }
        | Request::PolicyDiff { .. }
        | Request::PolicyFormer
        | Request::PolicyRecall { .. }
        | Request::AuditKeys
        | Request::Update { .. }
        | Request::UpdateDone { .. }
        | Request::SessionList
        | Request::SessionShow { .. }
        | Request::SessionEnd { .. }
        | Request::SessionElevate
        | Request::SessionLower
        | Request::BannerAccept
        | Request::ScreenShow
        | Request::ScreenOwn { .. }
        | Request::LockoutList
        | Request::LockoutShow { .. }
        | Request::LockoutUnlock { .. }
        | Request::SettingList
        | Request::SettingShow { .. }
        | Request::SettingSet { .. }
        | Request::SettingUnset { .. }
        | Request::Sharing(..)
        | Request::MediaList { .. }
        | Request::MediaInsert { .. }
        | Request::MediaEject { .. }
        | Request::MediaConnect { .. }
        | Request::MediaDisconnect { .. }
        | Request::MediaPending
        | Request::MediaConfirm { .. }
        | Request::DeviceClasses
        | Request::SettingConfirm { .. }
        | Request::Hook(..) => Some(PATIENCE),
    }
}

fn broken(error: &LineError) -> Failed {
    match error {
        LineError::Io(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            Failed::error(
                "policyd does not answer; see `systemctl status virtwarden-policyd` and \
                 `journalctl -u virtwarden-policyd`",
            )
        }
        LineError::Io(_)
        | LineError::TooLong
        | LineError::Truncated
        | LineError::Version(_)
        | LineError::Malformed(_) => Failed::error(error.to_string()),
    }
}

fn unreachable_policyd(socket: &Path, error: &io::Error) -> Failed {
    let socket = socket.display();
    if error.kind() == io::ErrorKind::NotFound {
        return Failed::error(
            "virtwarden is not enabled on this host; run `sudo virtwarden enable --admin USER`",
        );
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Failed {
            exit: Exit::Denied,
            message: format!(
                "may not connect to `{socket}`: {error}; its mode should be 0666, see `virtwarden doctor`"
            ),
        };
    }
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Failed::error(
            "virtwarden-policyd is not running; try `sudo systemctl start virtwarden-policyd` and see \
             `journalctl -u virtwarden-policyd`",
        );
    }
    Failed::error(format!("cannot connect to `{socket}`: {error}"))
}

#[cfg(test)]
mod tests {
    use virtwarden_core::control::AuditFilter;

    use super::*;

    #[test]
    fn a_policyd_that_says_nothing_is_not_waited_for() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut client = Client { lines: LineReader::new(ours), pace: Pace::Patient };
        let failed = client.ask(&Request::Status).unwrap_err();
        assert!(failed.message.contains("policyd does not answer"), "{}", failed.message);
    }

    #[test]
    fn only_a_follower_waits_for_ever() {
        assert!(patience(&Request::AuditFollow { filter: AuditFilter::default() }).is_none());
        assert_eq!(patience(&Request::AuditVerify), Some(LONG));
        assert_eq!(patience(&Request::VmList), Some(PATIENCE));
    }
}
