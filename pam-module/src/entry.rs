// SPDX-License-Identifier: Apache-2.0
//! From libpam's call to the file that decides it.

use virtwarden_login::Phase;

use crate::code::Code;
use crate::login::Login;
use crate::monitor::Monitor;
use crate::password::Round;
use crate::{account, arguments, authenticate, password, session};

/// What libpam calls a module for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Authenticate,
    SetCredentials,
    Admit,
    Open,
    Close,
    Change(Round),
}

/// Whether policyd would talk to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// It runs as root, as every program does that lets people in.
    Root,
    /// It does not: a screen lock, a web application. It gives nobody a session, and policyd would not answer it.
    None,
}

/// Does what a line of a PAM configuration says.
pub(crate) fn serve(
    call: Call,
    words: &[Vec<u8>],
    privilege: Privilege,
    login: &mut impl Login,
    monitor: &impl Monitor,
) -> Code {
    let step = match parse(call, words) {
        Ok(step) => step,
        Err(complaint) => {
            login.log(&complaint);
            return Code::ServiceErr;
        }
    };
    match (step, privilege) {
        (Step::Authenticate(phase), Privilege::Root) => authenticate::authenticate(login, monitor, phase),
        (Step::Authenticate(Phase::Failed), Privilege::None) => Code::AuthErr,
        (Step::Admit, Privilege::Root) => account::admit(login, monitor),
        (Step::Open, Privilege::Root) => session::open(login, monitor),
        (Step::Close, Privilege::Root) => session::close(login, monitor),
        (Step::Change(place, round), Privilege::Root) => password::change(login, monitor, place, round),
        (Step::Nothing, _)
        | (Step::Authenticate(Phase::Begin | Phase::Passed), Privilege::None)
        | (Step::Admit | Step::Open | Step::Close | Step::Change(..), Privilege::None) => Code::Ignore,
    }
}

/// A call together with what its line says.
enum Step {
    Nothing,
    Authenticate(Phase),
    Admit,
    Open,
    Close,
    Change(virtwarden_login::Change, Round),
}

fn parse(call: Call, words: &[Vec<u8>]) -> Result<Step, String> {
    match call {
        Call::Authenticate => arguments::phase(words).map(Step::Authenticate),
        Call::SetCredentials => arguments::phase(words).map(|_| Step::Nothing),
        Call::Admit => arguments::none(words).map(|()| Step::Admit),
        Call::Open => arguments::none(words).map(|()| Step::Open),
        Call::Close => arguments::none(words).map(|()| Step::Close),
        Call::Change(round) => arguments::change(words).map(|place| Step::Change(place, round)),
    }
}

#[cfg(test)]
mod tests;
