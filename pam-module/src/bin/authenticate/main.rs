// SPDX-License-Identifier: Apache-2.0
//! `virtwarden-authenticate`: authenticates whoever wants his session raised, on the connection that systemd
//! accepted for it (standard input and output).
//!
//! Who it is comes from the socket, never from what is said on it: a person can prove himself to be himself only.
//! The ticket that he brings must be good first, and must come at once: places are few. What PAM's modules ask then
//! goes to him in lines of the control protocol, and all in all there are two minutes. At the end policyd is told,
//! which raises the session that the ticket was given to if it is that account's.

mod person;
mod raise;

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use person::Person;
use virtwarden_core::control::Conversation;

/// Until the ticket is there: programs send it, nobody types it.
const TICKET: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("virtwarden-authenticate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let account = raise::account_of(&stream)?;
    let mut person = Person::new(stream, Instant::now() + TICKET);
    let last = match raise::raise(&mut person, &account) {
        Ok(()) => Conversation::Raised,
        Err(reason) => {
            eprintln!("virtwarden-authenticate: `{account}`: {reason}");
            Conversation::Refused(reason)
        }
    };
    person.say(&last)
}
