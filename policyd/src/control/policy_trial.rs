// SPDX-License-Identifier: Apache-2.0
//! A policy that comes into force for a time, until whoever loaded it says that he can still work: row 10 can take away
//! what one works with.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use virtwarden_core::control::{Change, Failure, Mode, Reply, Request};
use virtwarden_core::media::{Medium, Rules, Source};
use virtwarden_core::policy::Policy;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::Subject;

use super::conclude::conclude;
use super::failure::{failed, usage};
use super::{Announce, Control};
use crate::media::Having;
use crate::monitor::Monitor;
use crate::policies::{End, TrialError};

/// Bounds of a trial in seconds.
const SHORTEST: u32 = 5;
const LONGEST: u32 = 3600;
/// A keyboard among interfaces: human interface device, boot interface, keyboard.
const KEYBOARD: (u8, u8) = (3, 1);

impl Control {
    /// Puts the files in force, and the policy from before again unless somebody confirms.
    pub(super) fn policy_try(
        &self,
        subject: &Subject,
        request: &Request,
        seconds: u32,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &format!("for {seconds} seconds"))?;
        match self.begin_trial(subject, seconds) {
            Ok(differences) => {
                attempt.finish(Outcome::Success, &format!("on trial: {}", differences.join("; ")));
                Ok(Reply::Changed(Change { mode: Mode::Apply, differences }))
            }
            Err(failure) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    fn begin_trial(&self, subject: &Subject, seconds: u32) -> Result<Vec<String>, Failure> {
        if !(SHORTEST..=LONGEST).contains(&seconds) {
            return Err(usage(format!("a policy is tried for {SHORTEST} to {LONGEST} seconds")));
        }
        self.insist_on_no_trial()?;
        let (candidate, differences) = self.checked(Some(subject))?;
        let before = self.monitor.policy();
        self.monitor.policies().trial().begin(before, &candidate).map_err(not_tried)?;
        self.adopt(candidate, Some(subject));
        let (monitor, announce) = (self.monitor.clone(), self.announce.clone());
        let waits = move || end(&monitor, &announce, Duration::from_secs(seconds.into()));
        let thread = thread::Builder::new().name("policy trial".to_owned()).spawn(waits);
        thread.map(|_| ()).map_err(|error| self.called_off(&error))?;
        Ok(differences)
    }

    fn called_off(&self, error: &std::io::Error) -> Failure {
        end(&self.monitor, &self.announce, Duration::ZERO);
        failed(format!("the policy cannot be tried ({error}); the one from before is in force"))
    }

    /// The policy on trial stays.
    pub(super) fn policy_confirm(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let confirmed = self.monitor.policies().trial().confirm().map_err(not_tried);
        conclude(attempt, confirmed.map(|()| vec!["the policy on trial stays".to_owned()]), Mode::Apply)
    }

    /// The files again, because somebody who may signal policyd wants them: the same checks, but for who he is.
    ///
    /// # Errors
    /// What was in force stays; why, for people.
    pub fn reload_for_nobody(&self) -> Result<(), String> {
        let reloaded = self.insist_on_no_trial().and_then(|()| self.checked(None));
        let (candidate, _) = reloaded.map_err(|failure| failure.message)?;
        self.settled().map_err(|failure| failure.message)?;
        self.adopt(candidate, None);
        Ok(())
    }

    /// What comes into force now is known to whoever wants it: it is no trial, and the last one is over for good.
    pub(super) fn settled(&self) -> Result<(), Failure> {
        self.monitor.policies().trial().settle().map_err(not_tried)
    }

    /// While a policy is on trial no other comes: it would be thrown away with it.
    pub(super) fn insist_on_no_trial(&self) -> Result<(), Failure> {
        if self.monitor.policies().trial().is_on() { Err(under_way()) } else { Ok(()) }
    }

    /// Whoever works at the host keeps a keyboard, whatever is written about devices.
    pub(super) fn keeps_a_keyboard(&self, candidate: &Policy) -> Result<(), Failure> {
        let Ok(seen) = self.monitor.media().present(&[], &Vec::<Having>::new()) else { return Ok(()) };
        let media: Vec<_> = seen.into_iter().map(|seen| seen.medium).collect();
        keeps_a_keyboard_among(&media, candidate.media_rules())
    }
}

/// At least one of those that are plugged in is not denied to everybody.
pub(super) fn keeps_a_keyboard_among(media: &[Medium], rules: &Rules) -> Result<(), Failure> {
    let is_keyboard = |medium: &&Medium| {
        let Source::Usb(usb) = &medium.source else { return false };
        usb.interfaces.iter().any(|interface| (interface.class, interface.protocol) == KEYBOARD)
    };
    let mut keyboards = media.iter().filter(is_keyboard).peekable();
    let never = |medium| rules.class_of(medium).is_some_and(|class| class.rule.is_none());
    if keyboards.peek().is_some() && keyboards.all(never) {
        return Err(failed(
            "by the new policy every keyboard that is plugged in is always denied; leave one out of the classes with \
             `always-deny`",
        ));
    }
    Ok(())
}

/// Waits, and puts the policy from before in force where nobody confirmed. That is on record.
fn end(monitor: &Arc<Monitor>, announce: &Announce, patience: Duration) {
    let End::Over(before) = monitor.policies().trial().wait(patience) else { return };
    monitor.policies().put_back(before);
    announce(&monitor.policy());
    monitor.ledger().note(Event {
        origin: None,
        kind: Kind::Change,
        outcome: Outcome::Success,
        actor: None,
        operation: "policy revert".to_owned(),
        functions: Vec::new(),
        targets: vec![Target { kind: "policy".to_owned(), name: None, ..Target::default() }],
        detail: "nobody confirmed the policy on trial; the one from before is in force".to_owned(),
        of: None,
        count: None,
    });
}

fn not_tried(error: TrialError) -> Failure {
    match error {
        TrialError::UnderWay => under_way(),
        TrialError::None => {
            usage("no policy is on trial: it is confirmed, or its time is over; see `virtwarden policy diff`")
        }
        TrialError::Store(error) => failed(format!("what was in force stays: {error}")),
    }
}

fn under_way() -> Failure {
    usage(
        "another policy is on trial; confirm it with `virtwarden policy confirm`, or wait until its time is over",
    )
}
