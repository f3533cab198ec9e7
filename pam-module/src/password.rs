// SPDX-License-Identifier: Apache-2.0
//! Changes of credentials: asked about before, told after.

use virtwarden_login::{Answer, Change, Question};

use crate::claim::{Name, claim};
use crate::code::Code;
use crate::consult::consult;
use crate::login::{Login, Tone};
use crate::monitor::Monitor;
use crate::words;

const SILENT: &str = "credentials cannot be changed: the change cannot be recorded while virtwarden-policyd does not \
                      answer; see `systemctl status virtwarden-policyd`";

/// libpam goes through a password stack twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Is everything ready?
    Preliminary,
    /// Now change it.
    Update,
}

/// What the module does at its place in a password stack: at the first, before anything is asked, whether it may
/// be changed; at the last, behind those that changed it, that it was.
pub(crate) fn change(login: &mut impl Login, monitor: &impl Monitor, place: Change, round: Round) -> Code {
    match (place, round) {
        (Change::Wanted, Round::Preliminary) => wanted(login, monitor),
        (Change::Done, Round::Update) => done(login, monitor),
        (Change::Wanted, Round::Update) | (Change::Done, Round::Preliminary) => Code::Ignore,
    }
}

fn wanted(login: &mut impl Login, monitor: &impl Monitor) -> Code {
    let Ok(claimed) = claim(login) else { return Code::AuthtokErr };
    let answer = consult(login, monitor, &Question::Credential(Change::Wanted, claimed.claim));
    let reason = match (answer, claimed.name) {
        (Ok(Answer::Go { .. }), Name::Possible) => return Code::Ignore,
        (Ok(Answer::Go { .. }), Name::Impossible) => None,
        (Ok(Answer::Refuse(refusal)), _) => words::refusal(&refusal),
        (Ok(Answer::Opened(_)) | Err(_), _) => Some(SILENT.to_owned()),
    };
    if let Some(text) = reason {
        login.tell(Tone::Error, &text);
    }
    Code::AuthtokErr
}

/// It has happened: what policyd answers changes nothing, and that it did not answer is in the log.
fn done(login: &mut impl Login, monitor: &impl Monitor) -> Code {
    if let Ok(claimed) = claim(login) {
        let _ = consult(login, monitor, &Question::Credential(Change::Done, claimed.claim));
    }
    Code::Ignore
}
