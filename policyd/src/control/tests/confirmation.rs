// SPDX-License-Identifier: Apache-2.0
//! A value that must be confirmed: kept by whoever can still type, else taken back. Row 10.

use virtwarden_core::control::{FailureKind, Mode, Order, Report, Request};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::{HostLevel, HostMedia, Setting, SettingName};

use super::super::confirmation::take_back;
use super::scene::{Scene, alice, bob};
use super::settings::{set, shown, unset};

const CONFIRM: Request = Request::SettingConfirm { name: SettingName::HostMedia };

fn level(level: HostLevel) -> Setting {
    Setting::HostMedia(HostMedia { level, ..HostMedia::default() })
}

fn apply(level_wanted: HostLevel) -> Order {
    Order::Apply { setting: level(level_wanted), mode: Mode::Apply }
}

/// Alice has set `no-driver`, and the host has it.
fn waiting() -> Scene {
    let scene = Scene::new();
    let change = scene.change(&alice(), &set(level(HostLevel::NoDriver), Mode::Apply)).unwrap();
    assert!(change.differences.iter().any(|line| line.contains("setting confirm host-media` within 60 s")));
    scene
}

fn kept(scene: &Scene) -> HostLevel {
    scene.control.settings.host_media().level
}

#[test]
fn it_is_on_the_host_and_not_kept_before_it_is_confirmed() {
    let scene = waiting();
    assert_eq!(scene.orders(), [apply(HostLevel::NoDriver)]);
    assert_eq!(kept(&scene), HostLevel::NoAutomount);
    let drift = shown(&scene, SettingName::HostMedia).drift;
    assert!(drift.iter().any(|line| line.contains("no-driver waits for")), "{drift:?}");

    assert_eq!(scene.ask(&bob(), &CONFIRM).unwrap_err().kind, FailureKind::Denied);
    assert_eq!(kept(&scene), HostLevel::NoAutomount);

    let change = scene.change(&alice(), &CONFIRM).unwrap();
    assert_eq!(change.differences, ["host-media: no-automount -> no-driver"]);
    assert_eq!(kept(&scene), HostLevel::NoDriver);
    let record = scene.told().pop().unwrap();
    assert_eq!((record.operation.as_str(), record.outcome), ("setting confirm", Outcome::Success));
    assert_eq!(scene.ask(&alice(), &CONFIRM).unwrap_err().kind, FailureKind::Usage, "once is enough");
}

#[test]
fn without_a_word_it_is_taken_back_and_that_is_recorded() {
    let scene = waiting();
    let (settings, monitor) = (&scene.control.settings, &scene.control.monitor);
    let chosen = settings.provisional(SettingName::HostMedia).unwrap();
    take_back(settings, monitor, &chosen);
    assert_eq!(scene.orders().pop().unwrap(), apply(HostLevel::NoAutomount));
    assert_eq!(kept(&scene), HostLevel::NoAutomount);
    let record = scene.told().pop().unwrap();
    assert_eq!((record.kind, record.operation.as_str()), (Kind::Change, "setting taken back"));
    assert_eq!(record.detail, "host-media: no-driver -> no-automount: nobody confirmed it");

    let orders = scene.orders().len();
    take_back(settings, monitor, &chosen);
    assert_eq!(scene.orders().len(), orders, "it waits no more");
}

#[test]
fn another_value_ends_the_waiting() {
    for next in [set(level(HostLevel::Open), Mode::Apply), unset(SettingName::HostMedia, Mode::Apply)] {
        let scene = waiting();
        let (settings, monitor) = (&scene.control.settings, &scene.control.monitor);
        let chosen = settings.provisional(SettingName::HostMedia).unwrap();
        scene.change(&alice(), &next).unwrap();
        let orders = scene.orders();
        take_back(settings, monitor, &chosen);
        assert_eq!(scene.orders(), orders, "{next:?}");
        assert_eq!(scene.ask(&alice(), &CONFIRM).unwrap_err().kind, FailureKind::Usage);
    }
}

#[test]
fn the_same_value_again_waits_anew() {
    let scene = waiting();
    let (settings, monitor) = (&scene.control.settings, &scene.control.monitor);
    let first = settings.provisional(SettingName::HostMedia).unwrap();
    scene.change(&alice(), &set(level(HostLevel::NoDriver), Mode::Apply)).unwrap();
    take_back(settings, monitor, &first);
    assert!(settings.provisional(SettingName::HostMedia).is_some());
    assert_eq!(scene.orders().pop().unwrap(), apply(HostLevel::NoDriver));
}

#[test]
fn what_the_host_refuses_does_not_wait() {
    let scene = Scene::new();
    scene.settingsd_says(Ok(Report::Failed("the host uses `sda1`".into())));
    scene.ask(&alice(), &set(level(HostLevel::NoDriver), Mode::Apply)).unwrap_err();
    assert!(scene.control.settings.provisional(SettingName::HostMedia).is_none());
}
