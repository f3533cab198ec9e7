// SPDX-License-Identifier: Apache-2.0
//! The authentication stack: before a factor is asked for, when none fitted, when one did.
//!
//! The lock is looked at before and again after, so that of many guesses at once no more count than one after
//! another would: a right password that comes after the lock fell is refused like a wrong one.

use virtwarden_login::{Answer, Claim, Phase, Proof, Question, Refusal};

use crate::claim::{Claimed, Name, claim};
use crate::code::Code;
use crate::consult::{consult, nonsense};
use crate::login::{Login, Notes, Tone};
use crate::monitor::Monitor;
use crate::{snapshot, words};

/// What the module does at its place in an authentication stack.
pub(crate) fn authenticate(login: &mut impl Login, monitor: &impl Monitor, phase: Phase) -> Code {
    let claimed = match claim(login) {
        Ok(claimed) => claimed,
        Err(code) => return unclaimed(code),
    };
    match phase {
        Phase::Begin => begin(login, monitor, claimed),
        Phase::Failed => failed(login, monitor, claimed.claim),
        Phase::Passed => passed(login, monitor, claimed),
    }
}

/// Nobody said who wants in. Whatever libpam's reason, this is no success.
fn unclaimed(code: Code) -> Code {
    if code == Code::ConvAgain { Code::Incomplete } else { Code::AuthErr }
}

fn begin(login: &mut impl Login, monitor: &impl Monitor, claimed: Claimed) -> Code {
    match may(login, monitor, Phase::Begin, claimed) {
        Ok(banner) => {
            if let Some(text) = banner {
                login.warn(&text);
            }
            Code::Ignore
        }
        Err(reason) => refuse(login, reason),
    }
}

/// The stack refuses anyway; what policyd answers can only tell the person more.
fn failed(login: &mut impl Login, monitor: &impl Monitor, claim: Claim) -> Code {
    match consult(login, monitor, &Question::Authenticate(Phase::Failed, claim)) {
        Ok(Answer::Refuse(refusal)) => refuse(login, words::refusal(&refusal)),
        Ok(Answer::Go { .. } | Answer::Opened(_)) | Err(_) => Code::AuthErr,
    }
}

fn passed(login: &mut impl Login, monitor: &impl Monitor, claimed: Claimed) -> Code {
    match may(login, monitor, Phase::Passed, claimed) {
        Ok(_) => {
            login.keep(Notes { proof: Proof::Seen, ..login.notes() });
            Code::Ignore
        }
        Err(reason) => refuse(login, reason),
    }
}

/// Whether the login may go on, with the banner to be shown; otherwise what the person is told.
fn may(
    login: &mut impl Login,
    monitor: &impl Monitor,
    phase: Phase,
    claimed: Claimed,
) -> Result<Option<String>, Option<String>> {
    let Claimed { claim, name } = claimed;
    let banner = match consult(login, monitor, &Question::Authenticate(phase, claim.clone())) {
        Ok(Answer::Go { banner }) => Ok(banner),
        Ok(Answer::Refuse(refusal)) => Err(told(&refusal, phase)),
        Ok(Answer::Opened(_)) => without(login, monitor, &nonsense(login), &claim),
        Err(silence) => without(login, monitor, &silence, &claim),
    };
    match name {
        Name::Possible => banner,
        Name::Impossible => Err(None),
    }
}

/// A lock that fell while the person typed looks like a wrong password.
fn told(refusal: &Refusal, phase: Phase) -> Option<String> {
    match (refusal, phase) {
        (Refusal::Locked(_), Phase::Passed) => None,
        (Refusal::Locked(_), Phase::Begin | Phase::Failed) | (Refusal::Because(_), _) => {
            words::refusal(refusal)
        }
    }
}

fn without(
    login: &impl Login,
    monitor: &impl Monitor,
    silence: &crate::monitor::Silence,
    claim: &Claim,
) -> Result<Option<String>, Option<String>> {
    snapshot::judge(login, monitor, silence, claim).map(|()| None).map_err(Some)
}

fn refuse(login: &mut impl Login, reason: Option<String>) -> Code {
    if let Some(text) = reason {
        login.tell(Tone::Error, &text);
    }
    login.delay();
    Code::AuthErr
}
