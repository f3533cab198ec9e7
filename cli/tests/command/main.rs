// SPDX-License-Identifier: Apache-2.0
//! The command as people run it: a spawned binary, before a policyd that says what the test wants.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test is a panic")]

mod completion;
mod elevate;
mod media;
mod policies;
mod scene;
mod sessions;
mod settings;
mod terminal;

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use tempfile::TempDir;
use virtwarden_core::control::{Change, FailureKind, Mode, Presence, Reply, Request, VmRow, VmState, encode};
use virtwarden_core::object::{Assignment, Uuid};
use virtwarden_core::subject::Account;

use scene::{Run, Scene, command, failure};

fn vm(name: &str, byte: u8, user: Option<&str>) -> VmRow {
    let account = |name: &str| Account { name: name.to_owned(), uid: 1001 };
    let assignment = user.map(|user| Assignment { users: [account(user)].into(), ..Assignment::default() });
    let presence = Presence::Present;
    VmRow { uuid: Uuid([byte; 16]), name: name.into(), state: VmState::ShutOff, presence, assignment }
}

#[test]
fn a_command_line_that_makes_no_sense_is_2() {
    let scene = Scene::new();
    for arguments in [
        &["fly"][..],
        &[],
        &["vm"],
        &["vm", "show"],
        &["vm", "assign", "bobvm"],
        &["vm", "list", "--unheard-of"],
        &["audit", "list", "--since", "yesterday"],
        &["audit", "list", "--function", "28"],
        &["audit", "list", "--json", "--csv"],
        &["audit", "verify", "--directory", "/tmp"],
        &["audit", "verify", "--key", "/tmp/key"],
        &["audit", "verify", "trail.tar", "--directory", "/tmp", "--key", "/tmp/key"],
        &["audit", "export", "--archive", "trail.tar", "--from", "1"],
        &["audit", "delete", "--yes"],
        &["audit", "delete", "--before", "yesterday"],
        &["policy", "explain", "bob", "fly"],
        &["policy", "explain", "bob", "start", "bobvm"],
        &["policy", "explain", "bob", "start"],
        &["policy", "explain", "bob", "26"],
        &["policy", "explain", "bob", "operate"],
    ] {
        let run = scene.run(arguments);
        assert_eq!(run.code(), 2, "{arguments:?} {}", run.err());
        assert!(run.out().is_empty(), "{arguments:?}");
    }
}

#[test]
fn where_nothing_listens_virtwarden_is_not_enabled() {
    let run = Scene::new().run(&["status"]);
    assert_eq!(run.code(), 1);
    let said =
        "virtwarden: virtwarden is not enabled on this host; run `sudo virtwarden enable --admin USER`\n";
    assert_eq!(run.err(), said);
}

#[test]
fn where_policyd_is_dead_it_is_to_be_started() {
    let scene = Scene::new();
    drop(UnixListener::bind(scene.socket()).unwrap());
    let run = scene.run(&["status"]);
    assert_eq!(run.code(), 1);
    assert!(run.err().contains("systemctl start virtwarden-policyd"), "{}", run.err());
}

#[test]
fn each_kind_of_refusal_has_its_exit_code() {
    for (kind, code) in [
        (FailureKind::Error, 1),
        (FailureKind::Unavailable, 1),
        (FailureKind::Usage, 2),
        (FailureKind::Denied, 3),
        (FailureKind::NotFound, 4),
    ] {
        let scene = Scene::new();
        let policyd = scene.policyd(failure(kind));
        let run = scene.run(&["vm", "show", "bobvm"]);
        policyd.join().unwrap();
        assert_eq!((run.code(), run.err().as_str()), (code, "virtwarden: because\n"));
    }
}

#[test]
fn a_policyd_that_says_nothing_is_an_error() {
    let scene = Scene::new();
    let policyd = scene.policyd(vec![Vec::new()]);
    let run = scene.run(&["vm", "list"]);
    policyd.join().unwrap();
    assert_eq!(run.code(), 1);
    assert!(run.err().contains("without an answer"), "{}", run.err());
}

#[test]
fn vms_are_a_plain_table_or_json() {
    let answer = || {
        let rows = [vm("bobvm", 1, Some("bob")), vm("fi\u{1b}[2Jnance", 2, None)];
        vec![rows.map(Reply::Vm).into_iter().chain([Reply::End { replies: 2 }]).collect()]
    };
    let list = |options: &[&str]| {
        let scene = Scene::new();
        let policyd = scene.policyd(answer());
        let run = scene.run(&[&["vm", "list"], options].concat());
        assert_eq!(policyd.join().unwrap(), [Request::VmList]);
        assert_eq!(run.code(), 0, "{}", run.err());
        run.out()
    };
    let table = list(&[]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("NAME"), "{table}");
    assert!(lines[1].starts_with("bobvm") && lines[1].contains("shut off  bob"), "{table}");
    assert!(!table.contains('\u{1b}') && table.contains("fi\\u{1b}[2Jnance"), "{table}");
    assert_eq!(list(&["--no-headers"]).lines().count(), 2);
    let rows: Vec<VmRow> = serde_json::from_str(&list(&["--json"])).unwrap();
    assert_eq!(rows[0], vm("bobvm", 1, Some("bob")));
}

#[test]
fn a_change_is_asked_for_in_the_mode_that_was_typed() {
    for (options, mode, said) in [
        (&[][..], Mode::Apply, "changed: +user bob\n"),
        (&["--dry-run"], Mode::DryRun, "would change: +user bob\n"),
        (&["--quiet"], Mode::Apply, ""),
    ] {
        let scene = Scene::new();
        let change = Change { mode, differences: vec!["+user bob".into()] };
        let policyd = scene.policyd(vec![vec![Reply::Changed(change)]]);
        let run = scene.run(&[&["vm", "assign", "bobvm", "bob", "--group", "staff"], options].concat());
        let (vm, users, groups) = ("bobvm".into(), vec!["bob".into()], vec!["staff".into()]);
        assert_eq!(policyd.join().unwrap(), [Request::VmAssign { vm, users, groups, mode }]);
        assert_eq!((run.code(), run.out().as_str()), (0, said), "{}", run.err());
    }
}

#[test]
fn a_stream_that_is_cut_is_an_error() {
    let scene = Scene::new();
    let line = "{\"seq\":1}".to_owned();
    let policyd = scene.policyd(vec![vec![Reply::Record { line }, Reply::End { replies: 2 }]]);
    let run = scene.run(&["audit", "export"]);
    policyd.join().unwrap();
    assert_eq!(run.code(), 1);
    assert!(run.err().contains("only 1 of 2 answers"), "{}", run.err());
}

#[test]
fn whoever_reads_no_further_is_not_bothered() {
    let scene = Scene::new();
    let lines = (0..10_000).map(|_| Reply::Record { line: "x".repeat(100) });
    let listener = UnixListener::bind(scene.socket()).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for reply in lines {
            if stream.write_all(&encode(&reply).unwrap()).is_err() {
                return;
            }
        }
    });
    let mut child = command()
        .arg("--socket")
        .arg(scene.socket())
        .args(["audit", "export"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

fn policy_directory(text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("50-site.toml"), text).unwrap();
    directory
}

fn check(directory: &Path) -> Run {
    Scene::new().run(&["policy", "check", directory.to_str().unwrap()])
}

#[test]
fn a_policy_is_checked_without_a_policyd() {
    let good = policy_directory("[role.helper]\ncolumn = \"user\"\nfunctions = [\"start\"]\n");
    assert_eq!(check(good.path()).code(), 0);
    let bad = policy_directory("[role.helper]\ncolumn = \"user\"\nfunctions = [\"manage-audit\"]\n");
    let run = check(bad.path());
    assert_eq!(run.code(), 1);
    assert!(run.err().contains("50-site.toml") && run.err().contains('3'), "{}", run.err());
    assert_eq!(check(Path::new("/nowhere")).code(), 4);
    assert_eq!(check(tempfile::tempdir().unwrap().path()).code(), 4);
}

#[test]
fn completions_and_man_pages_come_from_the_command_itself() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Scene::new().run(&["completion", shell]).out();
        assert!(
            ["assign", "no-headers", "elevate", "accept-banner"].iter().all(|word| script.contains(word)),
            "{shell}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let run = Scene::new().run(&["man", directory.path().to_str().unwrap()]);
    assert_eq!(run.code(), 0, "{}", run.err());
    for page in [
        "virtwarden.1",
        "virtwarden-vm-assign.1",
        "virtwarden-audit-verify.1",
        "virtwarden-enable.1",
        "virtwarden-session-elevate.1",
        "virtwarden-lockout-set.1",
        "virtwarden-banner-preview.1",
    ] {
        assert!(directory.path().join(page).exists(), "{page}");
    }
    let verify = std::fs::read_to_string(directory.path().join("virtwarden-audit-verify.1")).unwrap();
    assert!(verify.contains("resealed"));
}
