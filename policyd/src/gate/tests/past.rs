// SPDX-License-Identifier: Apache-2.0
//! What is done past the gate: the census hears of it from libvirtd and the registry follows.

use std::sync::atomic::{AtomicBool, Ordering};

use virtwarden_core::record::Outcome;
use virtwarden_core::rpc::frame::MessageKind;

use super::libvirtd::*;
use super::*;
use crate::belongings::Belonging;
use crate::census::Census;

const UNDEFINED: i32 = 1;
const DEFINED: i32 = 0;
const STOPPED: i32 = 5;

fn lifecycle(uuid: Uuid, what: i32, why: i32) -> Vec<u8> {
    let told = Value::Record(vec![vm(uuid), Value::Int(what), Value::Int(why)]);
    let payload = written("DOMAIN_EVENT_CALLBACK_LIFECYCLE", &[Value::Int(1), told]);
    message(call_header(318, 0), MessageKind::Message, Status::Ok, &payload)
}

/// A libvirtd with these VMs, none of them transient, which then tells of these events.
pub(super) fn with(vms: &'static [Uuid], count: u32, events: Vec<Vec<u8>>) -> Script {
    Arc::new(move |heard| match heard.name {
        "CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY" => Some(vec![good(heard, &[Value::Int(1)])]),
        "CONNECT_NETWORK_EVENT_REGISTER_ANY" | "CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY" => {
            Some(vec![good(heard, &[Value::Int(1)])])
        }
        "CONNECT_LIST_ALL_NETWORKS" => {
            let answer = good(heard, &[Value::List(vec![]), Value::Unsigned(0)]);
            Some(std::iter::once(answer).chain(events.clone()).collect())
        }
        "CONNECT_LIST_ALL_DOMAINS" if heard.payload.ends_with(&[0, 0, 0, 8]) => {
            Some(vec![good(heard, &[Value::List(vec![]), Value::Unsigned(0)])])
        }
        "CONNECT_LIST_ALL_DOMAINS" => {
            let listed = Value::List(vms.iter().copied().map(vm).collect());
            Some(vec![good(heard, &[listed, Value::Unsigned(count)])])
        }
        _ => None,
    })
}

/// Runs a census until `done`, or for two seconds.
pub(super) fn count(scene: &Scene, done: impl Fn(&Registry) -> bool) {
    let pid_file = scene.directory.path().join("pid");
    std::fs::write(&pid_file, std::process::id().to_string()).unwrap();
    let socket = scene.libvirtd.path.clone();
    let place = Place { socket: socket.clone(), read_only_socket: socket, pid_file, ..Place::default() };
    let census = Arc::new(Census::new(scene.gate.monitor.clone(), place).unwrap());
    let running = census.clone();
    let thread = std::thread::spawn(move || running.run());
    let until = Instant::now() + Duration::from_secs(2);
    while !done(scene.gate.monitor.registry()) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    census.stop();
    thread.join().unwrap();
}

fn observed(scene: &Scene, operation: &str) -> Vec<(Outcome, String)> {
    let events = scene.notebook.events.lock().unwrap();
    let events = events.iter().map(|(event, _)| event);
    let about = events.filter(|event| event.kind == Kind::Observation && event.operation == operation);
    about.map(|event| (event.outcome, event.detail.clone())).collect()
}

#[test]
fn what_libvirtd_does_not_have_is_dropped_and_what_it_has_is_enrolled() {
    let scene = Scene::scripted(ADMINISTRATOR, with(&[FINANCE], 1, vec![]));
    count(&scene, |registry| registry.entries().contains_key(&FINANCE));
    let registry = scene.gate.monitor.registry();
    assert!(registry.vm(BOBS).is_none() && registry.vm(FINANCE).is_none());
    let lost = format!("libvirt does not have it any more: -user {}", me().name);
    assert_eq!(observed(&scene, "registry forget"), [(Outcome::Success, lost)]);
    assert_eq!(observed(&scene, "vm appeared").len(), 1);
    count(&scene, |_| !scene.libvirtd.calls().is_empty());
    assert_eq!(observed(&scene, "vm appeared").len(), 1, "it is seen once");
}

#[test]
fn a_libvirtd_that_answers_in_part_or_not_at_all_takes_nothing_from_anybody() {
    let mute: Script = Arc::new(|heard| match heard.name {
        "CONNECT_LIST_ALL_DOMAINS" => Some(vec![vec![]]),
        _ => with(&[], 0, vec![])(heard),
    });
    for script in [with(&[FINANCE], 2, vec![]), mute] {
        let scene = Scene::scripted(ADMINISTRATOR, script);
        let asked = || scene.libvirtd.heard().contains(&"CONNECT_LIST_ALL_DOMAINS");
        count(&scene, |_| asked());
        assert!(scene.gate.monitor.registry().vm(BOBS).is_some() && asked());
    }
}

#[test]
fn a_vm_that_is_undefined_past_the_gate_leaves_nothing_to_the_next_with_its_uuid() {
    let events = vec![lifecycle(BOBS, UNDEFINED, 0), lifecycle(BOBS, DEFINED, 0)];
    let scene = Scene::scripted(ADMINISTRATOR, with(&[BOBS], 1, events));
    count(&scene, |registry| registry.vm(BOBS).is_none());
    assert!(scene.gate.monitor.registry().vm(BOBS).is_none());
    assert!(observed(&scene, "registry forget")[0].1.starts_with("it is gone: -user"));
}

#[test]
fn vms_that_go_together_are_each_on_record_and_leave_nothing_to_the_next() {
    let events =
        vec![lifecycle(BOBS, UNDEFINED, 0), lifecycle(FINANCE, UNDEFINED, 0), lifecycle(BOBS, DEFINED, 0)];
    let scene = Scene::scripted(ADMINISTRATOR, with(&[BOBS, FINANCE], 2, events));
    count(&scene, |_| observed(&scene, "registry forget").len() == 2);
    assert!(scene.gate.monitor.registry().vm(BOBS).is_none());
    assert!(observed(&scene, "registry forget").iter().all(|(outcome, _)| *outcome == Outcome::Success));
}

#[test]
fn a_vm_that_stops_or_is_renamed_keeps_its_people() {
    let events =
        vec![lifecycle(BOBS, STOPPED, 0), lifecycle(BOBS, UNDEFINED, 1), lifecycle(BOBS, DEFINED, 2)];
    let events = events.into_iter().chain([lifecycle(FINANCE, UNDEFINED, 0)]).collect();
    let scene = Scene::scripted(ADMINISTRATOR, with(&[BOBS, FINANCE], 2, events));
    count(&scene, |_| !observed(&scene, "registry forget").is_empty());
    assert_eq!(scene.gate.monitor.registry().entries().len(), 1, "the last event was heard");
    assert!(scene.gate.monitor.registry().vm(BOBS).is_some());
}

#[test]
fn a_vm_that_lives_on_in_a_saved_state_keeps_its_people() {
    let saved = tempfile::tempdir().unwrap();
    let policy = format!("{ADMINISTRATOR}[saved]\ndirectory = \"{}\"\n", saved.path().display());
    let scene = Scene::scripted(&policy, with(&[FINANCE], 1, vec![]));
    std::fs::create_dir(saved.path().join(BOBS.to_string())).unwrap();
    std::fs::write(saved.path().join(BOBS.to_string()).join("one"), "").unwrap();
    count(&scene, |registry| registry.entries().contains_key(&FINANCE));
    assert!(scene.gate.monitor.registry().vm(BOBS).is_some());
}

#[test]
fn what_a_request_made_needs_no_other_explanation() {
    let scene = Scene::set(ADMINISTRATOR);
    assert_eq!(scene.open_client().call("DOMAIN_DEFINE_XML", &[text(&definition(BOBS, ""))]).0, Status::Ok);
    let now = Instant::now();
    let monitor = &scene.gate.monitor;
    assert!(monitor.was_made(BOBS, now) && !monitor.was_made(FINANCE, now));
    monitor.registry().forget(BOBS).unwrap();
    monitor.enroll(vec![(BOBS, "bobvm".to_owned()), (FINANCE, "finance".to_owned())], now);
    assert_eq!(observed(&scene, "vm appeared").len(), 1);
}

/// Whether what somebody finds of a VM now is kept.
fn is_kept(scene: &Scene, vm: Uuid) -> bool {
    let belongings = scene.gate.monitor.belongings();
    belongings.recall(vm).map_or_else(
        |began| {
            belongings.keep(vm, began, Belonging::default());
            belongings.recall(vm).is_ok()
        },
        |_| true,
    )
}

#[test]
fn what_vms_have_is_kept_while_the_census_listens_and_until_it_hears_of_them() {
    let (kept, dropped) = (Arc::new(AtomicBool::default()), AtomicBool::default());
    let (usual, looked, waits) = (with(&[BOBS, FINANCE], 2, vec![]), AtomicBool::default(), kept.clone());
    let network = Value::Record(vec![text("red"), Value::Uuid(Uuid([3; 16]))]);
    let told = written("NETWORK_EVENT_LIFECYCLE", &[Value::Int(1), network, Value::Int(0), Value::Int(0)]);
    let told = message(call_header(315, 0), MessageKind::Message, Status::Ok, &told);
    // The second look at networks is answered once something is kept, and then bobvm stops.
    let script: Script = Arc::new(move |heard| match (heard.name, looked.load(Ordering::SeqCst)) {
        ("CONNECT_LIST_ALL_NETWORKS", false) => {
            looked.store(true, Ordering::SeqCst);
            Some(usual(heard)?.into_iter().chain([told.clone()]).collect())
        }
        ("CONNECT_LIST_ALL_NETWORKS", true) => {
            while !waits.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Some(usual(heard)?.into_iter().chain([lifecycle(BOBS, STOPPED, 0)]).collect())
        }
        _ => usual(heard),
    });
    let scene = Scene::scripted(ADMINISTRATOR, script);
    count(&scene, |_| {
        if !kept.load(Ordering::SeqCst) {
            kept.store(is_kept(&scene, FINANCE) && is_kept(&scene, BOBS), Ordering::SeqCst);
        } else if scene.gate.monitor.belongings().recall(BOBS).is_err() {
            dropped.store(scene.gate.monitor.belongings().recall(FINANCE).is_ok(), Ordering::SeqCst);
            return true;
        }
        false
    });
    // Whoever waits for it does not wait for ever.
    assert!(kept.swap(true, Ordering::SeqCst), "nothing was ever kept");
    assert!(dropped.load(Ordering::SeqCst), "bobvm's is dropped, and finance's is not");
    assert!(!is_kept(&scene, BOBS) && !is_kept(&scene, FINANCE), "nobody listens any more");
}

#[test]
fn nothing_is_kept_where_the_census_does_not_get_so_far_as_to_listen() {
    let script: Script = Arc::new(|heard| match heard.name {
        // The connection ends.
        "CONNECT_LIST_ALL_NETWORKS" => Some(vec![vec![]]),
        _ => with(&[BOBS, FINANCE], 2, vec![])(heard),
    });
    let scene = Scene::scripted(ADMINISTRATOR, script);
    let asked = || scene.libvirtd.heard().contains(&"CONNECT_LIST_ALL_NETWORKS");
    count(&scene, |_| asked());
    assert!(asked() && !is_kept(&scene, BOBS));
}
