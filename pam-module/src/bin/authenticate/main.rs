// SPDX-License-Identifier: Apache-2.0
//! `virtwarden-authenticate`: authenticates whoever wants his session raised, on the connection that systemd
//! accepted for it (standard input and output).
//!
//! Who it is comes from the socket, never from what is said on it: a person can prove himself to be himself only.
//! What PAM's modules ask goes to him in lines of the control protocol, and all in all there are two minutes. Then
//! policyd is told, which raises the session that the ticket was given to if it is that account's.

mod person;
mod raise;

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use person::Person;
use virtwarden_core::control::Conversation;

/// For the whole conversation.
const LONGEST: Duration = Duration::from_secs(120);

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
    let mut person = Person::new(stream, Instant::now() + LONGEST);
    let last = match raise::raise(&mut person, &account) {
        Ok(()) => Conversation::Raised,
        Err(reason) => {
            eprintln!("virtwarden-authenticate: `{account}`: {reason}");
            Conversation::Refused(reason)
        }
    };
    person.say(&last)
}
