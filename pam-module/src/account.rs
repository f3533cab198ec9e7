// SPDX-License-Identifier: Apache-2.0
//! Whether the account may be entered at all: asked for key logins and `su` by root, too.

use virtwarden_login::{Answer, Question};

use crate::claim::{Name, claim};
use crate::code::Code;
use crate::consult::{consult, nonsense};
use crate::login::{Login, Tone};
use crate::monitor::{Monitor, Silence};
use crate::words;

/// What the module does in an account stack. Without policyd the login goes on: whoever has a key gets in, but
/// as no Administrator, because nobody registers the session.
pub(crate) fn admit(login: &mut impl Login, monitor: &impl Monitor) -> Code {
    let Ok(claimed) = claim(login) else { return Code::PermDenied };
    if claimed.name == Name::Impossible {
        return Code::PermDenied;
    }
    let question = Question::Admit(claimed.claim, login.notes().proof);
    match consult(login, monitor, &question) {
        Ok(Answer::Go { .. }) => Code::Ignore,
        Ok(Answer::Refuse(refusal)) => {
            if let Some(text) = words::refusal(&refusal) {
                login.tell(Tone::Error, &text);
            }
            Code::PermDenied
        }
        Ok(Answer::Opened(_)) => {
            nonsense(login);
            Code::Ignore
        }
        Err(Silence::Unable(_)) => Code::PermDenied,
        Err(Silence::Away(_) | Silence::Late | Silence::Nonsense(_)) => Code::Ignore,
    }
}
