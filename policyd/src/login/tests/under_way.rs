// SPDX-License-Identifier: Apache-2.0
//! Stories of programs that somebody starts within his session, stops, and kills before they say how it went.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use virtwarden_core::record::Outcome;
use virtwarden_core::setting::Unlocking;
use virtwarden_core::subject::Process;
use virtwarden_login::{Answer, Factors, Phase, Proof, Question, Refusal};

use super::scene::{Scene, at_console, claim};
use super::{GO, TOO_LATE, UNTIL_UNLOCKED, limit};
use crate::peer::{Peer, start_time};

/// A su that bob has started, and that does nothing by itself.
struct Su {
    program: Child,
    peer: Peer,
}

impl Su {
    fn of(scene: &Scene, login: Option<&str>) -> Self {
        let program = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = program.id();
        let process = Process { pid, start_time: start_time(pid).unwrap() };
        Self { program, peer: Peer { process, ..scene.peer(login) } }
    }

    fn step(&self, scene: &Scene, phase: Phase) -> Answer {
        scene.step_of(&self.peer, phase, &claim("alice", "su", "pts/1", ""))
    }

    fn die(mut self, scene: &Scene) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
        let until = Instant::now() + Duration::from_secs(1);
        let before = scene.told().len();
        while scene.told().len() == before && Instant::now() < until {
            scene.logins.notice(Duration::from_millis(50));
        }
    }
}

impl Drop for Su {
    fn drop(&mut self) {
        let _ended = (self.program.kill(), self.program.wait());
    }
}

/// An attempt whose program was killed.
fn kill_one(scene: &Scene) {
    let su = Su::of(scene, Some("bob"));
    assert_eq!(su.step(scene, Phase::Begin), GO);
    su.die(scene);
}

#[test]
fn a_program_that_is_killed_before_its_verdict_has_failed() {
    let scene = Scene::new(limit(2, Unlocking::ByAdministrator));
    kill_one(&scene);
    kill_one(&scene);
    let told = scene.told();
    let words: Vec<_> = told.iter().map(|event| (event.operation.as_str(), event.outcome)).collect();
    let failed = ("login failed", Outcome::Failure);
    assert_eq!(words, [failed, failed, ("login locked", Outcome::Denied)]);
    assert!(told[0].detail.contains("left before its end; no factor fitted; 1 more"), "{}", told[0].detail);
    assert_eq!(Su::of(&scene, Some("bob")).step(&scene, Phase::Begin), UNTIL_UNLOCKED);
}

#[test]
fn no_more_are_under_way_than_failures_are_left() {
    let scene = Scene::new(limit(3, Unlocking::ByAdministrator));
    let one = Su::of(&scene, Some("bob"));
    assert_eq!(one.step(&scene, Phase::Failed), GO);
    let (two, three, four) =
        (Su::of(&scene, Some("bob")), Su::of(&scene, Some("carol")), Su::of(&scene, Some("bob")));
    assert_eq!((two.step(&scene, Phase::Begin), three.step(&scene, Phase::Begin)), (GO, GO));
    assert!(matches!(four.step(&scene, Phase::Begin), Answer::Refuse(Refusal::Because(_))));
    let last = scene.told().pop().unwrap();
    assert_eq!((last.operation.as_str(), last.outcome), ("login begin", Outcome::Denied));
    assert_eq!(two.step(&scene, Phase::Passed), GO);
    assert_eq!(four.step(&scene, Phase::Begin), GO, "a success makes room");
    assert_eq!(
        scene.step(Phase::Begin, &at_console("alice")),
        GO,
        "who comes in from outside is not in line"
    );
}

#[test]
fn what_is_told_is_not_counted_again_at_the_end() {
    let scene = Scene::new(limit(2, Unlocking::ByAdministrator));
    let (failed, passed, let_in) =
        (Su::of(&scene, Some("bob")), Su::of(&scene, Some("bob")), Su::of(&scene, Some("bob")));
    assert_eq!(failed.step(&scene, Phase::Begin), GO);
    assert_eq!(failed.step(&scene, Phase::Failed), GO);
    failed.die(&scene);
    assert_eq!(passed.step(&scene, Phase::Begin), GO);
    assert_eq!(passed.step(&scene, Phase::Passed), GO);
    passed.die(&scene);
    assert_eq!(let_in.step(&scene, Phase::Begin), GO);
    let factors = Factors { proof: Proof::Absent, exposed: Vec::new() };
    let open = Question::Open(claim("alice", "su", "pts/1", ""), factors);
    assert!(matches!(
        scene.logins.answer(&let_in.peer, &open, std::time::SystemTime::now()),
        Answer::Opened(_)
    ));
    let_in.die(&scene);
    let failures = scene.told().iter().filter(|event| event.operation == "login failed").count();
    assert_eq!(failures, 1, "{:?}", scene.told());
}

#[test]
fn greeters_and_login_programs_may_be_left() {
    let scene = Scene::new(limit(1, Unlocking::ByAdministrator));
    let greeter = Su::of(&scene, None);
    assert_eq!(scene.step_of(&greeter.peer, Phase::Begin, &claim("alice", "gdm-password", "", "")), GO);
    greeter.die(&scene);
    assert_eq!(scene.told(), []);
    assert_eq!(scene.step(Phase::Failed, &at_console("alice")), TOO_LATE, "but a wrong password counts");
}
