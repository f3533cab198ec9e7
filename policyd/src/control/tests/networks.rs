// SPDX-License-Identifier: Apache-2.0
//! Networks over the control socket: whose they are, who is on them, and what is refused to everybody.

use virtwarden_core::control::{NetworkRow, NetworkState};
use virtwarden_core::policy::networks::Network;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::network::NetworkDefinition;
use virtwarden_core::xml::nic::nics;
use virtwarden_core::xml::reach::{Ports, Reach};

use std::time::{Duration, Instant};

use super::*;
use crate::control::Present;
use crate::gate::turns::Matter;

pub(super) const SPARE: &str = "spare";

fn present(name: &str, uuid: Uuid, inner: &str) -> Present {
    let text = format!("<network><name>{name}</name>{inner}</network>");
    let reach = Reach::of(&NetworkDefinition::parse(text).unwrap());
    let network = Network { name: name.into(), uuid: Some(uuid), assigned: None, reaches: vec![reach] };
    (network, NetworkState::Up)
}

pub(super) fn spare() -> Present {
    present(SPARE, Uuid([9; 16]), "<bridge name='vw-spare'/>")
}

pub(super) fn assign(network: &str, to: &str, mode: Mode) -> Request {
    Request::NetworkAssign { network: network.into(), information_domain: to.into(), mode }
}

pub(super) fn create(network: &str, domain: &str, way_out: WayOut, mode: Mode) -> Request {
    let (network, information_domain) = (network.to_owned(), domain.to_owned());
    Request::NetworkCreate { network, information_domain, way_out, ports: Ports::Isolated, mode }
}

/// bobvm, which runs, and finance, which does not, are on `spare`.
fn plug(scene: &Scene) {
    let vm = "<domain><name>v</name><devices><interface type='network'><source network='spare'/></interface>\
              </devices></domain>";
    let nics = nics(&Definition::parse(vm).unwrap());
    scene.cables().nics = vec![(BOBVM, nics.clone()), (FINANCE, nics)];
}

fn list(scene: &Scene, subject: &Subject) -> Vec<NetworkRow> {
    let Ok(Reply::Networks(rows)) = scene.ask(subject, &Request::NetworkList) else {
        panic!("another answer")
    };
    rows
}

#[test]
fn an_assignment_is_kept_with_who_and_when_and_taken_back() {
    let scene = Scene::new();
    let dry = scene.change(&alice(), &assign(SPARE, "red", Mode::DryRun)).unwrap();
    assert_eq!(dry.differences, ["information domain none -> red"]);
    assert!(!scene.networks().has_members());
    scene.change(&alice(), &assign(SPARE, "red", Mode::Apply)).unwrap();
    let membership = scene.networks().membership(Uuid([9; 16])).unwrap();
    assert_eq!((membership.by.as_str(), membership.at), ("alice", 1_700_000_000));
    assert_eq!(list(&scene, &alice())[0].claim.as_ref().unwrap().information_domain(), "red");
    let unassign = Request::NetworkUnassign { network: SPARE.into(), mode: Mode::Apply };
    let back = scene.change(&alice(), &unassign).unwrap();
    assert_eq!(back.differences, ["information domain red -> none"]);
    assert!(!scene.networks().has_members());
    let functions: Vec<_> = scene.told().iter().map(|event| event.functions.clone()).collect();
    assert!(functions.iter().all(|functions| *functions == [Function::ConfigureNetworks]));
}

#[test]
fn what_would_join_two_information_domains_is_refused_to_an_administrator_too() {
    let scene = Scene::new();
    let onto = "<forward mode='bridge'/><bridge name='vw-spare'/>";
    scene.cables().networks.push(present("second", Uuid([8; 16]), onto));
    scene.change(&alice(), &assign(SPARE, "red", Mode::Apply)).unwrap_err();
    let failure = scene.change(&alice(), &assign("second", "blue", Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("would meet network `spare` of no information domain on `vw-spare`"));
    assert!(!scene.networks().has_members());
    let failure = scene.change(&alice(), &assign(SPARE, "green", Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
}

#[test]
fn a_vm_that_runs_on_it_must_belong_there() {
    let scene = Scene::new();
    plug(&scene);
    let failure = scene.change(&alice(), &assign(SPARE, "red", Mode::Apply)).unwrap_err();
    assert!(failure.message.starts_with("VM `bobvm` runs on network `spare` and does not belong to"));
    assert!(!scene.networks().has_members());
}

#[test]
fn what_the_policy_says_is_changed_in_the_policy() {
    let scene = Scene::new();
    scene.cables().networks.push(present("red-net", Uuid([7; 16]), ""));
    let failure = scene.change(&alice(), &assign("red-net", "blue", Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("the policy lists network `red-net` for information domain `red`"));
    let failure =
        scene.change(&alice(), &create("blue-net", "red", WayOut::Nowhere, Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("for information domain `blue`"));
}

#[test]
fn a_network_is_made_from_a_template_and_belongs_before_it_is_there() {
    let scene = Scene::new();
    let dry = scene.change(&alice(), &create("made", "red", WayOut::Nat, Mode::DryRun)).unwrap();
    assert!(scene.cables().done.is_empty() && !scene.networks().has_members());
    let made = scene.change(&alice(), &create("made", "red", WayOut::Nat, Mode::Apply)).unwrap();
    assert_eq!(dry.differences, made.differences);
    let done = scene.cables().done.join("");
    assert!(done.contains("<port isolated='yes'/>") && done.contains("<bridge name='vwn-made'"), "{done}");
    assert!(scene.networks().has_members());
    let failure = scene.change(&alice(), &create(SPARE, "red", WayOut::Nat, Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("already"));
    let failure = scene.change(&alice(), &create("a b", "red", WayOut::Nat, Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
}

#[test]
fn a_network_that_libvirt_does_not_take_leaves_nothing_behind() {
    let scene = Scene::new();
    scene.cables().refusal = Some("Network is already in use by interface eth0".to_owned());
    let failure = scene.change(&alice(), &create("made", "red", WayOut::Nat, Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("already in use"));
    assert!(!scene.networks().has_members());
}

#[test]
fn a_network_with_a_vm_on_it_is_not_deleted() {
    let scene = Scene::new();
    plug(&scene);
    let delete = Request::NetworkDelete { network: SPARE.into(), mode: Mode::Apply };
    let failure = scene.change(&alice(), &delete).unwrap_err();
    assert!(failure.message.starts_with("VM `bobvm` is plugged into network `spare`"));
    scene.cables().nics.clear();
    scene.change(&alice(), &delete).unwrap();
    assert_eq!(scene.cables().done, ["removed spare, which was Up"]);
}

#[test]
fn the_list_has_the_vms_that_the_asker_may_see() {
    let scene = Scene::new();
    plug(&scene);
    let names = |rows: &[NetworkRow]| {
        let vms = rows.iter().flat_map(|row| &row.vms).map(|vm| vm.name.clone());
        vms.collect::<Vec<_>>()
    };
    assert_eq!(names(&list(&scene, &alice())), ["bobvm", "finance"]);
    assert!(list(&scene, &bob()).is_empty());
}

#[test]
fn while_the_gate_changes_networks_nobody_else_does_and_who_may_not_does_not_wait() {
    let scene = Scene::new();
    let turn = scene.control.desk.turns.wait(Matter::Networks, Duration::ZERO).unwrap();
    let begun = Instant::now();
    let denied = scene.change(&bob(), &create("made", "red", WayOut::Nat, Mode::Apply)).unwrap_err();
    assert_eq!((denied.kind, begun.elapsed() < Duration::from_secs(5)), (FailureKind::Denied, true));
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| scene.change(&alice(), &assign(SPARE, "red", Mode::Apply)));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!scene.networks().has_members(), "it waits");
        drop(turn);
        waiting.join().unwrap().unwrap();
    });
    assert!(scene.networks().has_members());
}
