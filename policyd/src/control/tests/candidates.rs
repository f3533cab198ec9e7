// SPDX-License-Identifier: Apache-2.0
//! Policies that are not in force: what they would change, what they would have answered, and the way back.

use virtwarden_core::control::{FailureKind, Mode, PolicyFile, Reply, Request, Simulation, Verdict};
use virtwarden_core::record::{Kind, Outcome};

use super::scene::{Scene, alice};

/// A User's role that may not suspend any more.
const CANDIDATE: &str =
    "[role.host-services]\ncolumn = \"administrator\"\nusers = [\"root\"]\nfunctions = [\"start\"]\n";

fn files(text: &str) -> Vec<PolicyFile> {
    vec![PolicyFile { path: "/tmp/10-candidate.toml".to_owned(), text: text.to_owned() }]
}

fn reload(scene: &Scene) {
    scene.change(&alice(), &Request::PolicyReload { mode: Mode::Apply }).unwrap();
}

fn former(scene: &Scene) -> Vec<virtwarden_core::control::FormerPolicy> {
    let Reply::FormerPolicies(list) = scene.ask(&alice(), &Request::PolicyFormer).unwrap() else { panic!() };
    list
}

#[test]
fn a_candidate_is_compared_in_words_and_changes_nothing() {
    let scene = Scene::new();
    let before = scene.control.monitor.policy().files.clone();
    let change = scene.change(&alice(), &Request::PolicyDiff { files: files(CANDIDATE) }).unwrap();
    assert_eq!(change.mode, Mode::DryRun);
    let line = "role `host-services` may `stop` (row 23) no longer";
    assert!(change.differences.iter().any(|said| said == line), "{change:?}");
    assert_eq!(scene.control.monitor.policy().files, before);
    assert_eq!(scene.announced(), 0);
    let none = scene.change(&alice(), &Request::PolicyDiff { files: Vec::new() }).unwrap();
    assert_eq!(none.differences, Vec::<String>::new());
}

#[test]
fn a_candidate_with_a_mistake_is_told_where() {
    let scene = Scene::new();
    let wrong = files("[role.x]\ncolum = 1\n");
    let failure = scene.ask(&alice(), &Request::PolicyDiff { files: wrong }).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Error);
    assert!(failure.message.contains("10-candidate.toml"), "{}", failure.message);
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Failure);
}

#[test]
fn what_is_on_record_is_asked_again() {
    let scene = Scene::new();
    scene.replay_what_was_told();
    let simulate = |text: &str| {
        let request = Request::PolicySimulate { files: files(text), since: None };
        let Reply::Simulation(simulation) = scene.ask(&alice(), &request).unwrap() else { panic!("another") };
        simulation
    };
    // Of the scene's people this host has an account for root alone.
    scene.ask(&super::root(), &Request::VmShow { vm: "finance".into() }).unwrap();
    scene.change(&super::root(), &super::domain("finance", Some("red"))).unwrap();
    let Simulation { asked, alike, rows, .. } = simulate("[vm]\nsnapshots = 3\n");
    assert_eq!((asked, alike, rows.len()), (1, 1, 0), "the same roles answer alike");
    let nobody = "[role.administrator]\ncolumn = \"administrator\"\ngroups = [\"virtwarden-admin\"]\n\
                  functions = \"all\"\nalso = [\"administer\", \"review\"]\n";
    let simulation = simulate(nobody);
    let [row] = simulation.rows.as_slice() else { panic!("{simulation:?}") };
    assert_eq!(
        (row.verdict, row.person.as_str(), row.right.as_str()),
        (Verdict::Denied, "root", "administer")
    );
    assert_eq!((row.object.as_str(), row.count, row.operation.as_str()), ("VM `finance`", 1, "vm domain"));
    assert!(
        simulation.left_out.iter().any(|(why, _)| why.contains("account is not there")),
        "{simulation:?}"
    );
}

#[test]
fn the_policy_from_before_is_kept_with_who_and_what_and_handed_over_on_record() {
    let scene = Scene::new();
    assert_eq!(former(&scene), []);
    reload(&scene);
    assert_eq!(former(&scene), [], "nothing changed");
    scene.write_policy("15-more.toml", "[gate]\nconnections = 7\n");
    reload(&scene);
    let [one] = former(&scene).try_into().unwrap();
    assert_eq!(
        (one.by.as_str(), one.change.join("")),
        ("alice", "[gate] connections: 7 instead of 512".to_owned())
    );
    let recall = Request::PolicyRecall { number: one.number };
    let Reply::FormerPolicies(found) = scene.ask(&alice(), &recall).unwrap() else { panic!("another") };
    assert!(found[0].files.iter().all(|file| !file.path.ends_with("15-more.toml")));
    let told = scene.told().pop().unwrap();
    assert_eq!((told.kind, told.operation.as_str()), (Kind::Outcome, "policy rollback"));
    let missing = scene.ask(&alice(), &Request::PolicyRecall { number: 99 }).unwrap_err();
    assert_eq!(missing.kind, FailureKind::NotFound);
}
