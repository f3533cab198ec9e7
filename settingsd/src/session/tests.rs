// SPDX-License-Identifier: Apache-2.0
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::*;
use crate::program::{Input, Programs, Ran};

/// What was run.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Programs for Heard {
    fn run(&self, words: &[&str], _input: Input<'_>) -> Result<Ran, String> {
        self.0.lock().unwrap().push(words.join(" "));
        Ok(Ran { code: Some(0), said: String::new() })
    }
}

fn host(root: &std::path::Path) -> (Host, Heard) {
    let heard = Heard::default();
    (Host::below(root, 0, Box::new(heard.clone())), heard)
}

fn write(root: &std::path::Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn logind_ends_the_session_that_it_knows_by_its_audit_id() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "run/systemd/sessions/7", "UID=1000\nAUDIT=7\nLEADER=90\n");
    write(root.path(), "run/systemd/sessions/c2", "UID=1001\nAUDIT=77\nLEADER=91\n");
    // As logind has them: nobody ever writes into this pipe, so nobody must read from it.
    let pipe = root.path().join("run/systemd/sessions/77.ref");
    assert!(Command::new("/usr/bin/mkfifo").arg(pipe).status().unwrap().success());
    let (host, heard) = host(root.path());
    assert_eq!(end(&host, 77, 91).unwrap(), ["session c2 of logind ended"]);
    assert_eq!(*heard.0.lock().unwrap(), ["/usr/bin/loginctl terminate-session c2"]);
}

/// In a container logind does not note audit ids.
#[test]
fn a_session_is_known_by_its_leader_too_if_that_is_of_the_session() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "run/systemd/sessions/c3", "UID=1000\nLEADER=90\n");
    write(root.path(), "proc/90/sessionid", "5\n");
    let (host, heard) = host(root.path());
    assert!(end(&host, 6, 90).is_err());
    assert_eq!(end(&host, 5, 90).unwrap(), ["session c3 of logind ended"]);
    assert_eq!(*heard.0.lock().unwrap(), ["/usr/bin/loginctl terminate-session c3"]);
}

#[test]
fn without_logind_the_leader_is_told_to_end_if_it_is_of_that_session() {
    let root = tempfile::tempdir().unwrap();
    let mut leader = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    write(root.path(), &format!("proc/{}/sessionid", leader.id()), "9\n");
    let (host, heard) = host(root.path());
    assert!(end(&host, 8, leader.id()).unwrap_err().contains("has ended already"));
    assert!(leader.try_wait().unwrap().is_none(), "another session's process lives on");
    end(&host, 9, leader.id()).unwrap();
    assert!(!leader.wait().unwrap().success());
    assert!(heard.0.lock().unwrap().is_empty());
}

#[test]
fn a_leader_that_cannot_be_one_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let (host, _) = host(root.path());
    for leader in [0, 1, u32::MAX] {
        assert!(end(&host, 9, leader).unwrap_err().contains("has ended already"), "{leader}");
    }
}
