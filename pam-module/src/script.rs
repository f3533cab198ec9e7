// SPDX-License-Identifier: Apache-2.0
//! A login and a policyd that follow a script, in order, and complain of what is left over.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use virtwarden_login::{Answer, Claim, Question};

use crate::code::Code;
use crate::login::{Item, Login, Notes, Tone};
use crate::monitor::{Asker, Locks, Monitor, Silence};

/// Something that is expected to happen next, with what the world then does.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Ask(Question, Duration, Result<Answer, Silence>),
    Locks(Locks),
    Asker(Asker),
    Tell(Tone, String),
    Warn(String),
    Log(String),
    Delay,
}

/// The whole scene.
pub(crate) struct Script {
    pub(crate) login: Actor,
    pub(crate) monitor: Cue,
}

type Steps = Rc<RefCell<VecDeque<Step>>>;

pub(crate) struct Actor {
    steps: Steps,
    pub(crate) account: Result<Vec<u8>, Code>,
    pub(crate) claim: Claim,
    pub(crate) exposed: Vec<u8>,
    pub(crate) notes: Notes,
}

pub(crate) struct Cue {
    steps: Steps,
    pub(crate) now: Instant,
}

/// alice on the console.
pub(crate) fn alice() -> Claim {
    Claim {
        account: b"alice".to_vec(),
        service: b"login".to_vec(),
        tty: b"tty1".to_vec(),
        ..Claim::default()
    }
}

/// alice from afar.
pub(crate) fn alice_afar() -> Claim {
    Claim { service: b"sshd".to_vec(), remote_host: b"192.0.2.7".to_vec(), ..alice() }
}

pub(crate) fn script(claim: &Claim, steps: impl IntoIterator<Item = Step>) -> Script {
    let steps = Rc::new(RefCell::new(steps.into_iter().collect::<VecDeque<_>>()));
    Script {
        login: Actor {
            steps: Rc::clone(&steps),
            account: Ok(claim.account.clone()),
            claim: claim.clone(),
            exposed: Vec::new(),
            notes: Notes::default(),
        },
        monitor: Cue { steps, now: Instant::now() },
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(*self.login.steps.borrow(), VecDeque::new(), "left over");
        }
    }
}

fn next(steps: &Steps, happened: &dyn std::fmt::Debug) -> Step {
    steps.borrow_mut().pop_front().unwrap_or_else(|| panic!("not in the script: {happened:?}"))
}

impl Actor {
    fn expect(&self, happened: Step) {
        assert_eq!(next(&self.steps, &happened), happened);
    }
}

impl Login for Actor {
    fn account(&mut self) -> Result<Vec<u8>, Code> {
        self.account.clone()
    }

    fn item(&self, item: Item) -> Vec<u8> {
        match item {
            Item::Service => self.claim.service.clone(),
            Item::Tty => self.claim.tty.clone(),
            Item::RemoteHost => self.claim.remote_host.clone(),
            Item::RemoteUser => self.claim.remote_user.clone(),
        }
    }

    fn variable(&self, name: &CStr) -> Vec<u8> {
        assert_eq!(name, c"SSH_AUTH_INFO_0");
        self.exposed.clone()
    }

    fn notes(&self) -> Notes {
        self.notes
    }

    fn keep(&mut self, notes: Notes) {
        self.notes = notes;
    }

    fn tell(&mut self, tone: Tone, text: &str) {
        self.expect(Step::Tell(tone, text.to_owned()));
    }

    fn warn(&mut self, text: &str) {
        self.expect(Step::Warn(text.to_owned()));
    }

    fn log(&self, text: &str) {
        self.expect(Step::Log(text.to_owned()));
    }

    fn delay(&mut self) {
        self.expect(Step::Delay);
    }
}

impl Monitor for Cue {
    fn ask(&self, question: &Question, patience: Duration) -> Result<Answer, Silence> {
        let step = next(&self.steps, question);
        let Step::Ask(expected, patient, answer) = step else { panic!("{question:?} instead of {step:?}") };
        assert_eq!((&expected, patient), (question, patience));
        answer
    }

    fn locks(&self) -> Locks {
        let step = next(&self.steps, &"locks");
        let Step::Locks(locks) = step else { panic!("locks instead of {step:?}") };
        locks
    }

    fn asker(&self) -> Asker {
        let step = next(&self.steps, &"asker");
        let Step::Asker(asker) = step else { panic!("asker instead of {step:?}") };
        asker
    }

    fn seconds(&self) -> u64 {
        1000
    }

    fn instant(&self) -> Instant {
        self.now
    }
}
