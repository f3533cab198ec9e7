// SPDX-License-Identifier: Apache-2.0
//! VMs from templates over the control socket: what is asked for, what is not said, whose they are.

use virtwarden_core::control::{Failure, VmBelonging, VmWish};
use virtwarden_core::object::Sensitivity;
use virtwarden_core::xml::definition::Definition;

use super::*;
use crate::control::failure::denied;

pub(super) fn wish(name: &str, template: Option<&str>) -> VmWish {
    let template = template.map(str::to_owned);
    VmWish { name: name.to_owned(), template, memory: None, vcpus: None, disk: None, network: None }
}

pub(super) fn sensitive(vm: &str, sensitivity: Sensitivity, mode: Mode) -> Request {
    Request::VmSensitive { vm: vm.to_owned(), sensitivity, mode }
}

pub(super) fn create(wish: VmWish, belonging: Option<VmBelonging>, mode: Mode) -> Request {
    Request::VmCreate { wish, belonging, mode }
}

fn belonging(user: Option<&str>, domain: Option<&str>) -> Option<VmBelonging> {
    let information_domain = domain.map(str::to_owned);
    Some(VmBelonging { user: user.map(str::to_owned), information_domain })
}

#[test]
fn a_vm_is_made_as_the_template_says_and_belongs_before_it_is_there() {
    let scene = Scene::new();
    let whole = VmWish {
        memory: Some(512),
        disk: Some(20 << 30),
        network: Some("red-net".to_owned()),
        ..wish("new", Some("sensitive"))
    };
    let request = create(whole, belonging(Some("root"), Some("red")), Mode::Apply);
    let change = scene.change(&alice(), &request).unwrap();
    assert_eq!(
        change.differences,
        [
            "+VM new from template sensitive",
            "+disk new.qcow2 of 20480 MiB",
            "+interface on network red-net",
            "+user root",
            "information domain none -> red",
            "ordinary -> sensitive"
        ]
    );
    let [job] = scene.bench.jobs().try_into().unwrap();
    assert_eq!((job.caller.account.name.as_str(), job.mode), ("alice", Mode::Apply));
    let definition = Definition::new(job.definition.clone()).unwrap();
    assert_eq!((definition.name(), definition.uuid()), ("new", Some(job.vm.uuid)));
    assert_eq!((definition.facts().memory_kib, definition.facts().vcpus), (512 * 1024, 2));
    assert!(!definition.write().contains('{'), "{}", definition.write());
    assert_eq!(job.disk.unwrap().path, definition.facts().sources[0]);
    let kept = scene.registry().vm(job.vm.uuid);
    assert_eq!(kept, job.vm.assignment);
    let kept = kept.unwrap();
    assert_eq!(kept.information_domain.as_deref(), Some("red"));
    assert_eq!(kept.sensitivity, Sensitivity::Sensitive, "it is so before libvirt has it");
    let attempt = &scene.told()[0];
    assert_eq!(
        (attempt.operation.as_str(), attempt.functions.as_slice()),
        ("vm create", [Function::ConfigureVms].as_slice())
    );
}

#[test]
fn who_says_nothing_gets_the_default_template_and_no_disk_or_network() {
    let scene = Scene::new();
    scene.change(&alice(), &create(wish("new", None), None, Mode::Apply)).unwrap();
    let [job] = scene.bench.jobs().try_into().unwrap();
    let facts = Definition::new(job.definition).unwrap().facts();
    assert_eq!((facts.memory_kib, facts.links.len(), facts.sources.len()), (2048 * 1024, 0, 0));
    assert_eq!(scene.registry().vm(job.vm.uuid), None, "it belongs to nobody");
}

#[test]
fn a_dry_run_is_judged_and_leaves_nothing() {
    let scene = Scene::new();
    let before = scene.registry().entries();
    let request = create(wish("new", Some("server")), belonging(None, Some("red")), Mode::DryRun);
    let change = scene.change(&alice(), &request).unwrap();
    assert_eq!((change.mode, change.differences.len()), (Mode::DryRun, 2));
    assert_eq!(scene.bench.jobs()[0].mode, Mode::DryRun);
    assert_eq!(scene.registry().entries(), before);
}

#[test]
fn what_the_gate_refuses_belongs_to_nobody() {
    let scene = Scene::new();
    let before = scene.registry().entries();
    scene.bench.refuse(denied("access denied: no"));
    let request = create(wish("new", Some("server")), belonging(Some("root"), Some("red")), Mode::Apply);
    let failure = scene.change(&alice(), &request).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.message.contains("from template `server`"), "{}", failure.message);
    assert_eq!(scene.registry().entries(), before);
    assert_eq!(scene.told().last().unwrap().outcome, Outcome::Failure);
}

#[test]
fn mistakes_are_told_before_anything_is_made() {
    let scene = Scene::new();
    let of = |wish, belonging| create(wish, belonging, Mode::Apply);
    let networked = VmWish { network: Some("n".to_owned()), ..wish("new", Some("desktop")) };
    for (request, said) in [
        (of(wish("../new", None), None), "cannot be the name of a VM"),
        (of(wish("", None), None), "cannot be the name of a VM"),
        (of(wish("new", Some("../desktop")), None), "cannot be the name of a template"),
        (of(wish("new", Some("nowhere")), None), "there is no template `nowhere`"),
        (of(wish("new", Some("network-nat")), None), "expected a `domain` element"),
        (of(wish("new", Some("desktop")), belonging(None, Some("green"))), "no information domain `green`"),
        (of(networked, belonging(Some("no-such-user-here"), None)), "there is no user"),
    ] {
        let Failure { message, .. } = scene.change(&alice(), &request).unwrap_err();
        assert!(message.contains(said), "{message}");
    }
    assert!(scene.bench.jobs().is_empty());
}

#[test]
fn the_templates_are_listed_without_those_of_networks() {
    let scene = Scene::new();
    let Ok(Reply::Templates(rows)) = scene.ask(&alice(), &Request::VmTemplates) else {
        panic!("another answer")
    };
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["desktop", "sensitive", "server"]);
    assert!(rows.iter().all(|row| row.trouble.is_none()));
    let default: Vec<_> = rows.iter().filter(|row| row.default).map(|row| row.name.as_str()).collect();
    assert_eq!(default, ["desktop"]);
    assert_eq!(rows[0].placeholders, ["disk", "memory", "name", "network", "vcpus"]);
}

#[test]
fn the_marker_is_an_administrators_to_set_and_to_take_and_outlives_its_people() {
    let scene = Scene::new();
    let is = || scene.registry().vm(BOBVM).unwrap().sensitivity;
    let dry = scene.change(&alice(), &sensitive("bobvm", Sensitivity::Sensitive, Mode::DryRun)).unwrap();
    assert_eq!(
        (dry.differences.as_slice(), is()),
        (["ordinary -> sensitive".to_owned()].as_slice(), Sensitivity::Ordinary)
    );
    scene.change(&alice(), &sensitive("bobvm", Sensitivity::Sensitive, Mode::Apply)).unwrap();
    let again = scene.change(&alice(), &sensitive("bobvm", Sensitivity::Sensitive, Mode::Apply)).unwrap();
    assert!(again.differences.is_empty());
    let failure = scene.change(&bob(), &sensitive("bobvm", Sensitivity::Ordinary, Mode::Apply)).unwrap_err();
    assert_eq!((failure.kind, is()), (FailureKind::Denied, Sensitivity::Sensitive));
    let nobodys =
        Request::VmUnassign { vm: "bobvm".into(), users: vec![], groups: vec![], mode: Mode::Apply };
    scene.change(&alice(), &nobodys).unwrap();
    assert_eq!(is(), Sensitivity::Sensitive);
    scene.change(&alice(), &sensitive("bobvm", Sensitivity::Ordinary, Mode::Apply)).unwrap();
    assert_eq!(scene.registry().vm(BOBVM), None);
}

#[test]
fn a_sensitive_vm_has_no_open_channel_and_gets_none() {
    let scene = Scene::new();
    let open = sharing::allow("finance", "host", Mode::Apply);
    scene.change(&alice(), &open).unwrap();
    let failure =
        scene.change(&alice(), &sensitive("finance", Sensitivity::Sensitive, Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("channel of the VM is open"), "{}", failure.message);
    scene.change(&alice(), &sharing::deny("finance", "host", Mode::Apply)).unwrap();
    scene.change(&alice(), &sensitive("finance", Sensitivity::Sensitive, Mode::Apply)).unwrap();
    let failure = scene.change(&alice(), &open).unwrap_err();
    assert_eq!((failure.kind, failure.message.contains("shares nothing")), (FailureKind::Denied, true));
    assert!(scene.control.monitor.sharing().declarations().is_empty());
}
