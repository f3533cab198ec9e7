// SPDX-License-Identifier: Apache-2.0
//! policyd as the module sees it, and what there is to go by when it is silent.

use std::fmt;
use std::time::{Duration, Instant};

use virtwarden_login::locked::Locked;
use virtwarden_login::{Answer, Question};

/// How long an exchange with policyd may take, all in all.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Who answers questions about logins.
pub trait Monitor {
    /// Asks policyd, and waits no longer than that.
    ///
    /// # Errors
    /// There is no answer, and why.
    fn ask(&self, question: &Question, patience: Duration) -> Result<Answer, Silence>;
    /// Who is locked, by the last snapshot.
    fn locks(&self) -> Locks;
    /// Who runs the program.
    fn asker(&self) -> Asker;
    /// Seconds since 1970.
    fn seconds(&self) -> u64;
    /// Now, by the clock that nobody sets.
    fn instant(&self) -> Instant;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nobody listens.
    Away(String),
    /// Somebody does, but did not answer in time. A person could bring that about by asking very often.
    Late,
    /// What came is no answer.
    Nonsense(String),
    /// It cannot be asked from within this process. Whoever started it can bring that about: with a limit on
    /// descriptors, for one.
    Unable(String),
}

/// What the snapshot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locks {
    /// These are locked. None, where there is no snapshot: nobody ever was.
    Known(Vec<Locked>),
    /// It is there, but it is no snapshot.
    Damaged(String),
    /// It cannot be read from within this process.
    Unable(String),
}

/// Who runs the program, by the kernel's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The system: login on a console, sshd, a display manager.
    System,
    /// Somebody within a login session, as often as he likes: su, sudo, chsh.
    Person,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Silence::Away(why) => write!(f, "virtwarden-policyd cannot be reached: {why}"),
            Silence::Late => f.write_str("virtwarden-policyd did not answer in time"),
            Silence::Nonsense(what) => write!(f, "virtwarden-policyd answered nonsense: {what}"),
            Silence::Unable(why) => write!(f, "virtwarden-policyd cannot be asked from this process: {why}"),
        }
    }
}
