// SPDX-License-Identifier: Apache-2.0
//! Stories of the control socket.

mod audit;
mod bench;
mod cabinet;
mod candidates;
mod confirmation;
mod create;
mod lockouts;
mod media;
mod members;
mod networks;
mod policy_trial;
mod review;
mod scene;
mod screen;
mod settings;
mod sharing;

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use virtwarden_core::control::{
    AuditFilter, AuditRange, FailureKind, HookAnswer, HookCall, HookDriver, Marks, Membership, Mode,
    ObjectName, Presence, SharingRequest, Sight, UpdateAct, VmState, WayOut,
};
use virtwarden_core::object::{Sensitivity, Uuid};
use virtwarden_core::policy::request::Right;
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;

use self::media::{connect, insert};
use self::scene::{BOBVM, FINANCE, GONE, Scene, alice, bob, carol, root, session_of};
use super::*;

fn assign(vm: &str, user: &str, mode: Mode) -> Request {
    Request::VmAssign { vm: vm.into(), users: vec![user.into()], groups: Vec::new(), mode }
}

fn domain(vm: &str, to: Option<&str>) -> Request {
    let information_domain = to.map(str::to_owned);
    Request::VmDomain { vm: vm.into(), information_domain, mode: Mode::Apply }
}

fn add_administrator(user: &str, mode: Mode) -> Request {
    let role = "administrator".to_owned();
    Request::RoleChange { role, user: user.into(), membership: Membership::Added, mode }
}

fn reload(mode: Mode) -> Request {
    Request::PolicyReload { mode }
}

fn update(mode: Mode) -> Request {
    Request::Update { act: UpdateAct::Install, what: "file a.deb".into(), mode }
}

fn unlock(account: &str) -> Request {
    Request::LockoutUnlock { account: account.into(), class: None, mode: Mode::Apply }
}

/// One of each kind of request, with what bob, a User, gets for it.
fn of_each_kind() -> Vec<(Request, Option<FailureKind>)> {
    let (denied, missing) = (Some(FailureKind::Denied), Some(FailureKind::NotFound));
    let filter = AuditFilter::default();
    let hook = HookCall {
        driver: HookDriver::Daemon,
        object: "-".into(),
        operation: "start".into(),
        sub_operation: "-".into(),
        xml: String::new(),
        sight: Sight::Looked(Vec::new()),
    };
    let (users, groups) = (Vec::new(), Vec::new());
    let unassign = Request::VmUnassign { vm: "bobvm".into(), users, groups, mode: Mode::Apply };
    let object = ObjectName::Host;
    let right = Right::View;
    vec![
        (Request::Status, None),
        (Request::Table, None),
        (Request::Whoami, None),
        (Request::VmList, None),
        (Request::VmShow { vm: "bobvm".into() }, None),
        (assign("bobvm", "root", Mode::Apply), denied),
        (unassign, denied),
        (domain("bobvm", None), denied),
        (Request::RoleList, denied),
        (add_administrator("root", Mode::Apply), denied),
        (Request::RoleDone { outcome: Outcome::Success, detail: String::new() }, Some(FailureKind::Usage)),
        (Request::PolicyShow, denied),
        (reload(Mode::Apply), denied),
        (Request::PolicyExplain { user: "root".into(), right, object }, denied),
        (Request::AuditList { filter: filter.clone() }, denied),
        (Request::AuditFollow { filter }, denied),
        (Request::AuditVerify, denied),
        (Request::AuditExport { range: AuditRange::default() }, denied),
        (Request::Hook(hook), denied),
        (Request::SessionList, None),
        (Request::SessionShow { session: None }, None),
        (Request::SessionEnd { session: session_of(alice().account.uid), mode: Mode::Apply }, denied),
        (Request::SessionElevate, Some(FailureKind::Usage)),
        (Request::SessionLower, Some(FailureKind::Usage)),
        (Request::BannerAccept, Some(FailureKind::Usage)),
        (Request::LockoutList, denied),
        (Request::LockoutShow { account: "root".into() }, denied),
        (unlock("root"), denied),
        (Request::SettingList, denied),
        (Request::SettingShow { name: SettingName::Banner }, denied),
        (settings::set(settings::warning(), Mode::Apply), denied),
        (settings::unset(SettingName::Banner, Mode::Apply), denied),
        (Request::ScreenShow, None),
        (Request::ScreenOwn { wish: None, mode: Mode::DryRun }, None),
        (Request::Sharing(SharingRequest::List), denied),
        (sharing::allow("bobvm", "host", Mode::Apply), denied),
        (sharing::deny("bobvm", "host", Mode::Apply), denied),
        (Request::MediaList { medium: None, vm: None }, None),
        (insert("finance", "tools.iso"), missing),
        (Request::MediaEject { vm: "finance".into(), drive: None, mode: Mode::Apply }, missing),
        (connect("finance", "tools.iso"), missing),
        (Request::MediaDisconnect { vm: "finance".into(), medium: "a".into(), mode: Mode::Apply }, missing),
        (Request::MediaPending, None),
        (Request::MediaWatch, None),
        (Request::MediaConfirm { number: 7 }, missing),
        (Request::DeviceClasses, denied),
        (Request::NetworkList, None),
        (Request::NetworkShow { network: networks::SPARE.into() }, missing),
        (networks::assign(networks::SPARE, "red", Mode::Apply), missing),
        (Request::NetworkUnassign { network: networks::SPARE.into(), mode: Mode::Apply }, missing),
        (networks::create("made", "red", WayOut::Nat, Mode::Apply), denied),
        (Request::NetworkDelete { network: networks::SPARE.into(), mode: Mode::Apply }, missing),
        (Request::PolicyTry { seconds: 60 }, denied),
        (Request::PolicyConfirm, denied),
        (Request::SettingConfirm { name: SettingName::HostMedia }, denied),
        (Request::VmTemplates, denied),
        (create::create(create::wish("new", None), None, Mode::Apply), denied),
        (Request::AuditKeys, denied),
        (audit::delete(3, Mode::Apply), denied),
        (Request::RoleReview, denied),
        (Request::PolicyDiff { files: Vec::new() }, denied),
        (Request::PolicySimulate { files: Vec::new(), since: None }, denied),
        (Request::PolicyFormer, denied),
        (Request::PolicyRecall { number: 1 }, denied),
        (create::sensitive("bobvm", Sensitivity::Sensitive, Mode::Apply), denied),
        (update(Mode::Apply), denied),
        (Request::UpdateDone { outcome: Outcome::Success, detail: String::new() }, Some(FailureKind::Usage)),
    ]
}

/// What a request is called on the wire; those about sharing have kinds of their own.
fn kind(request: &Request) -> String {
    let Request::Sharing(of_sharing) = request else { return word(request) };
    format!("sharing {}", word(of_sharing))
}

fn word(request: &impl Serialize) -> String {
    let value = serde_json::to_value(request).unwrap();
    let only = value.as_object().and_then(|object| object.keys().next());
    value.as_str().or(only.map(String::as_str)).unwrap().to_owned()
}

/// All kinds there are, by the word of what decodes them: it tells them to whoever names another.
fn words<T: DeserializeOwned + Debug>() -> BTreeSet<String> {
    let said = serde_json::from_str::<T>("\"no-such-kind\"").unwrap_err().to_string();
    let (_, listed) = said.split_once("expected one of ").unwrap();
    let names = listed.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

fn kinds() -> BTreeSet<String> {
    let of_sharing = words::<SharingRequest>().into_iter().map(|word| format!("sharing {word}"));
    words::<Request>().into_iter().filter(|word| word != "sharing").chain(of_sharing).collect()
}

#[test]
fn of_each_kind_of_request_there_is_one() {
    let kinds = kinds();
    assert!(kinds.len() > 50 && kinds.contains("vm-list"), "{kinds:?}");
    assert_eq!(of_each_kind().iter().map(|(request, _)| kind(request)).collect::<BTreeSet<_>>(), kinds);
}

#[test]
fn a_user_may_ask_about_himself_and_nothing_else_and_every_refusal_is_recorded() {
    for (request, expected) in of_each_kind() {
        let scene = Scene::new();
        let before = scene.registry().entries();
        let answer = scene.ask(&bob(), &request);
        assert_eq!(answer.as_ref().err().map(|failure| failure.kind), expected, "{request:?} {answer:?}");
        assert_eq!(scene.registry().entries(), before, "{request:?}");
        assert!(scene.orders().is_empty(), "{request:?}");
        let denials = scene.told().iter().filter(|event| event.kind == Kind::Denial).count();
        let refused = matches!(expected, Some(FailureKind::Denied | FailureKind::NotFound));
        assert_eq!(denials, usize::from(refused), "{request:?}");
        assert!(scene.cables().done.is_empty() && !scene.networks().has_members(), "{request:?}");
        // What concerns himself alone is done and on record; here it changes nothing.
        let is_his_own = matches!(request, Request::ScreenOwn { .. });
        let told = scene.told();
        assert!(is_his_own || told.iter().all(|event| event.kind == Kind::Denial), "{request:?}");
        assert!(scene.streamed().is_empty(), "{request:?}");
        assert!(scene.cabinet.told().is_empty(), "{request:?}");
        assert!(scene.bench.jobs().is_empty(), "{request:?}");
    }
}

#[test]
fn an_administrator_may_ask_everything_but_what_is_the_hooks() {
    for (request, _) in of_each_kind() {
        let scene = Scene::with_group("root");
        let answer = scene.ask(&alice(), &request);
        let asks_too_early = matches!(
            request,
            Request::RoleDone { .. }
                | Request::UpdateDone { .. }
                | Request::SessionElevate
                | Request::SessionLower
                | Request::BannerAccept
                | Request::PolicyConfirm
                | Request::SettingConfirm { .. }
        );
        let names_what_is_not_there = matches!(
            request,
            Request::MediaEject { .. }
                | Request::MediaDisconnect { .. }
                | Request::MediaConfirm { .. }
                | Request::PolicyRecall { .. }
        );
        let is_the_hooks = matches!(request, Request::Hook(_));
        let expected = [
            (asks_too_early, FailureKind::Usage),
            (names_what_is_not_there, FailureKind::NotFound),
            (is_the_hooks, FailureKind::Denied),
        ];
        let expected = expected.iter().find(|(fits, _)| *fits).map(|(_, kind)| *kind);
        assert_eq!(answer.as_ref().err().map(|failure| failure.kind), expected, "{request:?} {answer:?}");
    }
}

#[test]
fn a_denial_says_which_function_is_missing() {
    let scene = Scene::new();
    let failure = scene.ask(&bob(), &Request::AuditVerify).unwrap_err();
    assert_eq!(failure.message, "access denied: bob (user) may not review the audit trail");
    let failure = scene.ask(&bob(), &audit::delete(3, Mode::Apply)).unwrap_err();
    assert_eq!(
        failure.message,
        "access denied: bob (user) may not configure and manage the audit system and audit data (Table 3, 6)"
    );
}

#[test]
fn a_hidden_vm_is_missing_in_the_same_words() {
    let scene = Scene::new();
    for typed in ["finance".to_owned(), FINANCE.to_string()] {
        let hidden = scene.ask(&bob(), &Request::VmShow { vm: typed.clone() }).unwrap_err();
        assert_eq!(hidden.kind, FailureKind::NotFound);
        let missing = scene.ask(&bob(), &Request::VmShow { vm: "nothing".into() }).unwrap_err();
        assert_eq!(hidden.message.replace(&typed, "nothing"), missing.message);
        let changed = scene.ask(&bob(), &assign(&typed, "bob", Mode::Apply)).unwrap_err();
        assert_eq!(changed, hidden);
    }
    assert_eq!(scene.told().len(), 4, "each look at the hidden one is recorded");
}

#[test]
fn everybody_lists_the_vms_that_he_may_see() {
    let scene = Scene::new();
    assert_eq!(scene.names(&bob()), ["bobvm"]);
    assert_eq!(scene.names(&carol()), Vec::<String>::new());
    assert_eq!(scene.names(&alice()), ["bobvm", "finance", "gone"]);
    let rows = scene.rows(&alice());
    let gone = rows.iter().find(|row| row.uuid == GONE).unwrap();
    assert_eq!((gone.presence, gone.state), (Presence::Missing, VmState::Unknown));
}

#[test]
fn an_assignment_is_recorded_before_and_after_and_kept() {
    let scene = Scene::new();
    let change = scene.change(&alice(), &assign("finance", "root", Mode::Apply)).unwrap();
    assert_eq!(change.differences, ["+user root"]);
    assert!(scene.registry().vm(FINANCE).unwrap().users.iter().any(|user| user.name == "root"));
    let [attempt, outcome] = scene.told().try_into().unwrap();
    assert_eq!((attempt.kind, attempt.operation.as_str()), (Kind::Attempt, "vm assign"));
    assert_eq!(attempt.functions, [Function::ConfigureVms]);
    assert_eq!(attempt.detail, "users [root], groups []");
    assert_eq!((outcome.kind, outcome.outcome), (Kind::Outcome, Outcome::Success));
    assert_eq!(outcome.detail, "+user root");
}

#[test]
fn a_dry_run_is_judged_and_recorded_but_changes_nothing() {
    let scene = Scene::new();
    let change = scene.change(&alice(), &assign("finance", "root", Mode::DryRun)).unwrap();
    assert_eq!(change.differences, ["+user root"]);
    assert!(scene.registry().vm(FINANCE).is_none());
    assert_eq!(scene.told()[1].detail, "dry run: +user root");
    assert!(scene.ask(&bob(), &assign("bobvm", "root", Mode::DryRun)).is_err());
}

#[test]
fn what_cannot_be_recorded_does_not_happen() {
    let scene = Scene::new();
    scene.shut_trail();
    for request in [assign("finance", "root", Mode::Apply), reload(Mode::Apply), Request::AuditVerify] {
        assert_eq!(scene.ask(&alice(), &request).unwrap_err().kind, FailureKind::Unavailable);
    }
    assert!(scene.registry().vm(FINANCE).is_none());
}

#[test]
fn an_unknown_user_is_named_with_one_who_was_meant() {
    let scene = Scene::new();
    let failure = scene.ask(&alice(), &assign("finance", "rooot", Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert_eq!(failure.message, "there is no user `rooot`; did you mean `root`?");
    assert_eq!(scene.told()[1].outcome, Outcome::Failure);
}

/// bob's account is not on this host: it is gone, and only the registry remembers it.
#[test]
fn an_account_that_is_gone_can_lose_a_vm_but_get_none() {
    let scene = Scene::new();
    assert!(scene.ask(&alice(), &assign("finance", "bob", Mode::Apply)).is_err());
    let (users, groups) = (vec!["bob".to_owned()], Vec::new());
    let unassign = Request::VmUnassign { vm: "bobvm".into(), users, groups, mode: Mode::Apply };
    assert_eq!(scene.change(&alice(), &unassign).unwrap().differences, ["-user bob"]);
    assert!(scene.registry().vm(BOBVM).is_none());
}

#[test]
fn an_information_domain_must_be_defined_and_the_vm_shut_off() {
    let scene = Scene::new();
    let failure = scene.ask(&alice(), &domain("finance", Some("green"))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.message.contains("`green`, only `blue`, `red`"), "{}", failure.message);
    let change = scene.change(&alice(), &domain("finance", Some("red"))).unwrap();
    assert_eq!(change.differences, ["information domain none -> red"]);
    let failure = scene.ask(&alice(), &domain("bobvm", Some("red"))).unwrap_err();
    assert!(failure.message.contains("not shut off"), "{}", failure.message);
    assert_eq!(scene.registry().vm(BOBVM).unwrap().information_domain, None);
}

#[test]
fn a_role_changes_between_two_records() {
    let scene = Scene::with_group("root");
    let mut pending = None;
    let answer = scene.ask_within(&alice(), &add_administrator("root", Mode::Apply), &mut pending).unwrap();
    assert_eq!(answer, Reply::EditGroup { group: "root".into() });
    assert_eq!(scene.told().last().unwrap().kind, Kind::Attempt);
    let again = scene.ask_within(&alice(), &add_administrator("root", Mode::Apply), &mut pending);
    assert_eq!(again.unwrap_err().kind, FailureKind::Usage);
    let done = Request::RoleDone { outcome: Outcome::Failure, detail: "gpasswd failed".into() };
    scene.ask_within(&alice(), &done, &mut pending).unwrap();
    let last = scene.told().pop().unwrap();
    assert_eq!(
        (last.kind, last.outcome, last.detail.as_str()),
        (Kind::Outcome, Outcome::Failure, "gpasswd failed")
    );
}

#[test]
fn a_role_whose_change_nobody_saw_end_is_unknown() {
    let scene = Scene::with_group("root");
    let mut pending = None;
    scene.ask_within(&alice(), &add_administrator("root", Mode::Apply), &mut pending).unwrap();
    drop(pending);
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Unknown);
}

#[test]
fn a_policy_comes_into_force_whole_or_not_at_all() {
    let scene = Scene::new();
    let before = scene.hash();
    scene.write_policy("60-more.toml", "[role.helper]\ncolum = \"user\"\n");
    let failure = scene.ask(&alice(), &reload(Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("colum"), "{}", failure.message);
    assert_eq!(scene.hash(), before);
    scene.write_policy("60-more.toml", "[role.helper]\ncolumn = \"user\"\nfunctions = [\"start\"]\n");
    let planned = scene.change(&alice(), &reload(Mode::DryRun)).unwrap();
    assert!(planned.differences.iter().any(|line| line.starts_with("role.helper: start")), "{planned:?}");
    assert_eq!((scene.hash(), scene.announced()), (before.clone(), 0));
    let made = scene.change(&alice(), &reload(Mode::Apply)).unwrap();
    assert_eq!(made.differences, planned.differences);
    assert_ne!(scene.hash(), before);
    assert_eq!(scene.announced(), 1);
}

#[test]
fn nobody_loads_a_policy_that_he_could_not_change_again() {
    let scene = Scene::new();
    let before = scene.hash();
    scene.write_policy(
        "10-first.toml",
        "[role.administrator]\ncolumn = \"administrator\"\nusers = [\"carol\"]\n",
    );
    let failure = scene.ask(&alice(), &reload(Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("could not change the policy again"), "{}", failure.message);
    assert_eq!(scene.hash(), before);
}

#[test]
fn an_explanation_names_the_rule() {
    let scene = Scene::new();
    let explain = |right, object| {
        let request = Request::PolicyExplain { user: "root".into(), right, object };
        {
            let Reply::Explanation(explanation) = scene.ask(&alice(), &request).unwrap() else {
                panic!("another answer")
            };
            explanation
        }
    };
    let allowed = explain(Right::Function(Function::Start), ObjectName::Vm("finance".into()));
    assert_eq!(allowed.verdict, virtwarden_core::control::Verdict::Allowed);
    assert_eq!(allowed.roles, ["administrator", "host-services"]);
    assert!(allowed.reasons[0].contains("administrator"), "{allowed:?}");
    let configured = explain(Right::Function(Function::ConfigureNetworks), ObjectName::Host);
    assert!(configured.reasons[1].contains("only in a login session"), "{configured:?}");
}

#[test]
fn records_are_filtered_and_limited() {
    let scene = Scene::new();
    let list = |filter| {
        let answer = scene.ask(&alice(), &Request::AuditList { filter }).unwrap();
        let lines = scene.streamed();
        assert_eq!(answer, Reply::End { replies: u64::try_from(lines.len()).unwrap() });
        lines
    };
    assert_eq!(list(AuditFilter::default()), ["one", "two", "three"]);
    assert_eq!(list(AuditFilter { limit: Some(2), ..AuditFilter::default() }), ["two", "three"]);
    assert_eq!(list(AuditFilter { limit: Some(0), ..AuditFilter::default() }), Vec::<String>::new());
    let with_marks = AuditFilter { marks: Marks::Shown, ..AuditFilter::default() };
    assert_eq!(list(with_marks), ["one", "two", "three", "mark"]);
    assert_eq!(list(AuditFilter { since: Some(20), ..AuditFilter::default() }), ["two", "three"]);
    let range = AuditRange { from: Some(2), to: Some(2) };
    scene.ask(&alice(), &Request::AuditExport { range }).unwrap();
    assert_eq!(scene.streamed(), ["two"]);
}

fn start_of(xml: &str) -> Request {
    Request::Hook(HookCall {
        driver: HookDriver::Qemu,
        object: "finance".into(),
        operation: "start".into(),
        sub_operation: "begin".into(),
        xml: xml.into(),
        sight: Sight::Looked(Vec::new()),
    })
}

fn definition(network: &str) -> String {
    format!(
        "<domain type='kvm'><name>finance</name><uuid>{FINANCE}</uuid><memory>1024</memory><os><type>hvm</type></os>\
         <devices><interface type='network'><source network='{network}'/></interface></devices></domain>"
    )
}

#[test]
fn the_hook_stops_what_the_policy_forbids_and_records_it() {
    let scene = Scene::new();
    scene.change(&alice(), &domain("finance", Some("red"))).unwrap();
    let answer = |xml: &str| {
        let Reply::Hook(answer) = scene.ask(&root(), &start_of(xml)).unwrap() else {
            panic!("another answer")
        };
        answer
    };
    assert_eq!(answer(&definition("red-net")), HookAnswer::Allow);
    let seen = scene.told().pop().unwrap();
    assert_eq!((seen.kind, seen.outcome), (Kind::Observation, Outcome::Success));
    assert_eq!(seen.targets[0].uuid, Some(FINANCE));
    assert!(matches!(answer(&definition("blue-net")), HookAnswer::Deny { .. }));
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Denied);
    assert!(matches!(answer("<domain"), HookAnswer::Deny { .. }));
    scene.shut_trail();
    assert!(matches!(answer(&definition("red-net")), HookAnswer::Deny { .. }), "what cannot be recorded");
}

#[test]
fn the_hook_lets_a_vm_be_plugged_in_only_where_it_belongs() {
    let scene = Scene::new();
    scene.change(&alice(), &domain("finance", Some("red"))).unwrap();
    let answer = |network: &str, owner: &str| {
        let port = format!("<networkport><owner><name>x</name><uuid>{owner}</uuid></owner></networkport>");
        let call = HookCall {
            driver: HookDriver::Network,
            object: network.into(),
            operation: "port-created".into(),
            sub_operation: "begin".into(),
            xml: format!("<hookData><network><name>{network}</name></network>{port}</hookData>"),
            sight: Sight::default(),
        };
        let Reply::Hook(answer) = scene.ask(&root(), &Request::Hook(call)).unwrap() else {
            panic!("another answer")
        };
        answer
    };
    assert_eq!(answer("red-net", &FINANCE.to_string()), HookAnswer::Allow);
    assert!(matches!(answer("blue-net", &FINANCE.to_string()), HookAnswer::Deny { .. }));
    let stranger = Uuid([9; 16]).to_string();
    assert!(matches!(answer("red-net", &stranger), HookAnswer::Deny { .. }), "it belongs to red");
    assert!(matches!(answer("red-net", ""), HookAnswer::Deny { .. }), "nobody is a stranger too");
}

#[test]
fn a_status_tells_details_to_those_who_may_see_them() {
    let scene = Scene::new();
    scene.see(GONE, "gone");
    let status = |subject: &Subject| {
        let Reply::Status(status) = scene.ask(subject, &Request::Status).unwrap() else {
            panic!("another answer")
        };
        status
    };
    assert_eq!(status(&bob()).details, None);
    let details = status(&alice()).details.unwrap();
    assert_eq!((details.registered, details.assigned), (2, 2));
    assert_eq!(details.policy_hash, scene.hash());
    assert!(details.warnings.is_empty());
}

#[test]
fn a_uuid_that_is_a_name_of_another_vm_means_the_name() {
    let scene = Scene::new();
    scene.see(Uuid([9; 16]), &FINANCE.to_string());
    let row = scene.control.find(&alice(), &FINANCE.to_string()).unwrap();
    assert_eq!(row.uuid, Uuid([9; 16]));
}

mod on_the_wire;

#[test]
fn a_vm_that_libvirt_lost_is_a_warning_and_one_that_was_renamed_past_us_gets_its_name() {
    let scene = Scene::new();
    let warnings = || {
        let Reply::Status(status) = scene.ask(&alice(), &Request::Status).unwrap() else {
            panic!("no status")
        };
        status.details.unwrap().warnings.join("\n")
    };
    assert!(warnings().contains("`gone`"), "{}", warnings());
    scene.see(GONE, "back");
    assert!(!warnings().contains("`gone`"), "{}", warnings());
    assert_eq!(scene.registry().entries()[&GONE].name, "back");
    let seen = scene.told().into_iter().filter(|event| event.kind == Kind::Observation).count();
    assert_eq!(seen, 1);
}

fn sessions(scene: &Scene, subject: &Subject, request: &Request) -> Vec<u32> {
    let Ok(Reply::Sessions(rows)) = scene.ask(subject, request) else { return Vec::new() };
    rows.iter().map(|row| row.id).collect()
}

#[test]
fn everybody_sees_his_own_sessions_and_who_administers_all() {
    let scene = Scene::new();
    let (alices, bobs) = (session_of(1000), session_of(1001));
    assert_eq!(sessions(&scene, &alice(), &Request::SessionList), [alices, bobs]);
    assert_eq!(sessions(&scene, &bob(), &Request::SessionList), [bobs]);
    assert_eq!(sessions(&scene, &carol(), &Request::SessionList), [0; 0]);
    assert_eq!(sessions(&scene, &bob(), &Request::SessionShow { session: None }), [bobs]);
    let foreign = Request::SessionShow { session: Some(alices) };
    let none = Request::SessionShow { session: Some(4_000_000) };
    let said = |request| scene.ask(&bob(), request).unwrap_err().message;
    assert_eq!(said(&foreign), said(&none).replace("4000000", &alices.to_string()), "no telling them apart");
    assert_eq!(sessions(&scene, &alice(), &Request::SessionShow { session: Some(bobs) }), [bobs]);
}

#[test]
fn a_session_is_ended_by_its_owner_or_on_record_by_who_administers() {
    let bobs = session_of(1001);
    let end = |mode| Request::SessionEnd { session: bobs, mode };
    let is_open = |scene: &Scene| {
        let rows = scene.control.monitor.sessions().rows();
        rows.iter().any(|row| row.id == bobs && row.until.is_none())
    };
    for (who, attempts) in [(alice(), 2), (bob(), 0)] {
        let scene = Scene::new();
        let dry = scene.change(&who, &end(Mode::DryRun)).unwrap();
        assert!(is_open(&scene) && !dry.differences.is_empty());
        scene.change(&who, &end(Mode::Apply)).unwrap();
        assert!(!is_open(&scene));
        let again = scene.ask(&who, &end(Mode::Apply)).unwrap_err();
        assert_eq!(again.kind, FailureKind::NotFound);
        let recorded = scene.told().iter().filter(|event| event.outcome == Outcome::Success).count();
        assert_eq!(recorded, attempts);
    }
    let scene = Scene::new();
    let foreign = Request::SessionEnd { session: session_of(1000), mode: Mode::Apply };
    let none = Request::SessionEnd { session: 4_000_000, mode: Mode::Apply };
    let said = |request| scene.ask(&bob(), request).unwrap_err().message;
    assert_eq!(said(&foreign), said(&none), "no telling them apart");
    assert!(scene.control.monitor.sessions().rows().iter().all(|row| row.until.is_none()));
    assert_eq!(scene.told().iter().filter(|event| event.kind == Kind::Denial).count(), 2);
}

#[test]
fn an_update_is_on_record_from_its_beginning_to_how_it_went() {
    let scene = Scene::new();
    let mut pending = None;
    assert_eq!(scene.ask_within(&alice(), &update(Mode::Apply), &mut pending), Ok(Reply::Proceed));
    let again = scene.ask_within(&alice(), &update(Mode::Apply), &mut pending).unwrap_err();
    assert_eq!(again.kind, FailureKind::Usage);
    let failed =
        Request::UpdateDone { outcome: Outcome::Failure, detail: "verification failed: wrong key".into() };
    scene.ask_within(&alice(), &failed, &mut pending).unwrap();
    let told = scene.told();
    let said: Vec<_> =
        told.iter().map(|event| (event.operation.as_str(), event.outcome, event.detail.as_str())).collect();
    assert_eq!(
        said,
        [
            ("update install", Outcome::Pending, "file a.deb"),
            ("update install", Outcome::Failure, "verification failed: wrong key"),
        ]
    );
    assert_eq!(told[0].functions, [Function::UpdateSystem]);
    scene.ask_within(&alice(), &update(Mode::DryRun), &mut pending).unwrap();
    drop(pending);
    let last = scene.told().pop().unwrap();
    assert_eq!(last.outcome, Outcome::Unknown, "whoever carried it out died");
}

#[test]
fn an_update_that_cannot_be_recorded_does_not_begin() {
    let scene = Scene::new();
    scene.shut_trail();
    assert_eq!(scene.ask(&alice(), &update(Mode::Apply)).unwrap_err().kind, FailureKind::Unavailable);
}
