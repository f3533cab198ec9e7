// SPDX-License-Identifier: Apache-2.0
//! The login that is going on: what the module may ask of libpam.

use std::ffi::CStr;
use std::time::Instant;

use virtwarden_login::{Proof, Ticket};

use crate::code::Code;

/// One handle of libpam.
pub trait Login {
    /// The account that is to be entered. libpam asks the person if the program did not say.
    ///
    /// # Errors
    /// libpam's: the conversation failed, or goes on later.
    fn account(&mut self) -> Result<Vec<u8>, Code>;
    /// What the program said; empty if nothing.
    fn item(&self, item: Item) -> Vec<u8>;
    /// A variable of the login's environment; empty if there is none.
    fn variable(&self, name: &CStr) -> Vec<u8>;
    /// What an earlier call in this login kept.
    fn notes(&self) -> Notes;
    /// Keeps notes for later calls in this login.
    fn keep(&mut self, notes: Notes);
    /// Shows the person a text, unless the program wants silence.
    fn tell(&mut self, tone: Tone, text: &str);
    /// Shows the person the site's warning, also where the program wants silence, as sudo does: that somebody
    /// reads it before he is let in is not the program's to choose. FTA_TAB.1.
    fn warn(&mut self, text: &str);
    /// Writes a line to the system's log of authentications.
    fn log(&self, text: &str);
    /// Lets the program's answer to the person wait as long as after a wrong password.
    fn delay(&mut self);
}

/// What a program can say of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The PAM service.
    Service,
    /// The terminal.
    Tty,
    /// The remote host.
    RemoteHost,
    /// The account that asks.
    RemoteUser,
}

/// How a text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// To be known.
    Plain,
    /// Something is refused or does not work.
    Error,
}

/// What the module remembers for the length of a login, in libpam's care.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Whether the stack accepted a factor.
    pub proof: Proof,
    /// The session that was opened.
    pub ticket: Option<Ticket>,
    /// When policyd last let a question go unanswered: the next ones are not waited for as long.
    pub unanswered: Option<Instant>,
}
