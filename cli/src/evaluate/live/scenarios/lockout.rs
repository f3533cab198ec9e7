// SPDX-License-Identifier: Apache-2.0
//! AFL-1 to AFL-3, with an account that has an Administrator's role and nothing else to do; then AFL-4 with the same.

use virtwarden_core::record::{Event, Outcome};
use virtwarden_core::setting::{Limit, Setting, SettingName};
use virtwarden_core::table3::Column;

use super::passwords::password;
use super::steps::{Done, not_played};
use super::{Hand, expiry};
use crate::evaluate::live::people::Person;
use crate::evaluate::live::program::Ran;
use crate::evaluate::live::stage::must;
use crate::evaluate::report::{Door, RecordLine, Step, Verdict};
use crate::exit::Failed;
use crate::setting::current;

/// More failures than this would take minutes: each login program waits after one.
const MOST: u32 = 8;
const WHAT: &str = "Fails until the account is locked.";
const LENGTH: usize = 64;

pub(super) fn play(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    let Setting::Lockout(lockout) = current(SettingName::Lockout, hand.socket)?.setting else {
        return Ok(not_played(WHAT, "policyd does not tell the lockout policy"));
    };
    let limit = match lockout.limit {
        Limit::Attempts { failures, .. } if failures <= MOST => failures,
        Limit::Attempts { .. } => return Ok(not_played(WHAT, "so many failures would take too long here")),
        Limit::Delay { .. } => return Ok(not_played(WHAT, "failures delay on this host and do not lock")),
    };
    let person = Person::make(hand.policy, Column::Administrator, "lock", &hand.stage.mark, hand.made)?;
    let typed = password(LENGTH);
    must(&["sh", "-c", &format!("printf '%s\\n%s\\n' '{typed}' '{typed}' | passwd {}", person.name)])?;
    if hand.stage.sshd.by_password(&person.name, &typed, hand.stage.interrupt).is_none() {
        return Ok(not_played(WHAT, "this host's sshd takes no passwords"));
    }
    let mut guesser = Guesser { hand, name: person.name.clone(), right: typed };
    let mut steps = vec![
        guesser.fails("AFL-1: one failure less than the limit.", limit - 1, "login failed"),
        guesser.enters("AFL-1: then the right password opens.", "login passed"),
        guesser.fails("AFL-2: as many failures as the limit.", limit, "login locked"),
        guesser.is_kept_out("AFL-2: then the right password does not open."),
        guesser.is_unlocked("AFL-3: an Administrator unlocks the account."),
        guesser.enters("AFL-3: then the right password opens.", "login passed"),
    ];
    steps.extend(expiry::play(&mut guesser, limit)?);
    Ok(steps)
}

/// Somebody who tries passwords of an account.
pub(super) struct Guesser<'g, 'h, 's> {
    pub(super) hand: &'g mut Hand<'h, 's>,
    name: String,
    right: String,
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

    fn is_unlocked(&mut self, what: &str) -> Step {
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
