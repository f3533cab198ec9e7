// SPDX-License-Identifier: Apache-2.0
//! Media as people type them and read of them.

use virtwarden_core::control::{
    AuditFilter, ConfirmationRow, DeviceClassRow, MediumHolder, MediumRow, MediumVerdict, Mode, Reply,
    Request,
};
use virtwarden_core::media::{Access, Id, Kind, Medium, Source, UsbDevice};

use crate::scene::{Run, Scene, changed};

fn stick() -> MediumRow {
    let usb = UsbDevice {
        vendor: 0x0951,
        product: 0x1666,
        serial: Some("E0D55E".to_owned()),
        port: "1-2".to_owned(),
        bus: 1,
        device: 5,
        interfaces: Vec::new(),
    };
    let medium = Medium {
        id: Id("usb:0951:1666:E0D55E".to_owned()),
        kind: Kind::UsbStorage,
        name: "Kingston\u{1b}[2J".to_owned(),
        source: Source::Usb(usb),
    };
    MediumRow {
        medium,
        holder: MediumHolder::SomeVm,
        last: None,
        class: Some("office".to_owned()),
        verdict: None,
    }
}

fn asked() -> ConfirmationRow {
    ConfirmationRow {
        number: 7,
        vm: "bobvm".to_owned(),
        id: Id("usb:0951:1666:E0D55E".to_owned()),
        kind: Kind::UsbStorage,
        name: "Kingston".to_owned(),
        asked_by: "bob".to_owned(),
        rule: "rule `usb-storage` = \"ask-user\"".to_owned(),
        seconds: 119,
    }
}

fn told(typed: &[&str], answer: Vec<Reply>) -> (Run, Request) {
    let scene = Scene::new();
    let policyd = scene.policyd(vec![answer]);
    let run = scene.run(typed);
    (run, policyd.join().unwrap().pop().unwrap())
}

#[test]
fn what_is_typed_is_what_is_asked_for() {
    let (vm, medium, mode) = ("bobvm".to_owned(), "tools.iso".to_owned(), Mode::Apply);
    let drive = Some("hdc".to_owned());
    for (typed, request) in [
        (
            &["media", "insert", "bobvm", "tools.iso"][..],
            Request::MediaInsert { vm: vm.clone(), medium: medium.clone(), drive: None, mode },
        ),
        (
            &["media", "insert", "bobvm", "tools.iso", "--drive", "hdc", "--dry-run"],
            Request::MediaInsert { vm: vm.clone(), medium: medium.clone(), drive, mode: Mode::DryRun },
        ),
        (&["media", "eject", "bobvm"], Request::MediaEject { vm: vm.clone(), drive: None, mode }),
        (
            &["media", "connect", "bobvm", "tools.iso"],
            Request::MediaConnect { vm: vm.clone(), medium: medium.clone(), mode },
        ),
        (&["media", "disconnect", "bobvm", "tools.iso"], Request::MediaDisconnect { vm, medium, mode }),
        (&["media", "confirm", "7"], Request::MediaConfirm { number: 7 }),
    ] {
        let (run, heard) = told(typed, changed(Mode::Apply, "done").remove(0));
        assert_eq!((run.code(), run.out().as_str()), (0, "changed: done\n"), "{}", run.err());
        assert_eq!(heard, request);
    }
}

#[test]
fn a_list_is_a_plain_table_that_commands_no_terminal() {
    let (run, _) = told(&["media", "list"], vec![Reply::Media(vec![stick()])]);
    assert!(run.out().contains("another VM") && run.out().contains("usb:0951:1666:E0D55E"), "{}", run.out());
    assert!(!run.out().contains('\u{1b}'), "{}", run.out());
    let verdict = Some(MediumVerdict::Allowed { access: Access::ReadWrite });
    let (run, heard) =
        told(&["media", "list", "bobvm"], vec![Reply::Media(vec![MediumRow { verdict, ..stick() }])]);
    assert_eq!(heard, Request::MediaList { medium: None, vm: Some("bobvm".to_owned()) });
    assert!(run.out().contains("read-write"), "{}", run.out());
    let (run, _) = told(&["media", "show", "E0D55E"], vec![Reply::Media(vec![stick()])]);
    assert!(run.out().contains("device class    office"), "{}", run.out());
    let (run, _) = told(&["device", "list"], vec![Reply::Media(vec![stick()])]);
    assert!(run.out().contains("0951:1666") && run.out().contains("office"), "{}", run.out());
}

#[test]
fn classes_are_listed_with_their_rules() {
    let class = DeviceClassRow {
        name: "office".to_owned(),
        patterns: vec!["vendor 0951, product 1666".to_owned()],
        rule: "grant".to_owned(),
        access: Some(Access::ReadWrite),
        granted: vec!["red".to_owned()],
        place: "20-site.toml line 3".to_owned(),
    };
    let (run, heard) = told(&["device", "classes"], vec![Reply::DeviceClasses(vec![class])]);
    assert_eq!(heard, Request::DeviceClasses);
    assert!(run.out().contains("office  grant") && run.out().contains("vendor 0951"), "{}", run.out());
}

#[test]
fn what_must_be_confirmed_is_a_denial_that_says_how() {
    let (run, _) =
        told(&["media", "connect", "bobvm", "Kingston"], vec![Reply::Confirmations(vec![asked()])]);
    assert_eq!(run.code(), 3);
    assert!(run.err().contains("`virtwarden media confirm 7`, within 119 seconds"), "{}", run.err());
    let (run, _) = told(&["media", "pending"], vec![Reply::Confirmations(vec![asked()])]);
    assert!(run.out().contains("7       bobvm  Kingston"), "{}", run.out());
    let answers = vec![Reply::Confirmations(vec![asked()]), Reply::End { replies: 1 }];
    let (run, heard) = told(&["media", "watch"], answers);
    assert_eq!(heard, Request::MediaWatch);
    assert!(run.out().contains("`virtwarden media confirm 7`"), "{}", run.out());
}

#[test]
fn the_history_of_a_medium_is_asked_for_by_its_id() {
    let scene = Scene::new();
    let policyd = scene.policyd_of_two([vec![Reply::Media(vec![stick()])], vec![Reply::End { replies: 0 }]]);
    assert_eq!(scene.run(&["media", "history", "Kingston"]).code(), 0);
    let medium = Some("usb:0951:1666:E0D55E".to_owned());
    let asked = policyd.join().unwrap();
    assert_eq!(asked[1], Request::AuditList { filter: AuditFilter { medium, ..AuditFilter::default() } });
}
