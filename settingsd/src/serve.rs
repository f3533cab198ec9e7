// SPDX-License-Identifier: Apache-2.0
//! The socket: one order on a connection, one connection at a time, for root and policyd alone.

use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use virtwarden_core::control::{LineReader, Order, Report, encode};

use crate::host::Host;
use crate::order::carry_out;

/// How long nobody must come for us to end; systemd starts us again with the next order.
const IDLE: Duration = Duration::from_secs(30);
/// How long a client may take to say its order, and to read what came of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an order may take; policyd gives up after 90 s. Each program that it runs has 10 s.
const LONGEST: Duration = Duration::from_secs(80);

/// Who may order: root and policyd's account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masters {
    policyd: Option<u32>,
}

impl Masters {
    /// Those of this host, by the account database; without policyd's account root alone.
    pub(crate) fn of_host() -> Self {
        let account = nix::unistd::User::from_name("virtwarden").ok().flatten();
        Self { policyd: account.map(|account| account.uid.as_raw()) }
    }

    fn include(self, uid: u32) -> bool {
        uid == 0 || Some(uid) == self.policyd
    }
}

/// Serves until nobody has come for a while, or the host has become another than the one that it sees.
///
/// # Errors
/// The listener is unusable.
pub(crate) fn serve(listener: &UnixListener, host: &Host, masters: Masters) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    while !host.is_outgrown() && is_wanted(listener, IDLE)? {
        match listener.accept() {
            Ok((client, _)) => attend(client, host, masters),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_wanted(listener: &UnixListener, idle: Duration) -> io::Result<bool> {
    let timeout = Timespec::try_from(idle).map_err(io::Error::other)?;
    Ok(poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&timeout))? > 0)
}

fn attend(client: UnixStream, host: &Host, masters: Masters) {
    let answered = heard(&client, masters).and_then(|order| {
        let report = order.map_or_else(Report::Failed, |order| {
            let _deadline = Deadline::begin(LONGEST);
            let report = carry_out(host, &order);
            eprintln!("virtwarden-settingsd: {}: {}", title(&order), outcome(&report));
            report
        });
        answer(&client, &report)
    });
    if let Err(error) = answered {
        eprintln!("virtwarden-settingsd: a client went away: {error}");
    }
}

/// An order that hangs, in whatever, must not keep all that come after it waiting: the process ends, systemd starts
/// it with the next order, and what was half done shows as differing until it is set again or given back.
struct Deadline(#[expect(dead_code, reason = "the end of it is what is waited for")] Sender<()>);

impl Deadline {
    /// Ends the process after so long, unless it is dropped before.
    fn begin(longest: Duration) -> Self {
        let (over, wait) = channel::<()>();
        let watch = move || {
            if wait.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
                eprintln!("virtwarden-settingsd: an order took more than {} s", longest.as_secs());
                std::process::exit(75);
            }
        };
        if let Err(error) = thread::Builder::new().name("deadline".to_owned()).spawn(watch) {
            eprintln!("virtwarden-settingsd: nobody watches how long this takes: {error}");
        }
        Self(over)
    }
}

/// The order, or what is wrong with it or with who gives it.
fn heard(client: &UnixStream, masters: Masters) -> io::Result<Result<Order, String>> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let uid = getsockopt(client, sockopt::PeerCredentials)?.uid();
    if !masters.include(uid) {
        eprintln!("virtwarden-settingsd: refused a client with uid {uid}");
        return Ok(Err("access denied: settingsd takes orders from policyd and root alone".to_owned()));
    }
    Ok(match LineReader::new(client).receive::<Order>() {
        Ok(Some(order)) => Ok(order),
        Ok(None) => Err("no order was given".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

fn answer(mut client: &UnixStream, report: &Report) -> io::Result<()> {
    let line = encode(report).map_err(io::Error::other)?;
    client.write_all(&line)
}

fn title(order: &Order) -> String {
    match order {
        Order::Apply { setting, mode } => format!("apply {} ({mode:?})", setting.name()),
        Order::Withdraw { name, mode } => format!("withdraw {name} ({mode:?})"),
        Order::Inspect { setting } => format!("inspect {}", setting.name()),
        Order::UsbStorage { port, wish } => format!("USB storage at {port} ({wish:?})"),
        Order::EndSession { session, .. } => format!("end session {session}"),
    }
}

fn outcome(report: &Report) -> String {
    match report {
        Report::Done(lines) => format!("done, {} lines", lines.len()),
        Report::Drift(lines) => format!("{} differences", lines.len()),
        Report::Failed(why) => format!("failed: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_in_time_ends_nothing() {
        drop(Deadline::begin(Duration::from_millis(20)));
        thread::sleep(Duration::from_millis(60));
    }

    #[test]
    fn root_and_policyd_may_order_and_nobody_else() {
        let masters = Masters { policyd: Some(990) };
        for (uid, expected) in [(0, true), (990, true), (1000, false), (u32::MAX, false)] {
            assert_eq!(masters.include(uid), expected, "{uid}");
            assert_eq!(Masters { policyd: None }.include(uid), uid == 0, "{uid}");
        }
    }

    #[test]
    fn what_is_no_order_is_answered_so() {
        for said in [
            &b""[..],
            b"\n",
            b"{\"protocol\":1,\"message\":\"reboot\"}\n",
            b"{\"protocol\":9,\"message\":1}\n",
        ] {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            theirs.write_all(said).unwrap();
            theirs.shutdown(std::net::Shutdown::Write).unwrap();
            let uid = getsockopt(&ours, sockopt::PeerCredentials).unwrap().uid();
            assert!(heard(&ours, Masters { policyd: Some(uid) }).unwrap().is_err());
        }
    }

    #[test]
    fn a_stranger_is_refused_before_he_is_heard() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let uid = getsockopt(&ours, sockopt::PeerCredentials).unwrap().uid();
        if uid != 0 {
            let refused = heard(&ours, Masters { policyd: None }).unwrap().unwrap_err();
            assert!(refused.contains("access denied"));
        }
        drop(theirs);
    }

    #[test]
    fn it_waits_no_longer_than_asked() {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("s")).unwrap();
        assert!(!is_wanted(&listener, Duration::from_millis(20)).unwrap());
        let path = directory.path().join("s");
        let client = thread::spawn(move || UnixStream::connect(path).unwrap());
        assert!(is_wanted(&listener, Duration::from_secs(5)).unwrap());
        drop(client.join());
    }
}
