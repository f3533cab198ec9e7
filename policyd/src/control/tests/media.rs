// SPDX-License-Identifier: Apache-2.0
//! Removable media at the control socket: the right, the rule, the record, then the act. Rows 10 and 21.

use virtwarden_core::authentication::{Absence, Authentication};
use virtwarden_core::control::{ConfirmationRow, FailureKind, MediumHolder, MediumRow, MediumVerdict, Mode};
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_core::xml::plug::Act;

use super::cabinet::{image, stick};
use super::scene::{BOBVM, FINANCE, Scene, alice, bob, carol};
use super::*;
use crate::control::Reach;

pub(super) fn insert(vm: &str, medium: &str) -> Request {
    Request::MediaInsert { vm: vm.into(), medium: medium.into(), drive: None, mode: Mode::Apply }
}

pub(super) fn connect(vm: &str, medium: &str) -> Request {
    Request::MediaConnect { vm: vm.into(), medium: medium.into(), mode: Mode::Apply }
}

/// The rule of a kind or class, in a file that counts before the shipped one.
fn with_rules(text: &str) -> Scene {
    let scene = Scene::new();
    scene.write_policy("90-default.toml", &{
        let shipped = scene.control.monitor.policy().files.last().unwrap().text.clone();
        let kept: Vec<_> = shipped.lines().filter(|line| !line.starts_with("usb-storage =")).collect();
        kept.join("\n").replace("image = {", "# image = {") + "\n"
    });
    scene.write_policy("10-media.toml", text);
    scene.control.monitor.policies().reload().unwrap();
    scene
}

const ASK: &str = "[device-class.all]\nmatch = [{ kind = \"image\" }, { kind = \"usb-storage\" }]\nrule = \"ask-user\"\naccess = \"read-write\"\n";

fn medium_of(event: &Event) -> Option<String> {
    event.targets.iter().find(|target| target.kind == "medium")?.name.clone()
}

fn waiting(reply: Result<Reply, Failure>) -> ConfirmationRow {
    let Ok(Reply::Confirmations(mut rows)) = reply else { panic!("{reply:?}") };
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn media(scene: &Scene, subject: &Subject, vm: Option<&str>) -> Vec<MediumRow> {
    let vm = vm.map(str::to_owned);
    let Ok(Reply::Media(rows)) = scene.ask(subject, &Request::MediaList { medium: None, vm }) else {
        panic!("no list")
    };
    rows
}

#[test]
fn an_insertion_is_recorded_done_and_kept() {
    let scene = Scene::new();
    let change = scene.change(&bob(), &insert("bobvm", "tools.iso")).unwrap();
    assert_eq!(change.differences, ["+image `tools.iso` in drive `hdc`"]);
    let [(act, device, reach)] = scene.cabinet.told().try_into().unwrap();
    assert_eq!((act, reach), (Act::Update, Reach::Running));
    assert!(device.contains("/srv/media/tools.iso") && device.contains("hdc"), "{device}");
    assert_eq!(scene.cabinet.has(&image("tools.iso")), Some(BOBVM));
    let [attempt, outcome] = scene.told().try_into().unwrap();
    assert_eq!((attempt.kind, attempt.operation.as_str()), (Kind::Attempt, "media insert"));
    assert_eq!(attempt.functions, [Function::ConnectRemovable]);
    assert_eq!(medium_of(&attempt), Some("image:/srv/media/tools.iso".to_owned()));
    assert!(attempt.detail.contains("rule `image`"), "{}", attempt.detail);
    assert_eq!((outcome.kind, outcome.outcome), (Kind::Outcome, Outcome::Success));
    assert_eq!(medium_of(&outcome), medium_of(&attempt));
}

#[test]
fn what_libvirt_does_not_do_is_a_failure_and_kept_by_nobody() {
    let scene = Scene::new();
    scene.cabinet.refuse("the tray is locked");
    let failure = scene.change(&bob(), &insert("bobvm", "tools.iso")).unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Error, "the tray is locked"));
    assert_eq!(scene.cabinet.has(&image("tools.iso")), None);
    let [_, outcome] = scene.told().try_into().unwrap();
    assert_eq!((outcome.outcome, outcome.detail.as_str()), (Outcome::Failure, "the tray is locked"));
}

/// Who has a medium that nobody remembers would not be known: it is taken out again.
#[test]
fn what_cannot_be_kept_is_taken_out_again() {
    let scene = Scene::new();
    scene.cabinet.forget();
    for request in [insert("bobvm", "tools.iso"), connect("bobvm", "usb:0951:1666:A")] {
        let failure = scene.change(&alice(), &request).unwrap_err();
        assert_eq!(failure.message, "the disk is full; it was taken out again");
    }
    let acts: Vec<_> = scene
        .cabinet
        .told()
        .into_iter()
        .map(|(act, device, _)| (act, device.contains("tools.iso")))
        .collect();
    assert_eq!(acts, [(Act::Update, true), (Act::Update, false), (Act::Attach, false), (Act::Detach, false)]);
    assert_eq!(scene.told().iter().filter(|event| event.outcome == Outcome::Failure).count(), 2);
}

#[test]
fn a_dry_run_is_judged_and_recorded_and_does_nothing() {
    let scene = Scene::new();
    let mode = Mode::DryRun;
    let request = Request::MediaInsert { vm: "bobvm".into(), medium: "tools.iso".into(), drive: None, mode };
    assert_eq!(scene.change(&bob(), &request).unwrap().differences.len(), 1);
    assert!(scene.cabinet.told().is_empty() && scene.cabinet.has(&image("tools.iso")).is_none());
    assert!(scene.told()[0].detail.starts_with("dry run: "));
}

/// Another's VM does not exist: not by one request about its media.
#[test]
fn another_persons_vm_is_refused_in_every_way() {
    for request in [
        insert("finance", "tools.iso"),
        connect("finance", "usb:0951:1666:A"),
        Request::MediaEject { vm: "finance".into(), drive: None, mode: Mode::Apply },
        Request::MediaDisconnect { vm: "finance".into(), medium: "tools.iso".into(), mode: Mode::Apply },
        Request::MediaList { medium: None, vm: Some("finance".into()) },
    ] {
        let scene = Scene::new();
        let failure = scene.ask(&bob(), &request).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound, "{request:?}");
        assert!(failure.message.contains("there is no VM `finance`"), "{}", failure.message);
        assert!(scene.cabinet.told().is_empty());
        let [denial] = scene.told().try_into().unwrap();
        assert_eq!((denial.kind, denial.functions), (Kind::Denial, vec![Function::ConnectRemovable]));
        assert_eq!(denial.targets[0].name.as_deref(), Some("finance"));
    }
}

#[test]
fn a_name_that_fits_two_is_refused_and_recorded() {
    let scene = Scene::new();
    for (typed, said) in [("Kingston", "could be `usb:0951:1666:A`"), ("unheard-of", "`unheard-of`")] {
        let failure = scene.ask(&bob(), &connect("bobvm", typed)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound);
        assert!(failure.message.contains(said), "{}", failure.message);
    }
    assert!(scene.cabinet.told().is_empty());
    let outcomes: Vec<_> = scene.told().into_iter().map(|event| event.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pending, Outcome::Failure, Outcome::Pending, Outcome::Failure]);
}

#[test]
fn what_another_has_is_refused_to_administrators_too() {
    for subject in [bob(), alice()] {
        let scene = Scene::new();
        scene.cabinet.lend(&stick("A", 4), FINANCE);
        let failure = scene.ask(&subject, &connect("bobvm", "usb:0951:1666:A")).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied);
        assert!(failure.message.contains("eject it there first"), "{}", failure.message);
        assert!(scene.cabinet.told().is_empty());
        assert_eq!(scene.cabinet.has(&stick("A", 4)), Some(FINANCE));
        let [denial] = scene.told().try_into().unwrap();
        assert_eq!((denial.kind, denial.outcome), (Kind::Denial, Outcome::Denied));
        assert_eq!(medium_of(&denial), Some("usb:0951:1666:A".to_owned()));
    }
}

#[test]
fn an_administrators_own_act_is_a_grant_and_is_recorded_as_row_10() {
    let scene = Scene::new();
    let refused = scene.ask(&bob(), &connect("bobvm", "usb:0951:1666:A")).unwrap_err();
    assert!(refused.message.contains("not granted"), "{}", refused.message);
    scene.change(&alice(), &connect("bobvm", "usb:0951:1666:A")).unwrap();
    let [(act, device, reach)] = scene.cabinet.told().try_into().unwrap();
    assert_eq!((act, reach), (Act::Attach, Reach::Running));
    assert!(device.contains("hostdev") && !device.contains("vendor"), "{device}");
    let attempt = scene.told().into_iter().find(|event| event.kind == Kind::Attempt).unwrap();
    assert_eq!(attempt.functions, [Function::MediaPolicy, Function::ConnectRemovable]);
}

#[test]
fn what_is_ejected_leaves_the_next_start_too() {
    let scene = Scene::new();
    let eject = Request::MediaEject { vm: "bobvm".into(), drive: None, mode: Mode::Apply };
    assert_eq!(scene.ask(&bob(), &eject).unwrap_err().kind, FailureKind::NotFound);
    scene.cabinet.fill("/srv/media/tools.iso");
    scene.cabinet.lend(&image("tools.iso"), BOBVM);
    scene.change(&bob(), &eject).unwrap();
    let [(act, device, reach)] = scene.cabinet.told().try_into().unwrap();
    assert_eq!((act, reach), (Act::Update, Reach::Both));
    assert!(!device.contains("tools.iso"), "{device}");
    let full = scene.ask(&bob(), &insert("bobvm", "notes.iso")).unwrap_err();
    assert!(full.message.contains("eject it first"), "{}", full.message);
}

#[test]
fn without_a_record_nothing_is_plugged() {
    let scene = Scene::new();
    scene.shut_trail();
    let failure = scene.ask(&bob(), &insert("bobvm", "tools.iso")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(scene.cabinet.told().is_empty() && scene.cabinet.has(&image("tools.iso")).is_none());
}

#[test]
fn a_list_tells_no_names_of_other_peoples_vms() {
    let scene = Scene::new();
    scene.cabinet.lend(&stick("A", 4), FINANCE);
    scene.cabinet.lend(&stick("B", 5), BOBVM);
    let rows = media(&scene, &bob(), Some("bobvm"));
    let of = |id: &str| rows.iter().find(|row| row.medium.id.0 == id).unwrap();
    assert_eq!(of("usb:0951:1666:A").holder, MediumHolder::SomeVm);
    assert_eq!(of("usb:0951:1666:B").holder, MediumHolder::Vm { name: "bobvm".to_owned() });
    assert!(matches!(of("usb:0951:1666:A").verdict, Some(MediumVerdict::Denied { .. })));
    assert!(matches!(of("image:/srv/media/tools.iso").verdict, Some(MediumVerdict::Allowed { .. })));
    assert!(rows.iter().all(|row| row.last.is_none()));
    assert!(media(&scene, &alice(), None).iter().all(|row| row.last.is_some() && row.verdict.is_none()));
    assert!(scene.told().is_empty(), "looking on is not recorded");
}

#[test]
fn who_holds_no_role_sees_no_media() {
    let scene = Scene::new();
    let nobody = Subject { groups: Vec::new(), ..carol() };
    let failure = scene.ask(&nobody, &Request::MediaList { medium: None, vm: None }).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(scene.told().len(), 1);
}

#[test]
fn a_transfer_that_its_user_confirms_happens_once() {
    let scene = with_rules(ASK);
    let row = waiting(scene.ask(&bob(), &connect("bobvm", "usb:0951:1666:A")));
    assert_eq!((row.vm.as_str(), row.asked_by.as_str()), ("bobvm", "bob"));
    assert!(scene.cabinet.told().is_empty(), "nothing happens before");
    let denial = scene.told().pop().unwrap();
    assert_eq!((denial.kind, denial.outcome), (Kind::Denial, Outcome::Denied));
    assert!(denial.detail.contains(&format!("media confirm {}", row.number)), "{}", denial.detail);

    let confirm = Request::MediaConfirm { number: row.number };
    scene.change(&bob(), &confirm).unwrap();
    assert_eq!(scene.cabinet.has(&stick("A", 4)), Some(BOBVM));
    let attempt = scene.told().into_iter().rev().find(|event| event.kind == Kind::Attempt).unwrap();
    assert_eq!(attempt.operation, "media confirm");
    assert_eq!(medium_of(&attempt), Some("usb:0951:1666:A".to_owned()));

    let replayed = scene.ask(&bob(), &confirm).unwrap_err();
    assert_eq!(replayed.kind, FailureKind::NotFound);
    assert_eq!(scene.cabinet.told().len(), 1, "once");
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Denied);
}

#[test]
fn nobody_but_a_user_of_the_vm_confirms() {
    let scene = with_rules(ASK);
    let row = waiting(scene.ask(&bob(), &insert("bobvm", "tools.iso")));
    let confirm = Request::MediaConfirm { number: row.number };
    let hers = scene.ask(&alice(), &confirm).unwrap_err();
    assert_eq!(hers.kind, FailureKind::Denied);
    assert!(hers.message.contains("only a User of the VM confirms"), "{}", hers.message);
    let strangers = scene.ask(&carol(), &confirm).unwrap_err();
    let unheard_of = scene.ask(&carol(), &Request::MediaConfirm { number: row.number + 1 }).unwrap_err();
    assert_eq!(
        strangers.message,
        unheard_of.message.replace(&(row.number + 1).to_string(), &row.number.to_string())
    );
    let machine = Subject { authentication: Authentication::Nobody(Absence::NoSession), ..bob() };
    assert!(scene.ask(&machine, &confirm).unwrap_err().message.contains("login session"));
    assert!(scene.cabinet.told().is_empty());
    assert!(scene.told().iter().all(|event| event.outcome != Outcome::Success));
    scene.change(&bob(), &confirm).unwrap();
}

#[test]
fn an_administrator_connects_without_asking() {
    let scene = with_rules(ASK);
    scene.change(&alice(), &connect("bobvm", "usb:0951:1666:A")).unwrap();
    assert_eq!(scene.cabinet.has(&stick("A", 4)), Some(BOBVM));
}

/// Between the wish and its confirmation the medium went elsewhere.
#[test]
fn what_is_confirmed_is_judged_anew() {
    let scene = with_rules(ASK);
    let row = waiting(scene.ask(&bob(), &connect("bobvm", "usb:0951:1666:A")));
    scene.cabinet.lend(&stick("A", 4), FINANCE);
    let failure = scene.ask(&bob(), &Request::MediaConfirm { number: row.number }).unwrap_err();
    assert!(failure.message.contains("eject it there first"), "{}", failure.message);
    assert!(scene.cabinet.told().is_empty());
}

#[test]
fn what_waits_is_shown_to_those_whom_it_concerns() {
    let scene = with_rules(ASK);
    let row = waiting(scene.ask(&bob(), &insert("bobvm", "tools.iso")));
    let pending = |subject: &Subject| {
        let Ok(Reply::Confirmations(rows)) = scene.ask(subject, &Request::MediaPending) else {
            panic!("no list")
        };
        rows.into_iter().map(|row| row.number).collect::<Vec<_>>()
    };
    assert_eq!(pending(&bob()), [row.number]);
    assert_eq!(pending(&alice()), [row.number]);
    assert!(pending(&carol()).is_empty());
}

#[test]
fn the_classes_of_the_policy_are_an_administrators_to_see() {
    let scene = with_rules("[device-class.never]\nmatch = [{ vendor = \"0951\" }]\nrule = \"always-deny\"\n");
    let Ok(Reply::DeviceClasses(rows)) = scene.ask(&alice(), &Request::DeviceClasses) else {
        panic!("no list")
    };
    let never = rows.iter().find(|row| row.name == "never").unwrap();
    assert_eq!(
        (never.rule.as_str(), never.patterns.as_slice()),
        ("always-deny", ["vendor 0951".to_owned()].as_slice())
    );
    let failure = scene.ask(&alice(), &connect("bobvm", "usb:0951:1666:A")).unwrap_err();
    assert!(failure.message.contains("always denied"), "{}", failure.message);
    assert_eq!(scene.ask(&bob(), &Request::DeviceClasses).unwrap_err().kind, FailureKind::Denied);
}
