// SPDX-License-Identifier: Apache-2.0
use std::sync::Mutex;

use virtwarden_core::authentication::{Absence, Authentication};
use virtwarden_core::subject::{Account, Door, Group, Process};
use virtwarden_core::table3::Function;

use super::*;
use crate::networks::Book;
use crate::registry::People;
use crate::sessions::Sessions;

/// A ledger that keeps what it is told, or refuses it.
#[derive(Debug, Default)]
struct Notebook {
    events: Mutex<Vec<Event>>,
    shut: bool,
}

impl Notebook {
    fn told(&self) -> Vec<(Kind, Outcome, Option<u64>)> {
        self.events.lock().unwrap().iter().map(|event| (event.kind, event.outcome, event.of)).collect()
    }
}

impl Ledger for Notebook {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        if self.shut {
            return Err("the store is full".to_owned());
        }
        self.events.lock().unwrap().push(event);
        Ok(7)
    }
    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
    fn deny(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

struct Scene {
    _directory: tempfile::TempDir,
    monitor: Monitor,
    notebook: Arc<Notebook>,
}

const BOBS: Uuid = Uuid([1; 16]);
const FINANCE: Uuid = Uuid([2; 16]);

fn account(name: &str, uid: u32) -> Account {
    Account { name: name.to_owned(), uid }
}

fn bob() -> Subject {
    Subject {
        account: account("bob", 1001),
        groups: vec![Group { name: "libvirt".to_owned(), gid: 64055 }],
        login: None,
        authentication: Authentication::Nobody(Absence::NoSession),
        process: Process { pid: 1, start_time: 1 },
        door: Door::Libvirt,
    }
}

fn scene(shut: bool) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.d");
    let policies = Policies::open(vec![shipped.into()]).unwrap();
    let registry = Arc::new(Registry::open(&directory.path().join("registry.json")).unwrap());
    let people = People { users: [account("bob", 1001)].into(), ..People::default() };
    registry.apply(&registry.plan_assign(BOBS, "bobvm", &people)).unwrap();
    let notebook = Arc::new(Notebook { shut, ..Notebook::default() });
    let networks = Arc::new(Book::open(&directory.path().join("networks.json")).unwrap());
    let sessions = Arc::new(Sessions::default());
    let monitor = Monitor::new(policies, registry, networks, notebook.clone(), sessions);
    Scene { _directory: directory, monitor, notebook }
}

fn need(scene: &Scene, right: Right, vm: Uuid) -> Vec<Need> {
    vec![Need { right, object: scene.monitor.vm(vm, "vm") }]
}

#[test]
fn an_act_is_recorded_before_and_after() {
    let scene = scene(false);
    let needs = need(&scene, Right::Function(Function::Start), BOBS);
    let attempt = scene.monitor.judge(&bob(), "DOMAIN_CREATE", needs).unwrap();
    assert_eq!(scene.notebook.told(), [(Kind::Attempt, Outcome::Pending, None)]);
    attempt.finish(Outcome::Success, "");
    assert_eq!(scene.notebook.told()[1..], [(Kind::Outcome, Outcome::Success, Some(7))]);
}

#[test]
fn an_act_whose_end_nobody_saw_is_unknown() {
    let scene = scene(false);
    let needs = need(&scene, Right::Function(Function::Start), BOBS);
    drop(scene.monitor.judge(&bob(), "DOMAIN_CREATE", needs).unwrap());
    assert_eq!(scene.notebook.told()[1..], [(Kind::Outcome, Outcome::Unknown, Some(7))]);
}

#[test]
fn what_cannot_be_recorded_does_not_happen() {
    let scene = scene(true);
    let needs = need(&scene, Right::Function(Function::Start), BOBS);
    let refusal = scene.monitor.judge(&bob(), "DOMAIN_CREATE", needs).unwrap_err();
    assert!(matches!(refusal, Refusal::Unrecorded(_)));
}

#[test]
fn looking_needs_no_record_unless_refused() {
    let scene = scene(true);
    drop(scene.monitor.judge(&bob(), "DOMAIN_GET_INFO", need(&scene, Right::View, BOBS)).unwrap());
    assert!(scene.notebook.told().is_empty());
    let refusal =
        scene.monitor.judge(&bob(), "DOMAIN_GET_INFO", need(&scene, Right::View, FINANCE)).unwrap_err();
    assert!(matches!(refusal, Refusal::Hidden { .. }));
    assert_eq!(scene.notebook.told(), [(Kind::Denial, Outcome::Denied, None)]);
}

#[test]
fn a_missing_right_on_a_visible_vm_is_told_with_its_row() {
    let scene = scene(false);
    let needs = need(&scene, Right::Function(Function::ConfigureVms), BOBS);
    let refusal = scene.monitor.judge(&bob(), "DOMAIN_UNDEFINE", needs).unwrap_err();
    assert!(matches!(&refusal, Refusal::Denied(text) if text.contains("(Table 3, 3)")), "{refusal}");
}

#[test]
fn a_hidden_vm_stays_hidden_whatever_was_wanted() {
    let scene = scene(false);
    let needs = need(&scene, Right::Function(Function::ConfigureVms), FINANCE);
    assert!(matches!(scene.monitor.judge(&bob(), "DOMAIN_UNDEFINE", needs), Err(Refusal::Hidden { .. })));
    let needs = need(&scene, Right::Function(Function::Start), FINANCE);
    let reason = Reason::Forbidden("a rule".to_owned());
    assert!(matches!(scene.monitor.forbid(&bob(), "DOMAIN_CREATE", reason, needs), Refusal::Hidden { .. }));
}

#[test]
fn whoever_holds_no_role_may_nothing() {
    let scene = scene(false);
    let nobody = Subject { groups: Vec::new(), ..bob() };
    let refusal =
        scene.monitor.judge(&nobody, "DOMAIN_GET_INFO", need(&scene, Right::View, BOBS)).unwrap_err();
    assert!(matches!(refusal, Refusal::Denied(_)));
}

#[test]
fn what_the_registry_learns_is_on_record_once() {
    let scene = scene(false);
    let new = Uuid([5; 16]);
    scene.monitor.adopt(&bob(), new, "new");
    scene.monitor.rename(&bob(), new, "newer");
    scene.monitor.rename(&bob(), new, "newer");
    scene.monitor.notice_name(new, "newest");
    scene.monitor.notice_name(new, "newest");
    scene.monitor.forget(&bob(), new);
    scene.monitor.forget(&bob(), new);
    scene.monitor.notice_name(FINANCE, "of nobody");
    let events = scene.notebook.events.lock().unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.operation.as_str())).collect();
    assert_eq!(
        told,
        [
            (Kind::Change, "registry adopt"),
            (Kind::Change, "registry rename"),
            (Kind::Observation, "registry rename"),
            (Kind::Change, "registry forget"),
        ]
    );
    let named: Vec<_> = events.iter().filter_map(|event| event.targets[0].name.as_deref()).collect();
    assert_eq!(named, ["new", "newer", "newest", "newest"]);
    let people: Vec<_> = events.iter().map(|event| event.actor.is_some()).collect();
    assert_eq!(people, [true, true, false, true], "nobody is known to have renamed it past the gate");
    assert!(scene.monitor.registry().vm(new).is_none());
}
