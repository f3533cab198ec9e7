// SPDX-License-Identifier: Apache-2.0
//! PMG-1: what a password must be, and that one that is taken also opens.

use virtwarden_core::setting::{Setting, SettingName};

use super::Hand;
use super::steps::{Done, not_played, not_taken_back};
use crate::evaluate::live::made::Thing;
use crate::evaluate::live::people::Person;
use crate::evaluate::live::program::root;
use crate::evaluate::live::settings;
use crate::evaluate::report::{Door, Step, Verdict};
use crate::exit::Failed;
use crate::setting::current;

/// Of every class, and no word of any dictionary in it.
const LETTERS: &str = "Kq7!Zw2@Xv9#Bn4$Mt6%Ry8^Gf3&Hd5*Jc1(Ls0)";

pub(super) fn play(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    let row = current(SettingName::PasswordPolicy, hand.socket)?;
    let Setting::PasswordPolicy(policy) = &row.setting else {
        return Ok(not_played("Sets passwords.", "policyd does not tell the password policy"));
    };
    let least = usize::from(policy.strength().minimum_length);
    if row.source.is_set() {
        return passwords(hand, least);
    }
    // Where nobody has set one, the distribution's own rules hold.
    settings::prepare(SettingName::PasswordPolicy, hand.made, hand.socket)?;
    let (who, command) = (
        &hand.stage.administrator.name,
        format!("virtwarden setting set password-policy minimum-length={least}"),
    );
    let ran = hand.stage.sshd.within(who, &command, Some(hand.stage.interrupt));
    let what = "The Administrator sets the shortest password.";
    let mut steps = vec![Done { what, who, door: Door::ControlSocket, command, ran }.must_succeed()];
    steps.extend(passwords(hand, least)?);
    let back = hand.made.take_back(&Thing::Setting(Box::new(row)));
    steps.extend(back.err().map(|why| not_taken_back("The password policy is taken back.", &why)));
    Ok(steps)
}

fn passwords(hand: &mut Hand<'_, '_>, least: usize) -> Result<Vec<Step>, Failed> {
    let person = Person::passer_by("pw", &hand.stage.mark, hand.made)?;
    let mut steps = vec![set(&person, least.saturating_sub(1)).must_fail()];
    for length in [least, 64.max(least)] {
        steps.push(set(&person, length).must_succeed());
        steps.push(enter(hand, &person, length));
    }
    Ok(steps)
}

/// The first so many letters, over again if need be.
pub(super) fn password(length: usize) -> String {
    LETTERS.chars().cycle().take(length).collect()
}

fn set<'p>(person: &'p Person, length: usize) -> Done<'p> {
    let typed = password(length);
    let script = format!("printf '%s\\n%s\\n' '{typed}' '{typed}' | passwd {}", person.name);
    let ran = root(&["sh", "-c", &script]);
    let what = "root, whom the policy binds as well, gives an account a password.";
    Done {
        what,
        who: "root",
        door: Door::Host,
        command: format!("passwd {} ({length} characters)", person.name),
        ran,
    }
}

fn enter(hand: &Hand<'_, '_>, person: &Person, length: usize) -> Step {
    let Some(ran) = hand.stage.sshd.by_password(&person.name, &password(length), hand.stage.interrupt) else {
        let nothing = Done {
            what: "Logs in with it.",
            who: &person.name,
            door: Door::Ssh,
            command: String::new(),
            ran: Default::default(),
        };
        return nothing.step(Vec::new(), Verdict::not_exercised("this host's sshd takes no passwords"));
    };
    let command = format!("ssh {}@127.0.0.1 id -un ({length} characters)", person.name);
    Done { what: "Logs in with it.", who: &person.name, door: Door::Ssh, command, ran }.must_succeed()
}
