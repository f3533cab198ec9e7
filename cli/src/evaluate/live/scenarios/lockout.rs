// SPDX-License-Identifier: Apache-2.0
//! AFL-1 to AFL-3, with an account that has an Administrator's role and nothing else to do; then AFL-4 with the same.

use virtwarden_core::setting::{Limit, Setting, SettingName};
use virtwarden_core::table3::Column;

use super::guesser::Guesser;
use super::passwords::password;
use super::steps::not_played;
use super::{Hand, expiry};
use crate::evaluate::live::people::Person;
use crate::evaluate::live::program::must;
use crate::evaluate::report::Step;
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
