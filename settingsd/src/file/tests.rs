// SPDX-License-Identifier: Apache-2.0
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::program::OfHost;

fn host() -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let owner = nix::unistd::geteuid().as_raw();
    let host = Host::below(root.path(), owner, Box::new(OfHost));
    fs::create_dir_all(root.path().join("etc/ssh")).unwrap();
    (root, host)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_is_replaced_whole_with_its_mode_and_nothing_is_left_beside_it() {
    let (root, host) = host();
    for (text, mode) in [("one\n", 0o644), ("two\n", 0o600)] {
        replace(&host, "/etc/ssh/x.conf", &host.content(text, mode)).unwrap();
        assert_eq!(read(&host, "/etc/ssh/x.conf").unwrap().unwrap(), host.content(text, mode));
        assert_eq!(names(&root.path().join("etc/ssh")), ["x.conf"]);
    }
    remove(&host, "/etc/ssh/x.conf").unwrap();
    remove(&host, "/etc/ssh/x.conf").unwrap();
    assert_eq!(read(&host, "/etc/ssh/x.conf").unwrap(), None);
    assert_eq!(read(&host, "/etc/nowhere/x.conf").unwrap(), None);
}

#[test]
fn directories_are_made_and_those_that_are_empty_removed_again() {
    let (root, host) = host();
    let path = "/etc/dconf/db/gdm.d/locks/x";
    let made = missing(&host, path);
    assert_eq!(made, ["/etc/dconf/db/gdm.d/locks", "/etc/dconf/db/gdm.d", "/etc/dconf/db", "/etc/dconf"]);
    replace(&host, path, &host.content("x", 0o644)).unwrap();
    fs::write(root.path().join("etc/dconf/db/theirs"), "").unwrap();
    remove(&host, path).unwrap();
    made.iter().for_each(|directory| remove_empty(&host, directory));
    assert_eq!(names(&root.path().join("etc/dconf/db")), ["theirs"]);
}

#[test]
fn no_symbolic_link_is_followed() {
    let (root, host) = host();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "theirs").unwrap();
    symlink(outside.path().join("secret"), root.path().join("etc/ssh/x.conf")).unwrap();
    symlink(outside.path(), root.path().join("etc/issue.d")).unwrap();
    assert!(read(&host, "/etc/ssh/x.conf").unwrap_err().contains("symbolic link"));
    for path in ["/etc/issue.d/secret", "/etc/issue.d/new"] {
        assert!(read(&host, path).unwrap_err().contains("`/etc/issue.d` is not a directory"));
        assert!(replace(&host, path, &host.content("ours", 0o644)).is_err());
        assert!(remove(&host, path).is_err());
    }
    assert_eq!(names(outside.path()), ["secret"]);
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "theirs");
}

/// What somebody put under the name that we write beside is not written through.
#[test]
fn a_link_planted_beside_is_thrown_away() {
    let (root, host) = host();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "theirs").unwrap();
    symlink(&victim, root.path().join("etc/ssh/.x.conf.virtwarden-new")).unwrap();
    replace(&host, "/etc/ssh/x.conf", &host.content("ours", 0o644)).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(root.path().join("etc/ssh/x.conf")).unwrap(), "ours");
}

#[test]
fn nothing_is_written_where_others_can_write() {
    let (root, host) = host();
    for (mode, allowed) in [(0o755, true), (0o775, false), (0o757, false), (0o1777, true)] {
        fs::set_permissions(root.path().join("etc/ssh"), PermissionsExt::from_mode(mode)).unwrap();
        let written = replace(&host, "/etc/ssh/x.conf", &host.content("x", 0o644));
        assert_eq!(written.is_ok(), allowed, "{mode:o} {written:?}");
    }
    let stranger = Host::below(root.path(), host.owner() + 1, Box::new(OfHost));
    assert!(replace(&stranger, "/etc/ssh/x.conf", &host.content("x", 0o644)).is_err());
}

#[test]
fn only_plain_files_of_reasonable_length_are_read() {
    let (root, host) = host();
    fs::create_dir(root.path().join("etc/ssh/directory")).unwrap();
    assert!(read(&host, "/etc/ssh/directory").unwrap_err().contains("not a plain file"));
    fs::write(root.path().join("etc/ssh/long"), vec![b'x'; (1 << 20) + 1]).unwrap();
    assert!(read(&host, "/etc/ssh/long").unwrap_err().contains("more than"));
}
