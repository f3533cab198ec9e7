// SPDX-License-Identifier: Apache-2.0
//! UIA-1: a service runs as the Administrator's account, as whatever he installs might, and nobody has logged in for it.

use virtwarden_core::record::Outcome;

use super::Hand;
use super::steps::Done;
use crate::evaluate::live::program::root;
use crate::evaluate::live::state::Look;
use crate::evaluate::report::{Door, State, Step, Verdict};
use crate::exit::Failed;

const TRIED: &[(Door, &str)] = &[
    (Door::LibvirtSocket, "virsh -c qemu:///system define {files}/new.xml"),
    (Door::LibvirtSocket, "virsh -c qemu:///system net-define {files}/newnet.xml"),
    (Door::LibvirtSocket, "virsh -c qemu:///system undefine {other}"),
    (Door::ControlSocket, "virtwarden vm assign {other} {user}"),
    (Door::ControlSocket, "virtwarden policy reload"),
    (Door::ControlSocket, "virtwarden audit list"),
    (Door::ControlSocket, "virtwarden lockout unlock {user}"),
    (Door::ControlSocket, "virtwarden banner set intruder"),
    (Door::ControlSocket, "virtwarden setting set password-policy minimum-length=8"),
    (Door::ControlSocket, "virtwarden setting set remote-timeout idle=1h"),
    (Door::ControlSocket, "virtwarden sharing allow disk {own} {other}"),
];

pub(super) fn play(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    Ok(TRIED.iter().map(|(door, command)| one(hand, *door, command)).collect())
}

fn one(hand: &Hand<'_, '_>, door: Door, command: &str) -> Step {
    let (stage, name) = (hand.stage, &hand.stage.administrator.name);
    let command = stage.named(command);
    let before = Look::now(&stage.names);
    let since = hand.watch.end();
    let uid = format!("--uid={name}");
    let ran = root(&["systemd-run", "--quiet", "--collect", "--wait", "--pipe", &uid, "sh", "-c", &command]);
    let state = before.compare(&Look::now(&stage.names));
    let records = hand.watch.records(since, |event| {
        let actor = event.actor.as_ref();
        event.outcome == Outcome::Denied
            && actor.is_some_and(|actor| actor.account.name == *name && actor.authenticated.is_none())
    });
    let verdict = match (&state, ran.succeeded(), records.is_empty()) {
        (_, true, _) => Verdict::fail("it was done, and nobody had authenticated"),
        (State::Changed { how, .. }, false, _) => Verdict::fail(format!("something is different: {how}")),
        (_, false, true) => Verdict::fail("the trail has no record of the refusal"),
        (_, false, false) => Verdict::Pass,
    };
    let what = "A service that runs as the Administrator's account tries, and is refused.";
    let step = Done { what, who: name, door, command, ran }.step(records, verdict);
    Step { state, ..step }
}
