// SPDX-License-Identifier: Apache-2.0
//! AFL-4: time opens a lock. A short time, which holds for everybody while this lasts, and so only where no Administrator has
//! chosen one.

use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::setting::SettingName;

use super::guesser::Guesser;
use super::steps::{Done, not_played, not_taken_back};
use crate::evaluate::live::settings;
use crate::evaluate::report::{Door, Step};
use crate::exit::Failed;

/// Long enough to try once while it lasts.
const SECONDS: u64 = 15;
const TICK: Duration = Duration::from_millis(100);

/// With the account of the steps before, which is open.
pub(super) fn play(guesser: &mut Guesser<'_, '_, '_>, limit: u32) -> Result<Vec<Step>, Failed> {
    let what = "AFL-4: locks that end by themselves after some seconds.";
    let completion = settings::prepare(SettingName::Lockout, guesser.hand.made, guesser.hand.socket)?;
    let Some(noted) = completion.noted else {
        return Ok(not_played(what, "an Administrator has chosen how long a lock lasts here"));
    };
    let stage = guesser.hand.stage;
    let command = format!("virtwarden lockout set --attempts {limit} --period 15m --unlock {SECONDS}s");
    let who = &stage.administrator.name;
    let ran = stage.sshd.within(who, &command, Some(stage.interrupt));
    let mut steps = vec![Done { what, who, door: Door::ControlSocket, command, ran }.must_succeed()];
    steps.push(guesser.fails("AFL-4: as many failures as the limit.", limit, "login locked"));
    let locked = Instant::now();
    steps.push(guesser.is_kept_out("AFL-4: while it lasts the right password does not open."));
    while locked.elapsed() < Duration::from_secs(SECONDS + 1) && !stage.interrupt.has_arrived() {
        thread::sleep(TICK);
    }
    steps.push(guesser.enters("AFL-4: then the right password opens.", "login passed"));
    let back = guesser.hand.made.take_back(&noted);
    steps.extend(back.err().map(|why| not_taken_back("The lockout is taken back.", &why)));
    Ok(steps)
}
