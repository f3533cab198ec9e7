// SPDX-License-Identifier: Apache-2.0
//! Asking policyd, as often as a login does, without making the person wait each time.

use std::time::Duration;

use virtwarden_login::{Answer, Question};

use crate::login::{Login, Notes};
use crate::monitor::{Monitor, PATIENCE, Silence};

/// How long to wait for policyd when it left a question of the same login unanswered just before.
const IMPATIENCE: Duration = Duration::from_millis(300);

/// For how long that counts.
const JUST_BEFORE: Duration = Duration::from_secs(60);

/// Asks, and logs why there is no answer.
pub(crate) fn consult(
    login: &mut impl Login,
    monitor: &impl Monitor,
    question: &Question,
) -> Result<Answer, Silence> {
    let answer = monitor.ask(question, patience(login.notes(), monitor));
    match &answer {
        Ok(_) => {}
        Err(Silence::Late) => {
            login.keep(Notes { unanswered: Some(monitor.instant()), ..login.notes() });
            login.log(&Silence::Late.to_string());
        }
        Err(silence @ (Silence::Away(_) | Silence::Nonsense(_) | Silence::Unable(_))) => {
            login.log(&silence.to_string());
        }
    }
    answer
}

fn patience(notes: Notes, monitor: &impl Monitor) -> Duration {
    match notes.unanswered {
        Some(when) if monitor.instant().saturating_duration_since(when) < JUST_BEFORE => IMPATIENCE,
        Some(_) | None => PATIENCE,
    }
}

/// An answer that does not belong to the question is none.
pub(crate) fn nonsense(login: &impl Login) -> Silence {
    let silence = Silence::Nonsense("an answer to another question".to_owned());
    login.log(&silence.to_string());
    silence
}
