// SPDX-License-Identifier: Apache-2.0
//! Somebody who tries passwords of an account: what he sees, and what the trail says of it.

use virtwarden_core::record::{Event, Outcome};

use super::Hand;
use super::steps::Done;
use crate::evaluate::live::program::Ran;
use crate::evaluate::report::{Door, RecordLine, Step, Verdict};

/// He, and the password that is right.
pub(super) struct Guesser<'g, 'h, 's> {
    pub(super) hand: &'g mut Hand<'h, 's>,
    pub(super) name: String,
    pub(super) right: String,
}

impl Guesser<'_, '_, '_> {
    fn types(&self, password: &str) -> Ran {
        let stage = self.hand.stage;
        stage.sshd.by_password(&self.name, password, stage.interrupt).unwrap_or_default()
    }

    /// What the trail says of the account's logins.
    fn records(&self, since: u64, operation: &str) -> Vec<RecordLine> {
        let name = self.name.as_str();
        self.hand.watch.records(since, |event| is_login(event, operation, name))
    }

    fn step(
        &self,
        what: &str,
        command: String,
        ran: Ran,
        (since, operation): (u64, &str),
        claimed: Claimed,
    ) -> Step {
        let records = self.records(since, operation);
        let verdict = match (claimed, records.is_empty()) {
            (Claimed::No(why), _) => Verdict::fail(why),
            (Claimed::Yes, true) => Verdict::fail(format!("the trail has no record `{operation}` of it")),
            (Claimed::Yes, false) => Verdict::Pass,
        };
        Done { what, who: &self.name, door: Door::Ssh, command, ran }.step(records, verdict)
    }

    fn ssh(&self) -> String {
        format!("ssh {}@127.0.0.1 id -un", self.name)
    }

    pub(super) fn fails(&mut self, what: &str, times: u32, operation: &str) -> Step {
        let since = self.hand.watch.end();
        let tries: Vec<Ran> = (0..times).map(|_| self.types("wrong")).collect();
        let claimed = if tries.iter().any(Ran::succeeded) {
            Claimed::No("a wrong password opened")
        } else {
            Claimed::Yes
        };
        let ran = tries.into_iter().next_back().unwrap_or_default();
        let command = format!("{} ({times} times with a wrong password)", self.ssh());
        self.step(what, command, ran, (since, operation), claimed)
    }

    pub(super) fn enters(&mut self, what: &str, operation: &str) -> Step {
        let since = self.hand.watch.end();
        let ran = self.types(&self.right);
        let claimed =
            if ran.succeeded() { Claimed::Yes } else { Claimed::No("the right password does not open") };
        self.step(what, self.ssh(), ran, (since, operation), claimed)
    }

    pub(super) fn is_kept_out(&mut self, what: &str) -> Step {
        let since = self.hand.watch.end();
        let ran = self.types(&self.right);
        let claimed = if ran.succeeded() { Claimed::No("a locked account was opened") } else { Claimed::Yes };
        self.step(what, self.ssh(), ran, (since, "login begin"), claimed)
    }

    pub(super) fn is_unlocked(&mut self, what: &str) -> Step {
        let stage = self.hand.stage;
        let since = self.hand.watch.end();
        let command = format!("virtwarden lockout unlock {}", self.name);
        let ran = stage.sshd.within(&stage.administrator.name, &command, Some(stage.interrupt));
        let records = self
            .hand
            .watch
            .records(since, |event| event.operation == "lockout unlock" && event.outcome == Outcome::Success);
        let verdict = match (ran.succeeded(), records.is_empty()) {
            (true, false) => Verdict::Pass,
            (false, _) => Verdict::fail("the Administrator cannot unlock it"),
            (true, true) => Verdict::fail("the trail has no record of it"),
        };
        Done { what, who: &stage.administrator.name, door: Door::ControlSocket, command, ran }
            .step(records, verdict)
    }
}

/// Whether it went as it must.
enum Claimed {
    Yes,
    No(&'static str),
}

fn is_login(event: &Event, operation: &str, account: &str) -> bool {
    let about = event.targets.iter().any(|target| target.name.as_deref() == Some(account));
    about && event.operation == operation
}
