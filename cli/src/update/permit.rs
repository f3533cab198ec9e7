// SPDX-License-Identifier: Apache-2.0
//! An update from its permit to its record: policyd decides and records that it begins, root does it, policyd records how
//! it went. If this process dies between, the trail says that the end is unknown.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::control::{Mode, Reply, Request, UpdateAct};
use virtwarden_core::record::Outcome;

use crate::client::{Client, unexpected};
use crate::exit::{Exit, Failed};

/// policyd lets go of a client that is silent for longer than three of these.
const BREATH: Duration = Duration::from_secs(10);
/// How long an update of policyd itself may keep it away.
const ABSENCE: Duration = Duration::from_secs(60);

/// Announces an act, does it as root, and tells how it went: in the words of the result, or of the failure.
pub(super) fn announced(
    socket: &Path,
    (act, what, mode): (UpdateAct, &str, Mode),
    work: impl FnOnce() -> Result<String, Failed> + Send,
) -> Result<String, Failed> {
    let request = Request::Update { act, what: what.to_owned(), mode };
    let mut client = Client::connect(socket)?;
    let Reply::Proceed = client.ask(&request)? else { return Err(unexpected()) };
    let done = match need_root() {
        Ok(()) => meanwhile(&mut client, work),
        Err(failed) => Err(failed),
    };
    let ended = match &done {
        Ok(said) => Request::UpdateDone { outcome: Outcome::Success, detail: said.clone() },
        Err(failed) => Request::UpdateDone { outcome: Outcome::Failure, detail: failed.message.clone() },
    };
    if client.ask(&ended).is_err() {
        tell_later(socket, &request, &ended)?;
    }
    done
}

/// Works, and keeps the connection alive.
fn meanwhile(
    client: &mut Client,
    work: impl FnOnce() -> Result<String, Failed> + Send,
) -> Result<String, Failed> {
    thread::scope(|scope| {
        let worker = scope.spawn(work);
        let mut breath = Instant::now();
        while !worker.is_finished() {
            thread::sleep(Duration::from_millis(50));
            if breath.elapsed() > BREATH {
                let _policyd_may_be_updated_right_now = client.ask(&Request::Whoami);
                breath = Instant::now();
            }
        }
        worker.join().unwrap_or_else(|_| Err(Failed::error("the update ended in a fault of ours")))
    })
}

/// policyd went away meanwhile, which an update of it does: the new one takes the result.
fn tell_later(socket: &Path, request: &Request, ended: &Request) -> Result<(), Failed> {
    let begun = Instant::now();
    loop {
        let told = Client::connect(socket).and_then(|mut client| {
            client.ask(request)?;
            client.ask(ended)
        });
        match told {
            Ok(_) => return Ok(()),
            Err(failed) if begun.elapsed() > ABSENCE => {
                let message = format!("the update went on, but its end is not on record: {}", failed.message);
                return Err(Failed { message, ..failed });
            }
            Err(_) => thread::sleep(Duration::from_millis(500)),
        }
    }
}

fn need_root() -> Result<(), Failed> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let message = "only root can do this; run it with `sudo`".to_owned();
    Err(Failed { exit: Exit::Denied, message })
}
