// SPDX-License-Identifier: Apache-2.0
//! Steps that are not a deed of one of the two people.

use crate::evaluate::live::program::Ran;
use crate::evaluate::report::{Door, RecordLine, State, Step, Verdict};

/// What somebody did, and what must come of it.
pub(super) struct Done<'d> {
    pub(super) what: &'d str,
    pub(super) who: &'d str,
    pub(super) door: Door,
    pub(super) command: String,
    pub(super) ran: Ran,
}

impl Done<'_> {
    /// A step of it.
    pub(super) fn step(self, records: Vec<RecordLine>, verdict: Verdict) -> Step {
        Step {
            what: self.what.to_owned(),
            who: self.who.to_owned(),
            door: self.door,
            command: self.command,
            exit: self.ran.exit,
            output: self.ran.output,
            state: State::NotCompared,
            records,
            verdict,
        }
    }

    /// It must succeed.
    pub(super) fn must_succeed(self) -> Step {
        let verdict =
            if self.ran.succeeded() { Verdict::Pass } else { Verdict::fail("it failed, and must succeed") };
        self.step(Vec::new(), verdict)
    }

    /// It must fail.
    pub(super) fn must_fail(self) -> Step {
        let verdict =
            if self.ran.succeeded() { Verdict::fail("it succeeded, and must fail") } else { Verdict::Pass };
        self.step(Vec::new(), verdict)
    }
}

/// Something of the host is not as it was.
pub(super) fn not_taken_back(what: &str, why: &str) -> Step {
    let done =
        Done { what, who: "root", door: Door::ControlSocket, command: String::new(), ran: Ran::default() };
    done.step(Vec::new(), Verdict::fail(format!("it could not be taken back: {why}")))
}

/// Nothing was done, and why.
pub(super) fn not_played(what: &str, why: impl Into<String>) -> Vec<Step> {
    let nothing = Done { what, who: "root", door: Door::Host, command: String::new(), ran: Ran::default() };
    vec![nothing.step(Vec::new(), Verdict::not_exercised(why))]
}
