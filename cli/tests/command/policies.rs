// SPDX-License-Identifier: Apache-2.0
//! Policies that are compared, simulated and reviewed.

use std::fs;

use nix::sys::stat::Mode as Bits;
use nix::unistd::mkfifo;
use virtwarden_core::control::{Failure, FailureKind, Mode, Reply, Request};

use crate::scene::{Scene, changed};

const ROLE: &str = "[role.helper]\ncolumn = \"user\"\n";

#[test]
fn a_file_that_cannot_be_a_policy_is_named_and_nobody_waits_for_it() {
    let scene = Scene::new();
    let place = scene.directory.path();
    mkfifo(&place.join("pipe.toml"), Bits::S_IRWXU).unwrap();
    fs::write(place.join("long.toml"), "#".repeat(300_000)).unwrap();
    fs::write(place.join("bytes.toml"), [0xff, 0xfe]).unwrap();
    for (name, why, code) in [
        ("pipe.toml", "no file", 1),
        ("long.toml", "larger than 262144 bytes", 1),
        ("bytes.toml", "UTF-8", 1),
        ("missing.toml", "No such file", 4),
        (".", "no file", 1),
    ] {
        for verb in ["diff", "simulate"] {
            let path = place.join(name);
            let run = scene.run(&["policy", verb, path.to_str().unwrap()]);
            assert_eq!(run.code(), code, "{name}: {}", run.err());
            assert!(run.err().contains(name) && run.err().contains(why), "{}", run.err());
        }
    }
}

#[test]
fn a_table_that_does_not_count_is_told() {
    let scene = Scene::new();
    let policies = scene.directory.path().join("policy.d");
    fs::create_dir(&policies).unwrap();
    fs::write(policies.join("10-site.toml"), ROLE).unwrap();
    let check = || scene.run(&["policy", "check", policies.to_str().unwrap()]).out();
    assert!(!check().contains("does not count"), "{}", check());
    fs::write(policies.join("later.toml"), ROLE).unwrap();
    assert!(check().contains("later.toml:1:7: [role.helper] does not count"), "{}", check());
}

#[test]
fn a_program_that_reads_json_reads_nothing_else() {
    let scene = Scene::new();
    let policyd = scene.policyd(changed(Mode::Apply, "role `user` may `start` no longer"));
    let run = scene.run(&["policy", "reload", "--revert-after", "5", "--json"]);
    policyd.join().unwrap();
    let read: serde_json::Value = serde_json::from_str(&run.out()).unwrap();
    assert_eq!(read["mode"], "apply");
    assert!(run.err().contains("virtwarden policy confirm"), "{}", run.err());
}

#[test]
fn what_was_to_be_shown_is_shown_however_quiet() {
    let scene = Scene::new();
    let policyd = scene.policyd(changed(Mode::DryRun, "role `user` may `start` no longer"));
    let run = scene.run(&["policy", "diff", "--quiet"]);
    policyd.join().unwrap();
    assert_eq!(run.out(), "would change: role `user` may `start` no longer\n");
}

#[test]
fn a_review_of_who_or_what_is_not_there_says_so() {
    let scene = Scene::new();
    let missing = Failure { kind: FailureKind::NotFound, message: "there is no VM `nope`".into() };
    let policyd = scene.policyd_of_two([vec![Reply::End { replies: 0 }], vec![Reply::Failed(missing)]]);
    let run = scene.run(&["role", "review", "--vm", "nope"]);
    assert_eq!(policyd.join().unwrap(), [Request::RoleReview, Request::VmShow { vm: "nope".into() }]);
    assert_eq!((run.code(), run.err().as_str()), (4, "virtwarden: there is no VM `nope`\n"));

    let scene = Scene::new();
    let policyd = scene.policyd(vec![vec![Reply::End { replies: 0 }]]);
    let run = scene.run(&["role", "review", "--person", "nobody-here"]);
    policyd.join().unwrap();
    assert_eq!((run.code(), run.err().as_str()), (4, "virtwarden: there is no user `nobody-here`\n"));
}
