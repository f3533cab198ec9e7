// SPDX-License-Identifier: Apache-2.0
//! A policy that nobody confirms goes, and no policy takes away every keyboard.

use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::control::{FailureKind, Mode};
use virtwarden_core::media::{Id, Kind, Medium, Source, UsbDevice, UsbInterface};
use virtwarden_core::policy::{Policy, Source as File};

use super::scene::{Scene, alice, bob};
use super::*;
use crate::control::policy_trial::keeps_a_keyboard_among;
use crate::policies::{End, Policies};

const NEW: &str = "[information-domain.green]\nnetworks = [\"green-net\"]\n";

fn has_green(scene: &Scene) -> bool {
    scene.control.monitor.policy().policy.information_domain("green").is_some()
}

fn tried() -> Scene {
    let scene = Scene::new();
    scene.write_policy("30-new.toml", NEW);
    let change = scene.change(&alice(), &Request::PolicyTry { seconds: 5 }).unwrap();
    assert!(change.differences.iter().any(|line| line.contains("green")), "{change:?}");
    assert!(has_green(&scene));
    scene
}

#[test]
fn what_nobody_confirms_goes_and_that_is_recorded() {
    let scene = tried();
    let until = Instant::now() + Duration::from_secs(30);
    while has_green(&scene) && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!has_green(&scene));
    let reverted = || scene.told().iter().any(|event| event.operation == "policy revert");
    while !reverted() && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(reverted());
    assert_eq!(scene.announced(), 2, "connections look again");
    let late = scene.ask(&alice(), &Request::PolicyConfirm).unwrap_err();
    assert_eq!(late.kind, FailureKind::Usage);
}

#[test]
fn what_is_confirmed_stays() {
    let scene = tried();
    assert_eq!(scene.ask(&bob(), &Request::PolicyConfirm).unwrap_err().kind, FailureKind::Denied);
    scene.change(&alice(), &Request::PolicyConfirm).unwrap();
    assert!(matches!(scene.control.monitor.policies().trial().wait(Duration::ZERO), End::Confirmed));
    assert!(has_green(&scene));
    assert!(scene.ask(&alice(), &Request::PolicyConfirm).is_err());
}

#[test]
fn while_one_is_on_trial_no_other_comes() {
    let scene = tried();
    scene.write_policy("40-more.toml", "[information-domain.yellow]\nnetworks = [\"yellow-net\"]\n");
    for request in [reload(Mode::Apply), Request::PolicyTry { seconds: 60 }] {
        let failure = scene.ask(&alice(), &request).unwrap_err();
        assert!(failure.message.contains("on trial"), "{}", failure.message);
    }
    assert!(scene.control.monitor.policy().policy.information_domain("yellow").is_none());
    assert!(scene.ask(&alice(), &reload(Mode::DryRun)).is_ok());
}

#[test]
fn a_policy_with_a_mistake_is_not_tried() {
    let scene = Scene::new();
    scene.write_policy("30-new.toml", "[no-such-table]\n");
    for request in [Request::PolicyTry { seconds: 60 }, Request::PolicyTry { seconds: 0 }] {
        assert!(scene.ask(&alice(), &request).is_err());
        assert!(!scene.control.monitor.policies().trial().is_on());
    }
}

fn keyboard(product: u16, class: u8) -> Medium {
    let interfaces = vec![UsbInterface { class, subclass: 1, protocol: 1 }];
    let usb = UsbDevice {
        vendor: 0x046d,
        product,
        serial: None,
        port: "1-1".to_owned(),
        bus: 1,
        device: 2,
        interfaces,
    };
    Medium { id: Id(product.to_string()), kind: Kind::Usb, name: "K".to_owned(), source: Source::Usb(usb) }
}

#[test]
fn a_policy_that_denies_every_keyboard_is_not_taken() {
    let class = |rule: &str, matches: &str| {
        let text = format!("[device-class.input]\nmatch = [{matches}]\nrule = \"{rule}\"\n");
        let policy = Policy::load(&[File { name: "10.toml", text: &text }]).unwrap();
        let both = [keyboard(0xc31c, 3), keyboard(0xc31d, 3), keyboard(1, 8)];
        keeps_a_keyboard_among(&both, policy.media_rules()).is_ok()
    };
    assert!(!class("always-deny", "{ vendor = \"046d\" }"));
    assert!(class("always-deny", "{ vendor = \"046d\", product = \"c31c\" }"));
    assert!(class("deny", "{ vendor = \"046d\" }"), "what is denied to VMs stays with the host");
    assert!(class("always-deny", "{ vendor = \"0951\" }"));
    let none = Policy::load(&[File {
        name: "10.toml",
        text: "[device-class.input]\nmatch = [{ vendor = \"046d\" }]\nrule = \"always-deny\"\n",
    }])
    .unwrap();
    assert!(
        keeps_a_keyboard_among(&[keyboard(1, 8)], none.media_rules()).is_ok(),
        "no keyboard is plugged in"
    );
}

#[test]
fn a_restart_is_no_confirmation_and_a_confirmed_policy_outlives_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    let kept = directory.path().join("trial.json");
    let open = || Policies::open(vec![directory.path().into()]).unwrap().keeping(&kept).unwrap();
    let domains = |policies: &Policies| policies.current().policy.information_domains().count();
    file("10.toml", "[role.one]\ncolumn = \"administrator\"\n");

    let (first, warnings) = open();
    assert!(warnings.is_empty());
    file("30-new.toml", NEW);
    first.trial().begin(first.current(), &first.candidate().unwrap()).unwrap();
    let (second, warnings) = open();
    assert_eq!((domains(&second), warnings.len()), (0, 1), "the one from before is in force: {warnings:?}");
    assert_eq!(domains(&open().0), 0, "and after the next restart, too");

    second.trial().begin(second.current(), &second.candidate().unwrap()).unwrap();
    second.trial().confirm().unwrap();
    assert_eq!((domains(&open().0), open().1.len()), (1, 0), "confirmed");

    let (third, _) = open();
    file("30-new.toml", "");
    third.trial().begin(third.current(), &third.candidate().unwrap()).unwrap();
    file("30-new.toml", "[information-domain.other]\nnetworks = [\"other\"]\n");
    assert_eq!(domains(&open().0), 1, "files that were never on trial are what they are");
    std::fs::write(&kept, "{").unwrap();
    assert_eq!(open().1.len(), 1, "damage is told");
}

#[test]
fn a_signal_goes_through_the_same_check() {
    let scene = tried();
    scene.write_policy("40-more.toml", "[information-domain.yellow]\nnetworks = [\"yellow-net\"]\n");
    assert!(scene.control.reload_for_nobody().unwrap_err().contains("on trial"));
    scene.change(&alice(), &Request::PolicyConfirm).unwrap();
    scene.control.reload_for_nobody().unwrap();
    assert!(scene.control.monitor.policy().policy.information_domain("yellow").is_some());
    scene.write_policy("40-more.toml", "[no-such-table]\n");
    assert!(scene.control.reload_for_nobody().is_err());
    assert!(scene.control.monitor.policy().policy.information_domain("yellow").is_some());
}
