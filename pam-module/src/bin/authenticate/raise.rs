// SPDX-License-Identifier: Apache-2.0
//! From a ticket to a raised session.

use std::ffi::CString;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Uid, User};
use pam_virtwarden::policyd::Policyd;
use pam_virtwarden::{Application, Monitor, PATIENCE};
use virtwarden_core::control::Typed;
use virtwarden_login::{Answer, Claim, Question, Refusal, Span, Ticket};

use crate::person::Person;

/// For the whole conversation.
const LONGEST: Duration = Duration::from_secs(120);
/// The PAM service.
const SERVICE: &str = "virtwarden";

/// Whose program connected, by the kernel's word.
///
/// # Errors
/// It is not a Unix socket, or the account has no name.
pub(crate) fn account_of(stream: &UnixStream) -> io::Result<String> {
    let uid = getsockopt(stream, PeerCredentials)?.uid();
    let user = User::from_uid(Uid::from_raw(uid))?;
    user.map(|user| user.name).ok_or_else(|| io::Error::other(format!("account {uid} has no name")))
}

/// Hears the ticket, asks policyd whether it is good, authenticates the person, and has policyd raise the session.
/// Nobody is asked for a password, or given time to type one, for a ticket that raises nothing.
///
/// # Errors
/// Why not, in words for the person.
pub(crate) fn raise(person: &mut Person, account: &str) -> Result<(), String> {
    let ticket = match person.hear() {
        Ok(Typed::Raise { ticket }) => Ticket(ticket),
        Ok(Typed::Answer(_)) => return Err("the first line must name a ticket".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    judge(&Policyd::here(), &Question::Redeem(ticket, claim(account)))?;
    person.may_take(LONGEST);
    authenticate(person, account)?;
    judge(&Policyd::here(), &Question::Raise(ticket, claim(account)))
}

fn authenticate(person: &mut Person, account: &str) -> Result<(), String> {
    let text = |text: &str| CString::new(text).map_err(|error| error.to_string());
    let mut application = Application::start(&text(SERVICE)?, &text(account)?, person)
        .map_err(|code| format!("PAM does not start: {}", code.meaning()))?;
    application.authenticate().map_err(|code| code.meaning().to_owned())
}

fn claim(account: &str) -> Claim {
    Claim {
        account: account.into(),
        service: SERVICE.into(),
        remote_user: account.into(),
        ..Claim::default()
    }
}

fn judge(policyd: &impl Monitor, question: &Question) -> Result<(), String> {
    match policyd.ask(question, PATIENCE) {
        Ok(Answer::Go { .. }) => Ok(()),
        Ok(Answer::Refuse(Refusal::Because(reason))) => Err(reason),
        Ok(Answer::Refuse(Refusal::Locked(None | Some(Span::Seconds(_) | Span::Open)))) => {
            Err("this account is locked".to_owned())
        }
        Ok(Answer::Opened(_)) => Err("virtwarden-policyd answered another question".to_owned()),
        Err(silence) => Err(silence.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use pam_virtwarden::{Asker, Locks, Silence};

    use super::*;

    struct Says(Result<Answer, Silence>);

    impl Monitor for Says {
        fn ask(&self, _: &Question, _: Duration) -> Result<Answer, Silence> {
            self.0.clone()
        }

        fn locks(&self) -> Locks {
            Locks::Known(Vec::new())
        }

        fn asker(&self) -> Asker {
            Asker::System
        }

        fn seconds(&self) -> u64 {
            0
        }

        fn instant(&self) -> Instant {
            Instant::now()
        }
    }

    #[test]
    fn only_a_plain_yes_raises() {
        let question = Question::Raise(Ticket(1), claim("alice"));
        assert_eq!(judge(&Says(Ok(Answer::Go { banner: None })), &question), Ok(()));
        for other in [
            Ok(Answer::Refuse(Refusal::Because("the ticket is another account's".to_owned()))),
            Ok(Answer::Refuse(Refusal::Locked(None))),
            Ok(Answer::Opened(Ticket(1))),
            Err(Silence::Late),
            Err(Silence::Away("nobody".to_owned())),
        ] {
            assert!(judge(&Says(other.clone()), &question).is_err(), "{other:?}");
        }
    }

    #[test]
    fn the_account_is_the_kernels() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let own = User::from_uid(Uid::current()).unwrap().unwrap();
        assert_eq!(account_of(&ours).unwrap(), own.name);
    }
}
