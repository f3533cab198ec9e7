// SPDX-License-Identifier: Apache-2.0
//! Who reads the trail, who manages it, and what is on record of both.

use virtwarden_core::control::{AuditFilter, AuditRange, Before, FailureKind, Mode, Reply, Request};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;

use super::scene::{Scene, alice, bob};

pub(super) fn delete(before: u64, mode: Mode) -> Request {
    Request::AuditDelete { before: Before::Segment(before), mode }
}

fn list() -> Request {
    Request::AuditList { filter: AuditFilter { person: Some("bob".to_owned()), ..AuditFilter::default() } }
}

/// A site's own role of the Administrator column, for one group, beside the shipped ones.
fn site(rights: &str) -> (Scene, Subject) {
    let scene = Scene::new();
    let rule = format!("[role.site]\ncolumn = \"administrator\"\nusers = [\"bob\"]\n{rights}\n");
    scene.write_policy("15-site.toml", &rule);
    scene.change(&alice(), &Request::PolicyReload { mode: Mode::Apply }).unwrap();
    (scene, bob())
}

fn refused(scene: &Scene, who: &Subject, request: &Request) {
    assert_eq!(scene.ask(who, request).unwrap_err().kind, FailureKind::Denied, "{request:?}");
    let told = scene.told().pop().unwrap();
    assert_eq!((told.kind, told.outcome), (Kind::Denial, Outcome::Denied));
    assert_eq!(told.functions, [Function::ManageAudit], "row 6, whichever half of it");
}

#[test]
fn an_auditor_reads_and_deletes_nothing() {
    let (scene, carla) = site("also = [\"review\"]");
    for request in [list(), Request::AuditVerify, Request::AuditKeys] {
        scene.ask(&carla, &request).unwrap();
    }
    refused(&scene, &carla, &delete(3, Mode::Apply));
    refused(&scene, &carla, &delete(3, Mode::DryRun));
    assert_eq!(scene.removed(), Vec::<String>::new());
}

#[test]
fn who_manages_the_trail_need_not_read_it() {
    let (scene, keeper) = site("functions = [\"manage-audit\"]");
    for request in [list(), Request::AuditVerify, Request::AuditKeys] {
        refused(&scene, &keeper, &request);
    }
    scene.change(&keeper, &delete(3, Mode::Apply)).unwrap();
    assert_eq!(scene.removed(), ["through 2: bob, audit delete"]);
}

#[test]
fn a_review_is_on_record_once_with_what_was_asked_for() {
    let scene = Scene::new();
    scene.ask(&alice(), &list()).unwrap();
    let told = scene.told();
    let begun: Vec<_> = told.iter().filter(|event| event.kind == Kind::Attempt).collect();
    assert_eq!(begun.len(), 1);
    assert_eq!((begun[0].operation.as_str(), begun[0].detail.as_str()), ("audit list", "person bob"));
    assert_eq!(begun[0].functions, [Function::ManageAudit]);
}

#[test]
fn a_deletion_is_shown_first_and_recorded_before_and_after() {
    let scene = Scene::new();
    let shown = scene.change(&alice(), &delete(3, Mode::DryRun)).unwrap();
    assert!(shown.differences[0].starts_with("-segments 1 to 2: 2 KiB, through sequence 4"), "{shown:?}");
    assert_eq!(scene.removed(), Vec::<String>::new());
    assert_eq!(scene.change(&alice(), &delete(3, Mode::Apply)).unwrap().differences, shown.differences);
    let told = scene.told();
    let [.., begun, ended] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((begun.kind, begun.detail.as_str()), (Kind::Attempt, "before segment 3"));
    assert_eq!((ended.kind, ended.outcome), (Kind::Outcome, Outcome::Success));
    assert!(ended.detail.contains("through sequence 4"), "{}", ended.detail);
    assert_eq!(scene.change(&alice(), &delete(1, Mode::Apply)).unwrap().differences, Vec::<String>::new());
}

#[test]
fn a_trail_that_somebody_tampered_with_is_evidence() {
    let scene = Scene::new();
    scene.tamper();
    let failure = scene.ask(&alice(), &delete(3, Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("nothing is deleted"), "{}", failure.message);
    assert_eq!(scene.removed(), Vec::<String>::new());
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Failure);
}

#[test]
fn what_cannot_be_recorded_is_not_deleted() {
    let scene = Scene::new();
    scene.shut_trail();
    assert_eq!(scene.ask(&alice(), &delete(3, Mode::Apply)).unwrap_err().kind, FailureKind::Unavailable);
    assert_eq!(scene.removed(), Vec::<String>::new());
}

#[test]
fn a_full_trail_is_copied_and_deleted_and_nothing_else() {
    let scene = Scene::new();
    scene.fill_trail();
    let export = Request::AuditExport { range: AuditRange::default() };
    for request in [Request::AuditKeys, export, delete(3, Mode::DryRun), delete(3, Mode::Apply)] {
        refused(&scene, &bob(), &request);
        scene.ask(&alice(), &request).unwrap();
    }
    for request in [list(), Request::AuditVerify] {
        assert_eq!(scene.ask(&alice(), &request).unwrap_err().kind, FailureKind::Unavailable);
    }
}

#[test]
fn the_keys_of_a_copy_are_the_reviewers() {
    let scene = Scene::new();
    let Reply::TrailKeys(keys) = scene.ask(&alice(), &Request::AuditKeys).unwrap() else { panic!("another") };
    assert_eq!(keys.keys, "a key");
}
