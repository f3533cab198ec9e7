// SPDX-License-Identifier: Apache-2.0
//! Sessions: each is told to policyd when it begins and when it ends.

use virtwarden_login::{Answer, Factors, LONGEST_EXPOSED, Question};

use crate::claim::claim;
use crate::code::Code;
use crate::consult::{consult, nonsense};
use crate::login::{Login, Notes, Tone};
use crate::monitor::{Monitor, Silence};
use crate::words;

const UNKNOWN: &str = "virtwarden-policyd does not know this session: nobody is an Administrator in it";

/// Tells policyd that a session begins, and by which factors.
pub(crate) fn open(login: &mut impl Login, monitor: &impl Monitor) -> Code {
    let Ok(claimed) = claim(login) else { return Code::SessionErr };
    let factors = Factors { proof: login.notes().proof, exposed: exposed(login) };
    match consult(login, monitor, &Question::Open(claimed.claim, factors)) {
        Ok(Answer::Opened(ticket)) => {
            login.keep(Notes { ticket: Some(ticket), ..login.notes() });
            Code::Ignore
        }
        // A session within a session, or one of no person: there is nothing to end.
        Ok(Answer::Go { .. }) => Code::Ignore,
        Ok(Answer::Refuse(refusal)) => {
            if let Some(text) = words::refusal(&refusal) {
                login.tell(Tone::Error, &text);
            }
            Code::SessionErr
        }
        Err(Silence::Away(_) | Silence::Late | Silence::Nonsense(_) | Silence::Unable(_)) => {
            login.tell(Tone::Error, UNKNOWN);
            Code::Ignore
        }
    }
}

/// Tells policyd that the session ended. It would notice by itself when the process is gone.
pub(crate) fn close(login: &mut impl Login, monitor: &impl Monitor) -> Code {
    let Some(ticket) = login.notes().ticket else { return Code::Ignore };
    login.keep(Notes { ticket: None, ..login.notes() });
    match consult(login, monitor, &Question::Close(ticket)) {
        Ok(Answer::Go { .. } | Answer::Refuse(_)) | Err(_) => {}
        Ok(Answer::Opened(_)) => {
            nonsense(login);
        }
    }
    Code::Ignore
}

/// What sshd exposes: as many whole lines as fit. A factor that is left out counts for nobody.
fn exposed(login: &impl Login) -> Vec<u8> {
    let mut lines = login.variable(c"SSH_AUTH_INFO_0");
    while lines.len() > LONGEST_EXPOSED {
        let last = lines.strip_suffix(b"\n").unwrap_or(&lines);
        let end = last.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
        lines.truncate(end);
    }
    lines
}
