// SPDX-License-Identifier: Apache-2.0
//! The questions and the answers.

use crate::claim::Claim;

/// The longest text for a person in bytes: a banner, a reason.
pub const LONGEST_TEXT: usize = 4096;

/// The longest [`Question::Rejected`] in bytes.
pub const LONGEST_REASON: usize = 512;

/// The longest [`Factors::exposed`] in bytes.
pub const LONGEST_EXPOSED: usize = 32 * 1024;

/// How a session's owner proved who he is, in the program's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Whether the module saw the stack's own factors succeed in this login.
    pub proof: Proof,
    /// What sshd exposes (`SSH_AUTH_INFO_0`): one line for each method, `publickey ssh-ed25519 AAAA...`.
    pub exposed: Vec<u8>,
}

/// Whether the authentication stack itself accepted a factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// It was not asked: a key login, `login -f`, an automatic login, cron.
    #[default]
    Absent,
    /// It accepted one.
    Seen,
}

/// What policyd calls a session of the login program, so that it can be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Which half of a change of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is about to begin: may it?
    Wanted,
    /// The stack took the new credential.
    Done,
}

/// What happens in the authentication stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before a factor is asked for.
    Begin,
    /// No factor fitted.
    Failed,
    /// A factor fitted.
    Passed,
}

/// What the module asks or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The authentication stack runs.
    Authenticate(Phase, Claim),
    /// May the account be entered at all? Asked for key logins too.
    Admit(Claim, Proof),
    /// A session begins. The asking process leads it: when that process is gone, so is the session.
    Open(Claim, Factors),
    /// A session ends in good order.
    Close(Ticket),
    /// Somebody changes the account's credentials.
    Credential(Change, Claim),
    /// A login program refused somebody by itself, without a PAM stack that could say so: sshd does, with a key
    /// that is not one of the account's. In the program's words.
    Rejected(Claim, Vec<u8>),
    /// Does a session wait to be raised with this? Asked before anybody's password is. Each number is answered
    /// with yes once.
    Redeem(Ticket, Claim),
    /// A person authenticated in order to act as an Administrator; the number is the one that policyd gave to
    /// the session that asked for it.
    Raise(Ticket, Claim),
}

/// How long something lasts, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// So many.
    Seconds(u32),
    /// Until an Administrator acts.
    Open,
}

/// Why a login is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many failures. The span is there only if the person may know.
    Locked(Option<Span>),
    /// Something else; in words for the person, without terminal control characters.
    Because(String),
}

/// What policyd answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on. The banner is to be shown before anything is asked for, where there is one.
    Go {
        /// The text, without terminal control characters.
        banner: Option<String>,
    },
    /// Do not.
    Refuse(Refusal),
    /// The session is known by this number.
    Opened(Ticket),
}
