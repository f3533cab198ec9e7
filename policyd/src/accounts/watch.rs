// SPDX-License-Identifier: Apache-2.0
//! Whether files changed since the last look: one short system call, cheap enough for every call of a client.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use rustix::io::{Errno, read};

/// Files under watch, together with the directories in which others may take their place.
#[derive(Debug)]
pub(super) struct Watch {
    files: Vec<PathBuf>,
    /// The kernel queues a notice before the change returns to whoever made it. None: it gives us none.
    notices: Option<OwnedFd>,
}

impl Watch {
    /// Watches from now on.
    pub(super) fn on(files: Vec<PathBuf>) -> Self {
        let notices = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let mut watch = Self { files, notices };
        watch.renew();
        watch
    }

    /// Whether something may have changed since this was last asked. Always, where the kernel does not tell.
    pub(super) fn notices_change(&mut self) -> bool {
        let Some(notices) = &self.notices else { return true };
        let mut buffer = [0; 512];
        match read(notices, &mut buffer) {
            Err(Errno::AGAIN) => false,
            // What is left in the queue is noticed next time.
            Ok(_) | Err(Errno::INTR) => {
                self.renew();
                true
            }
            Err(_) => {
                self.notices = None;
                true
            }
        }
    }

    /// Whatever has the file's name now is watched. The directory matters more: it also tells of files to come.
    fn renew(&mut self) {
        let Some(notices) = &self.notices else { return };
        let changes = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        let directories: BTreeSet<_> = self.files.iter().filter_map(|file| file.parent()).collect();
        let watched = |path: &Path| add_watch(notices, path, changes).is_ok();
        for file in &self.files {
            let _may_not_be_there = watched(file);
        }
        if !directories.into_iter().all(watched) {
            self.notices = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{hard_link, remove_file, rename, write};

    fn scene() -> (tempfile::TempDir, PathBuf, Watch) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("group");
        write(&file, "libvirt:x:64055:bob").unwrap();
        let watch = Watch::on(vec![file.clone()]);
        (directory, file, watch)
    }

    #[test]
    fn nothing_happened() {
        let (_directory, _file, mut watch) = scene();
        assert!(!watch.notices_change());
        assert!(!watch.notices_change());
    }

    #[test]
    fn every_way_to_change_a_file_is_noticed() {
        let (directory, file, mut watch) = scene();
        let new = directory.path().join("group.new");
        let replace = || {
            write(&new, "libvirt:x:64055:").unwrap();
            rename(&new, &file).unwrap();
        };
        let acts: [(&str, &dyn Fn()); 4] = [
            ("written to", &|| write(&file, "changed").unwrap()),
            ("replaced", &replace),
            ("replaced again", &replace),
            ("removed", &|| remove_file(&file).unwrap()),
        ];
        for (how, act) in acts {
            act();
            assert!(watch.notices_change(), "{how}");
            while watch.notices_change() {}
        }
    }

    #[test]
    fn a_file_is_watched_by_whatever_name_it_is_written() {
        let (_directory, file, mut watch) = scene();
        let elsewhere = tempfile::tempdir().unwrap();
        let alias = elsewhere.path().join("alias");
        if hard_link(&file, &alias).is_err() {
            return;
        }
        while watch.notices_change() {}
        write(&alias, "changed").unwrap();
        assert!(watch.notices_change());
    }

    #[test]
    fn what_cannot_be_watched_counts_as_changed() {
        let mut watch = Watch::on(vec!["/nowhere/group".into()]);
        assert!(watch.notices_change());
        assert!(watch.notices_change());
    }
}
