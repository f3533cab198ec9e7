// SPDX-License-Identifier: Apache-2.0
//! One authentication: before a factor is asked for, and after the stack looked at one. FIA_AFL_EXT.1.

use virtwarden_core::lockout::{Counted, Name, Try, Until, Verdict};
use virtwarden_core::record::Outcome;
use virtwarden_core::setting::{Disclosure, Lockout};
use virtwarden_core::trail::time::Time;
use virtwarden_login::{Answer, Claim, Phase, Refusal, Span};

use super::Logins;
use super::claimed::Claimed;
use super::event::Keeping;
use super::under_way::{Attempt, Start};
use crate::kept::StoreError;
use crate::lockout::Role;
use crate::peer::Peer;

/// What a failure and a success are answered once the lock has fallen. It must be the same for both in every
/// word, or guesses that were begun before would still tell which of them is right.
const TOO_LATE: Answer = Answer::Refuse(Refusal::Locked(None));

/// Told to whoever begins one attempt more than failures are left.
const CROWDED: &str = "too many programs wait for this account's password already; end one of them first";

/// A step of an attempt: who asks, and for what.
pub(super) struct Asked<'a> {
    pub(super) peer: &'a Peer,
    pub(super) claimed: Claimed,
    policy: Lockout,
}

impl Logins {
    /// Answers one step of an authentication.
    pub(super) fn authenticate(&self, peer: &Peer, phase: Phase, claim: &Claim) -> Answer {
        let asked = Asked { peer, claimed: self.claimed(peer, claim), policy: self.settings.lockout() };
        // Counted first: in between nobody finds room for one more.
        let answer = match phase {
            Phase::Begin => return self.begins(&asked),
            Phase::Failed => self.fails(&asked),
            Phase::Passed => self.passes(&asked),
        };
        self.settle(peer);
        answer
    }

    fn begins(&self, asked: &Asked<'_>) -> Answer {
        match self.start(asked, &self.attempt(asked)) {
            Start::Go => Answer::Go { banner: self.banner(&asked.claimed) },
            Start::Locked(until) => {
                self.refuse_to_begin(asked, "refused, the account is locked");
                self.locked(until, &asked.policy)
            }
            Start::Crowded => {
                self.refuse_to_begin(asked, "refused, as many attempts are under way as failures are left");
                Answer::Refuse(Refusal::Because(CROWDED.to_owned()))
            }
        }
    }

    fn refuse_to_begin(&self, asked: &Asked<'_>, detail: &str) {
        let event = self.limit_event(asked.peer, &asked.claimed, "login begin", detail);
        self.record(event, Keeping::Bounded);
    }

    /// The program of an attempt ended and has not said how the attempt did.
    pub(super) fn left(&self, attempt: Attempt) {
        let Attempt { peer, claimed } = attempt;
        let asked = Asked { peer: &peer, claimed, policy: self.settings.lockout() };
        let _nobody_is_told = self.count(&asked, "left before its end; ");
    }

    fn fails(&self, asked: &Asked<'_>) -> Answer {
        match self.count(asked, "") {
            Counted::Ignored | Counted::Noted { .. } => Answer::Go { banner: None },
            Counted::LimitMet(_) | Counted::Delayed(_) | Counted::Locked(_) => TOO_LATE,
        }
    }

    /// Counts and records a failure.
    fn count(&self, asked: &Asked<'_>, how: &str) -> Counted {
        let (counted, kept) = self.lockouts.failed(&self.attempt(asked));
        self.complain(kept);
        let event = self.event(
            asked.peer,
            &asked.claimed,
            "login failed",
            Outcome::Failure,
            &format!("{how}{}", self.consequence(counted)),
        );
        self.record(event, Keeping::Bounded);
        match counted {
            Counted::Ignored | Counted::Noted { .. } | Counted::Locked(_) => {}
            Counted::LimitMet(until) => {
                self.tell_lock(asked, until);
                self.keep_snapshot();
            }
            Counted::Delayed(_) => self.keep_snapshot(),
        }
        counted
    }

    /// The lock of an account is told each time; those of names that are nobody's can be made without end.
    fn tell_lock(&self, asked: &Asked<'_>, until: Until) {
        let detail = format!("limit met, {}", self.end(until));
        let event = self.limit_event(asked.peer, &asked.claimed, "login locked", &detail);
        let keeping = match asked.claimed.known() {
            Name::Account => Keeping::Each,
            Name::Unknown => Keeping::Bounded,
        };
        self.record(event, keeping);
    }

    fn passes(&self, asked: &Asked<'_>) -> Answer {
        let role = asked.claimed.account.as_ref().map_or(Role::Other, |account| self.role(account));
        let (verdict, kept) = self.lockouts.passed(&self.attempt(asked), role);
        self.complain(kept);
        match verdict {
            Verdict::Go => {
                let event =
                    self.event(asked.peer, &asked.claimed, "login passed", Outcome::Success, "authenticated");
                // Whoever is logged in can authenticate in a loop; coming in from outside takes a password each time.
                let keeping = if asked.peer.login.is_some() { Keeping::Bounded } else { Keeping::Each };
                self.record(event, keeping);
                self.keep_snapshot();
                Answer::Go { banner: None }
            }
            Verdict::Locked(_) => {
                let detail = "refused, the limit was met before this attempt ended";
                let event = self.limit_event(asked.peer, &asked.claimed, "login passed", detail);
                self.record(event, Keeping::Bounded);
                TOO_LATE
            }
        }
    }

    fn attempt<'a>(&self, asked: &'a Asked<'_>) -> Try<'a> {
        Try {
            account: &asked.claimed.name,
            name: asked.claimed.known(),
            class: asked.claimed.class(),
            origin: &asked.claimed.origin,
            spare: self.spare(asked.peer, &asked.claimed),
            now: self.lockouts.now(),
            policy: &asked.policy,
        }
    }

    /// Told before a factor is asked for, and only then: see [`TOO_LATE`].
    fn locked(&self, until: Until, policy: &Lockout) -> Answer {
        let span = match (policy.disclosure, until) {
            (Disclosure::Nothing, _) => None,
            (Disclosure::Remaining, Until::Unlocked) => Some(Span::Open),
            (Disclosure::Remaining, Until::Moment(end)) => {
                let seconds = end.since(self.lockouts.now()).div_ceil(1000);
                Some(Span::Seconds(u32::try_from(seconds).unwrap_or(u32::MAX)))
            }
        };
        Answer::Refuse(Refusal::Locked(span))
    }

    fn consequence(&self, counted: Counted) -> String {
        match counted {
            Counted::Ignored => "no factor fitted; such logins are not counted".to_owned(),
            Counted::Noted { left } => format!("no factor fitted; {left} more and the account is locked"),
            Counted::LimitMet(_) => "no factor fitted; the limit is met".to_owned(),
            Counted::Delayed(until) => {
                format!("no factor fitted; the next attempt must wait, {}", self.end(until))
            }
            Counted::Locked(_) => "refused, the account is locked".to_owned(),
        }
    }

    fn end(&self, until: Until) -> String {
        match until {
            Until::Unlocked => "locked until an Administrator unlocks it".to_owned(),
            Until::Moment(end) => {
                let micros = self.lockouts.wall(end).saturating_mul(1_000_000);
                format!("locked until {}", Time::from_micros(micros))
            }
        }
    }

    /// What counts in memory counts; that the disk does not have it must be known.
    fn complain(&self, kept: Result<(), StoreError>) {
        if let Err(error) = kept {
            eprintln!("virtwarden-policyd: {error}; what is counted now is lost if policyd stops");
        }
    }
}
