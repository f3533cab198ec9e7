// SPDX-License-Identifier: Apache-2.0
//! Stories of `sharing list`, `allow` and `deny`, and of what they are for.

use virtwarden_core::control::{
    Change, FailureKind, Holds, HookAnswer, HookCall, HookDriver, InCommon, Mode, Reply, Request,
    SharingRequest, SharingRows, Sight,
};
use virtwarden_core::policy::sharing::{Channel, Common};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;

use super::scene::{BOBVM, FINANCE, Scene, alice, bob, root};

const SPICE: &str = "<graphics type='spice'><filetransfer enable='no'/></graphics>";

pub(super) fn allow(one: &str, other: &str, mode: Mode) -> Request {
    let (channel, reason) = (Channel::Clipboard, "for the story".to_owned());
    Request::Sharing(SharingRequest::Allow { channel, one: one.into(), other: other.into(), reason, mode })
}

pub(super) fn deny(one: &str, other: &str, mode: Mode) -> Request {
    let (channel, reason) = (Channel::Clipboard, String::new());
    Request::Sharing(SharingRequest::Deny { channel, one: one.into(), other: other.into(), reason, mode })
}

fn rows(scene: &Scene) -> SharingRows {
    let Reply::Sharing(rows) = scene.ask(&alice(), &Request::Sharing(SharingRequest::List)).unwrap() else {
        panic!("another answer")
    };
    rows
}

/// What the hook hears when bobvm starts with the clipboard on.
fn start(scene: &Scene) -> HookAnswer {
    let xml = format!("<domain><name>bobvm</name><uuid>{BOBVM}</uuid><devices>{SPICE}</devices></domain>");
    let call = HookCall {
        driver: HookDriver::Qemu,
        object: "bobvm".into(),
        operation: "prepare".into(),
        sub_operation: "begin".into(),
        xml,
        sight: Sight::Looked(Vec::new()),
    };
    let Reply::Hook(answer) = scene.ask(&root(), &Request::Hook(call)).unwrap() else {
        panic!("another answer")
    };
    answer
}

#[test]
fn a_vm_starts_with_a_channel_only_while_that_is_open() {
    let scene = Scene::new();
    let HookAnswer::Deny { reason } = start(&scene) else { panic!("nothing is open by default") };
    assert!(reason.contains("virtwarden sharing allow clipboard bobvm host"), "{reason}");
    let opened = scene.change(&alice(), &allow("bobvm", "host", Mode::Apply)).unwrap();
    assert_eq!(opened.differences, ["+clipboard between bobvm and host"]);
    assert_eq!(start(&scene), HookAnswer::Allow);
    let closed = scene.change(&alice(), &deny("host", &BOBVM.to_string(), Mode::Apply)).unwrap();
    assert_eq!(closed.differences, ["-clipboard between host and bobvm"], "ends and names in any order");
    assert!(matches!(start(&scene), HookAnswer::Deny { .. }));
}

#[test]
fn each_change_is_row_8_with_its_vms_its_channel_and_the_reason() {
    let scene = Scene::new();
    scene.change(&alice(), &allow("bobvm", "finance", Mode::Apply)).unwrap();
    let told = scene.told();
    let attempt = told.iter().find(|event| event.kind == Kind::Attempt).unwrap();
    assert_eq!((attempt.operation.as_str(), attempt.outcome), ("sharing allow", Outcome::Pending));
    assert!(attempt.functions.contains(&Function::ConfigureSharing), "{attempt:?}");
    let names: Vec<_> = attempt.targets.iter().filter_map(|target| target.name.as_deref()).collect();
    assert_eq!(names, ["bobvm", "finance"]);
    assert_eq!(attempt.detail, "clipboard between bobvm and finance, because: for the story");
    assert!(told.iter().any(|event| event.outcome == Outcome::Success));
}

#[test]
fn what_is_only_tried_or_open_already_changes_nothing() {
    let scene = Scene::new();
    let tried = scene.change(&alice(), &allow("bobvm", "host", Mode::DryRun)).unwrap();
    assert_eq!(tried.differences, ["+clipboard between bobvm and host"]);
    assert!(rows(&scene).open.is_empty());
    scene.change(&alice(), &allow("bobvm", "host", Mode::Apply)).unwrap();
    let again = scene.change(&alice(), &allow("host", "bobvm", Mode::Apply));
    assert_eq!(again, Ok(Change { mode: Mode::Apply, differences: Vec::new() }));
    let row = &rows(&scene).open[0];
    assert_eq!((row.by.as_str(), row.at, row.reason.as_str()), ("alice", 1_700_000_000, "for the story"));
}

#[test]
fn ends_that_make_no_sense_are_refused() {
    let scene = Scene::new();
    for (one, other, kind) in [
        ("nobody", "host", FailureKind::NotFound),
        ("bobvm", "@green", FailureKind::NotFound),
        ("bobvm", "bobvm", FailureKind::Usage),
        ("host", "host", FailureKind::Usage),
    ] {
        let failure = scene.change(&alice(), &allow(one, other, Mode::Apply)).unwrap_err();
        assert_eq!(failure.kind, kind, "{one} {other}");
    }
    scene.change(&alice(), &allow("@red", "@red", Mode::Apply)).unwrap();
    assert_eq!(rows(&scene).open[0].one, "@red");
}

#[test]
fn bob_is_refused_in_the_same_words_whether_a_vm_exists_or_not() {
    let scene = Scene::new();
    let said = |vm: &str| scene.change(&bob(), &allow(vm, "host", Mode::Apply)).unwrap_err();
    assert_eq!(said("finance"), said("nobody"));
    assert_eq!(said("bobvm").kind, FailureKind::Denied);
    assert!(rows(&scene).open.is_empty());
}

#[test]
fn what_a_vm_has_beyond_the_open_channels_is_shown_until_it_stops() {
    let scene = Scene::new();
    let beyond = rows(&scene).beyond;
    let holds = |vm: &str| beyond.iter().filter(|row| row.vm == vm).map(|row| row.holds).collect::<Vec<_>>();
    assert_eq!(holds("bobvm"), [Holds::UntilStopped, Holds::PreventsStart]);
    assert_eq!(holds("finance"), [Holds::PreventsStart]);
}

#[test]
fn a_vm_that_is_gone_takes_its_channels_with_it() {
    let scene = Scene::new();
    scene.change(&alice(), &allow("bobvm", "host", Mode::Apply)).unwrap();
    scene.control.monitor.lost(&[BOBVM], "it is gone");
    assert!(rows(&scene).open.is_empty());
    assert!(scene.told().iter().any(|event| event.operation == "sharing forget"));
}

/// What the hook hears when bobvm starts with a disk that finance has.
fn start_with(scene: &Scene, sight: Sight) -> HookAnswer {
    let xml = format!("<domain><name>bobvm</name><uuid>{BOBVM}</uuid></domain>");
    let call = HookCall {
        driver: HookDriver::Qemu,
        object: "bobvm".into(),
        operation: "start".into(),
        sub_operation: "begin".into(),
        xml,
        sight,
    };
    let Reply::Hook(answer) = scene.ask(&root(), &Request::Hook(call)).unwrap() else {
        panic!("another answer")
    };
    answer
}

#[test]
fn a_vm_starts_with_anothers_disk_only_while_that_is_open_between_them() {
    let scene = Scene::new();
    let common = vec![Common { channel: Channel::Disk, what: "disk `vda`: `/a`".into() }];
    let seen =
        || Sight::Looked(vec![InCommon { uuid: FINANCE, name: "finance".into(), common: common.clone() }]);
    let HookAnswer::Deny { reason } = start_with(&scene, seen()) else { panic!("it is finance's") };
    assert!(reason.contains("virtwarden sharing allow disk bobvm finance"), "{reason}");
    let (one, other) = ("bobvm".to_owned(), "finance".to_owned());
    let opened = SharingRequest::Allow {
        channel: Channel::Disk,
        one,
        other,
        reason: String::new(),
        mode: Mode::Apply,
    };
    scene.change(&alice(), &Request::Sharing(opened)).unwrap();
    assert_eq!(start_with(&scene, seen()), HookAnswer::Allow);
}

#[test]
fn a_hook_that_does_not_see_other_vms_lets_none_start() {
    let scene = Scene::new();
    for sight in [Sight::NotLooked, Sight::Failed("it is dark".into())] {
        assert!(matches!(start_with(&scene, sight), HookAnswer::Deny { .. }));
    }
    assert_eq!(start_with(&scene, Sight::Looked(Vec::new())), HookAnswer::Allow);
}
