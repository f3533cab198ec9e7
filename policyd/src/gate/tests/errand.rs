// SPDX-License-Identifier: Apache-2.0
//! What policyd asks of the gate on somebody's behalf is judged as his own.

use virtwarden_core::control::Mode;
use virtwarden_core::object::{Assignment, Vm};

use super::*;
use crate::gate::errand::Errand;
use crate::gate::upstream::UpstreamError;
use crate::peer::Peer;

const NEW: Uuid = Uuid([7; 16]);
const DEFINE: u32 = 11;

fn newcomer(information_domain: Option<&str>) -> Vm {
    let information_domain = information_domain.map(str::to_owned);
    let assignment = Assignment { information_domain, ..Assignment::default() };
    Vm { uuid: NEW, name: "new".to_owned(), assignment: Some(Arc::new(assignment)) }
}

fn define(scene: &Scene, errand: Errand, xml: &str) -> Result<(), UpstreamError> {
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let peer = Peer::of(&theirs, Door::Control, &scene.gate.accounts, Instant::now()).unwrap();
    let caller = scene.gate.who(&peer, Instant::now()).unwrap();
    let mut link = scene.gate.pass(&caller, errand)?;
    let mut arguments = Writer::with_capacity(64);
    arguments.text(xml);
    link.call(DEFINE, arguments).map(drop)
}

fn xml(uuid: Uuid, devices: &str) -> String {
    format!(
        "<domain type='kvm'><name>new</name><uuid>{uuid}</uuid><memory>1024</memory><devices>{devices}</devices></domain>"
    )
}

fn errand(mode: Mode) -> Errand {
    Errand { newcomer: newcomer(None), mode }
}

#[test]
fn who_may_not_make_vms_makes_none_by_way_of_policyd() {
    let scene = Scene::set(USER);
    let refused = define(&scene, errand(Mode::Apply), &xml(NEW, "")).unwrap_err();
    let UpstreamError::Denied(why) = refused else { panic!("{refused:?}") };
    assert!(why.contains("(Table 3, 3)"), "{why}");
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"));
    assert_eq!(scene.records("DOMAIN_DEFINE_XML")[0].0, Kind::Denial);
}

#[test]
fn a_rehearsal_is_judged_and_recorded_and_libvirtd_hears_nothing_of_it() {
    let scene = Scene::set(ADMINISTRATOR);
    define(&scene, errand(Mode::DryRun), &xml(NEW, "")).unwrap();
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"));
    assert_eq!(scene.records("DOMAIN_DEFINE_XML")[0].0, Kind::Attempt);
    define(&scene, errand(Mode::Apply), &xml(NEW, "")).unwrap();
    assert!(scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"));
}

#[test]
fn the_newcomer_belongs_already_and_only_the_newcomer() {
    let red = format!("{ADMINISTRATOR}[information-domain.red]\nnetworks = [\"red\"]\n");
    let plugged = "<interface type='network'><source network='red'/></interface>";
    let into = |domain| Errand { newcomer: newcomer(domain), mode: Mode::DryRun };
    for (domain, uuid, passes) in [
        (Some("red"), NEW, true),
        (None, NEW, false),
        (Some("blue"), NEW, false),
        (Some("red"), Uuid([8; 16]), false),
    ] {
        let scene = Scene::set(&red);
        let defined = define(&scene, into(domain), &xml(uuid, plugged));
        assert_eq!(defined.is_ok(), passes, "{domain:?} {uuid}: {defined:?}");
    }
}
