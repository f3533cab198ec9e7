// SPDX-License-Identifier: Apache-2.0
//! `virtwarden-witness`: tells policyd whom sshd refused by itself. FIA_UIA_EXT.1.
//!
//! sshd asks PAM about passwords, and about a key only once it is one of the account's: of a key that is not, its log
//! alone knows. Mediated: nothing, who is refused is refused already. Trusted: journald's word on who logged (the
//! fields that begin with `_`, which no process chooses), and through it sshd's own lines. In these, names and key
//! comments are a stranger's: a line that can be read in two ways counts as of nobody and from nowhere.
//!
//! Where it stopped is kept, so that nothing is missed while it or policyd is away, or over a reboot.

mod journal;
mod lines;
mod place;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pam_virtwarden::policyd::Policyd;
use pam_virtwarden::{Monitor, PATIENCE};
use virtwarden_login::{Answer, Claim, LONGEST_REASON, Question};

use journal::{Entry, Journal};
use lines::{Connections, Rejection};
use place::Place;

/// Where it keeps how far it has read.
const PLACE: &str = "/var/lib/virtwarden/witness/cursor";
/// How long to wait for policyd before telling it again.
const BREATH: Duration = Duration::from_secs(2);
/// Told within this time is told at once.
const PROMPT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match watch(&Policyd::here(), &Place::at(Path::new(PLACE))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("virtwarden-witness: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Until the journal ends, which it does not.
fn watch(policyd: &impl Monitor, place: &Place) -> io::Result<()> {
    let mut journal = Journal::follow(place.last(), policyd.seconds())?;
    let mut connections = Connections::default();
    while let Some(Entry { cursor, process, time, message }) = journal.next()? {
        if let Some(rejection) = connections.hear(process, &message) {
            tell(policyd, &question(rejection, &when(time, SystemTime::now())));
        }
        place.keep(&cursor)?;
    }
    Err(io::Error::other("the journal came to an end"))
}

/// How long ago, where the record will not be of the same time.
fn when(micros: u64, now: SystemTime) -> String {
    let then = UNIX_EPOCH + Duration::from_micros(micros);
    match now.duration_since(then) {
        Ok(since) if since > PROMPT => format!(", {} s ago", since.as_secs()),
        Ok(_) | Err(_) => String::new(),
    }
}

fn question(rejection: Rejection, when: &str) -> Question {
    let claim = Claim {
        account: rejection.account.into_bytes(),
        service: b"sshd".to_vec(),
        tty: b"ssh".to_vec(),
        remote_host: rejection.address.into_bytes(),
        ..Claim::default()
    };
    let mut reason = rejection.reason.into_bytes();
    reason.truncate(LONGEST_REASON.saturating_sub(when.len()));
    reason.extend(when.as_bytes());
    Question::Rejected(claim.cut(), reason)
}

/// However long that takes: what is not told is not recorded.
fn tell(policyd: &impl Monitor, question: &Question) {
    loop {
        match policyd.ask(question, PATIENCE) {
            Ok(Answer::Go { .. }) => return,
            Ok(Answer::Refuse(_) | Answer::Opened(_)) => {
                return eprintln!("virtwarden-witness: virtwarden-policyd does not take what it is told");
            }
            Err(_) => thread::sleep(BREATH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_ago_says_so_and_everything_fits() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(when(999_000_000, now), "");
        assert_eq!(when(1_001_000_000, now), "");
        assert_eq!(when(400_000_000, now), ", 600 s ago");
        let (account, address) = ("a".repeat(9000), "192.0.2.7".to_owned());
        let asked = question(Rejection { account, address, reason: "x".repeat(9000) }, ", 600 s ago");
        assert!(virtwarden_login::encode_frame(&asked).is_ok());
        assert!(matches!(asked, Question::Rejected(_, reason) if reason.ends_with(b"x, 600 s ago")));
    }
}
