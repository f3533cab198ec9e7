// SPDX-License-Identifier: Apache-2.0
//! STGX-1, without looking at the wire: a record made while the Administrator's choice holds arrives at a server that shows
//! the right certificate. Where somebody has named one, the trail goes there and nowhere else.

use virtwarden_core::record::Outcome;
use virtwarden_core::setting::SettingName;

use super::Hand;
use super::steps::{Done, not_played, not_taken_back};
use crate::evaluate::live::authority::NAME;
use crate::evaluate::live::perform::nothing_there;
use crate::evaluate::live::receiver::Heard;
use crate::evaluate::live::settings;
use crate::evaluate::report::{Door, Step, Verdict};
use crate::exit::Failed;

const WHAT: &str = "The Administrator names an audit server.";

pub(super) fn play(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    let completion = settings::prepare(SettingName::AuditServer, hand.made, hand.socket)?;
    let Some(noted) = completion.noted else {
        return Ok(not_played(WHAT, "an Administrator has named one, and it keeps getting the trail"));
    };
    let command = hand.stage.named(&format!(
        "virtwarden setting set audit-server address=127.0.0.1 port={{logport}} peer={NAME} ca={{files}}/authority.pem"
    ));
    let who = &hand.stage.administrator.name;
    let ran = hand.stage.sshd.within(who, &command, Some(hand.stage.interrupt));
    let mut steps = match nothing_there(&ran.output) {
        Some(why) => not_played(WHAT, why),
        None => {
            let set = Done { what: WHAT, who, door: Door::ControlSocket, command, ran }.must_succeed();
            vec![set, arrives(hand)]
        }
    };
    let back = hand.made.take_back(&noted);
    steps.extend(back.err().map(|why| not_taken_back("The audit server is taken back.", &why)));
    Ok(steps)
}

/// The User is refused, which is on record and, a moment later, at the server.
fn arrives(hand: &Hand<'_, '_>) -> Step {
    let (since, who) = (hand.watch.end(), &hand.stage.user.name);
    let command = "virtwarden setting unset audit-server".to_owned();
    let ran = hand.stage.sshd.within(who, &command, Some(hand.stage.interrupt));
    let denied = |outcome, name: &str| outcome == Outcome::Denied && name == who;
    let records = hand.watch.records(since, |event| {
        event.actor.as_ref().is_some_and(|actor| denied(event.outcome, &actor.account.name))
    });
    // The number as well: an attempt of an earlier step may have come the same way.
    let number = records.first().map(|record| format!("\"seq\":{},", record.sequence)).unwrap_or_default();
    let heard = || hand.stage.receiver.hears(&["<109>1 ", &number, "setting unset audit-server", who]);
    let verdict = match (ran.succeeded(), records.is_empty()) {
        (true, _) => Verdict::fail("it was done, and must be refused"),
        (false, true) => Verdict::fail("the trail has no record of it"),
        (false, false) => match heard() {
            Heard::Yes => Verdict::Pass,
            Heard::No => Verdict::fail("the record did not arrive at the audit server"),
            Heard::NotYet => Verdict::not_exercised(
                "so many records wait for an audit server here that it would take too long",
            ),
        },
    };
    let what = "The User is denied something, and the audit server hears of it.";
    Done { what, who, door: Door::ControlSocket, command, ran }.step(records, verdict)
}
