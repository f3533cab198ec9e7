// SPDX-License-Identifier: Apache-2.0
//! The host's account database: who a uid is and which groups it is in, now.
//!
//! Answers are kept until `/etc/passwd` or `/etc/group` change, and never longer than a few seconds, so
//! that a membership withdrawn counts from the next call, also where a directory holds the accounts.

mod watch;

use std::collections::HashMap;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Uid, User, getgrouplist};
use virtwarden_core::subject::{Account, Group};
use watch::Watch;

/// How long an answer counts when no file changed.
const KEPT: Duration = Duration::from_secs(5);

/// An account with the groups it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The account.
    pub account: Account,
    /// Its groups, the primary one included.
    pub groups: Vec<Group>,
}

#[derive(Debug)]
struct Cache {
    watch: Watch,
    since: Instant,
    known: HashMap<u32, Option<Arc<Membership>>>,
}

/// The account database with a short memory.
#[derive(Debug)]
pub struct Accounts {
    cache: Mutex<Cache>,
}

impl Accounts {
    /// The host's own accounts.
    pub fn of_host(now: Instant) -> Self {
        Self::watching(vec!["/etc/passwd".into(), "/etc/group".into()], now)
    }

    fn watching(files: Vec<PathBuf>, now: Instant) -> Self {
        let cache = Cache { watch: Watch::on(files), since: now, known: HashMap::new() };
        Self { cache: Mutex::new(cache) }
    }

    /// Who has this uid; none if nobody has, or if the database cannot be read.
    pub fn of_uid(&self, uid: u32, now: Instant) -> Option<Arc<Membership>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.watch.notices_change() || now.duration_since(cache.since) > KEPT {
            cache.since = now;
            cache.known.clear();
        }
        cache.known.entry(uid).or_insert_with(|| look_up(uid).map(Arc::new)).clone()
    }
}

fn look_up(uid: u32) -> Option<Membership> {
    let user = User::from_uid(Uid::from_raw(uid)).ok()??;
    let name = CString::new(user.name.as_str()).ok()?;
    let mut gids = getgrouplist(&name, user.gid).ok()?;
    gids.sort_unstable_by_key(|gid| gid.as_raw());
    gids.dedup();
    let groups = gids.into_iter().filter_map(group).collect();
    Some(Membership { account: Account { name: user.name, uid }, groups })
}

fn group(gid: Gid) -> Option<Group> {
    let found = nix::unistd::Group::from_gid(gid).ok()??;
    Some(Group { name: found.name, gid: gid.as_raw() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_root() {
        let now = Instant::now();
        let root = Accounts::of_host(now).of_uid(0, now).unwrap();
        assert_eq!(root.account, Account { name: "root".into(), uid: 0 });
        assert!(root.groups.contains(&Group { name: "root".into(), gid: 0 }));
    }

    #[test]
    fn a_uid_without_an_account_is_nobody() {
        let now = Instant::now();
        assert!(Accounts::of_host(now).of_uid(3_999_999_999, now).is_none());
    }

    #[test]
    fn an_answer_is_kept_until_a_file_changes_or_time_passes() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("group");
        std::fs::write(&file, "").unwrap();
        let now = Instant::now();
        let accounts = Accounts::watching(vec![file.clone()], now);
        let first = accounts.of_uid(0, now).unwrap();
        assert!(Arc::ptr_eq(&first, &accounts.of_uid(0, now).unwrap()));
        std::fs::write(&file, "changed").unwrap();
        let second = accounts.of_uid(0, now).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        let third = accounts.of_uid(0, now + KEPT + Duration::from_millis(1)).unwrap();
        assert!(!Arc::ptr_eq(&second, &third));
    }
}
