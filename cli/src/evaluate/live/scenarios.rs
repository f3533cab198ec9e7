// SPDX-License-Identifier: Apache-2.0
//! Tests of the base profile that belong to no row alone, as far as nobody need be there to play them.

mod audit_server;
mod banner;
mod expiry;
mod guesser;
mod lockout;
mod passwords;
mod steps;
mod tables;
mod trail;
mod unauthenticated;

use std::path::Path;

use virtwarden_core::policy::Policy;

use super::made::Made;
use super::stage::Stage;
use super::watch::Watch;
use crate::evaluate::report::{Scenario, Step, Verdict};
use crate::exit::Failed;

/// All that a test needs in its hands.
pub(super) struct Hand<'h, 's> {
    pub(super) stage: &'h Stage<'s>,
    pub(super) watch: &'h Watch,
    pub(super) made: &'h mut Made,
    pub(super) policy: &'h Policy,
    pub(super) socket: &'h Path,
}

/// One of them: its name, what it tests, what it shows, and how it is played.
struct Test {
    id: &'static str,
    requirement: &'static str,
    title: &'static str,
    play: fn(&mut Hand<'_, '_>) -> Result<Vec<Step>, Failed>,
}

const TESTS: &[Test] = &[
    Test {
        id: "UIA-1",
        requirement: "FIA_UIA_EXT.1",
        title: "The Administrator's account without anybody who has authenticated administers nothing.",
        play: unauthenticated::play,
    },
    Test {
        id: "TAB-1",
        requirement: "FTA_TAB.1",
        title: "The banner is shown before anybody logs in.",
        play: banner::play,
    },
    Test {
        id: "PMG-1",
        requirement: "FIA_PMG_EXT.1",
        title: "A password shorter than the policy's is refused; one as long, and one of 64 characters, is taken and opens.",
        play: passwords::play,
    },
    Test {
        id: "AFL-1 to AFL-4",
        requirement: "FIA_AFL_EXT.1",
        title: "One failure less than the limit does not lock, the limit does; an Administrator unlocks, and so does time.",
        play: lockout::play,
    },
    Test {
        id: "VNC-1",
        requirement: "FDP_VNC_EXT.1",
        title: "The Administrator plugs a running VM into a network; the User cannot.",
        play: tables::vnc_1,
    },
    Test {
        id: "VNC-2",
        requirement: "FDP_VNC_EXT.1",
        title: "The Administrator plugs a VM into a card of the host; the User cannot.",
        play: tables::vnc_2,
    },
    Test {
        id: "VMS-1",
        requirement: "FDP_VMS_EXT.1",
        title: "Two VMs have a disk in common while an Administrator has opened that channel, and not before or after.",
        play: tables::vms_1,
    },
    Test {
        id: "RDM-1",
        requirement: "FPT_RDM_EXT.1",
        title: "A disc of the library goes from one VM to another as the policy says; a file of the host does not.",
        play: tables::rdm_1,
    },
    Test {
        id: "RDM-2",
        requirement: "FPT_RDM_EXT.1",
        title: "Inserting into a running VM and ejecting from it are on record.",
        play: tables::rdm_2,
    },
    Test {
        id: "STGX-1",
        requirement: "FAU_STG_EXT.1",
        title: "What a User is denied reaches the audit server that the Administrator named, over TLS.",
        play: audit_server::play,
    },
    Test {
        id: "STG-1",
        requirement: "FAU_STG.1",
        title: "A copy of the trail verifies, and does not with one letter changed or one line missing.",
        play: trail::play,
    },
];

/// Plays all.
pub(super) fn play(hand: &mut Hand<'_, '_>, say: &dyn Fn(&str)) -> Result<Vec<Scenario>, Failed> {
    let mut played = Vec::new();
    for test in TESTS {
        say(&format!("{} {}", test.id, test.requirement));
        let steps = (test.play)(hand)?;
        if hand.stage.interrupt.has_arrived() {
            return Err(Failed::error("interrupted; everything is taken back"));
        }
        played.push(Scenario {
            id: test.id.to_owned(),
            requirement: test.requirement.to_owned(),
            title: test.title.to_owned(),
            verdict: Verdict::of(&steps),
            steps,
        });
    }
    Ok(played)
}
