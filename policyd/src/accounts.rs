// SPDX-License-Identifier: Apache-2.0
//! The host's account database: who a uid is and which groups it is in, now.
//!
//! Answers are kept until `/etc/passwd` or `/etc/group` change, and never longer than a few seconds, so
//! that a membership withdrawn counts from the next call, also where a directory holds the accounts.

mod watch;

use std::collections::HashMap;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Counts how often everything was forgotten.
    age: u64,
    known: HashMap<u32, Option<Arc<Membership>>>,
}

/// The account database with a short memory.
#[derive(Debug)]
pub struct Accounts {
    cache: Mutex<Cache>,
    /// Asks the database. A directory may take its time, so nobody else waits for this one's answer.
    look_up: fn(u32) -> Option<Membership>,
}

impl Accounts {
    /// The host's own accounts.
    pub fn of_host(now: Instant) -> Self {
        Self::watching(vec!["/etc/passwd".into(), "/etc/group".into()], now)
    }

    fn watching(files: Vec<PathBuf>, now: Instant) -> Self {
        let cache = Cache { watch: Watch::on(files), since: now, age: 0, known: HashMap::new() };
        Self { cache: Mutex::new(cache), look_up }
    }

    /// Accounts of a test's own making.
    #[cfg(test)]
    pub(crate) fn of(look_up: fn(u32) -> Option<Membership>, now: Instant) -> Self {
        Self { look_up, ..Self::watching(Vec::new(), now) }
    }

    /// Who has this uid; none if nobody has, or if the database cannot be read.
    pub fn of_uid(&self, uid: u32, now: Instant) -> Option<Arc<Membership>> {
        let age = {
            let mut cache = self.cache();
            cache.forget_what_may_be_old(now);
            if let Some(known) = cache.known.get(&uid) {
                return known.clone();
            }
            cache.age
        };
        let found = (self.look_up)(uid).map(Arc::new);
        let mut cache = self.cache();
        if cache.age != age {
            // Something changed meanwhile: this answer is for this call alone.
            return found;
        }
        cache.known.entry(uid).or_insert(found).clone()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn forget_what_may_be_old(&mut self, now: Instant) {
        if self.watch.notices_change() || now.duration_since(self.since) > KEPT {
            self.since = now;
            self.age += 1;
            self.known.clear();
        }
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
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// Held: the account database takes its time over uid 1.
    static SLOW: Mutex<()> = Mutex::new(());
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    fn sluggish(uid: u32) -> Option<Membership> {
        if uid == 1 {
            ASKED.fetch_add(1, Ordering::SeqCst);
            let _waited = SLOW.lock();
        }
        Some(Membership { account: Account { name: uid.to_string(), uid }, groups: Vec::new() })
    }

    #[test]
    fn a_slow_answer_holds_nobody_else_up_and_is_not_kept_past_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("group");
        std::fs::write(&file, "").unwrap();
        let now = Instant::now();
        let accounts =
            Arc::new(Accounts { look_up: sluggish, ..Accounts::watching(vec![file.clone()], now) });
        let ask = |uid| {
            let (answer, answered) = std::sync::mpsc::channel();
            let accounts = accounts.clone();
            std::thread::spawn(move || answer.send(accounts.of_uid(uid, now)).unwrap());
            answered
        };
        let patience = Duration::from_secs(10);

        let slow = SLOW.lock().unwrap();
        let first = ask(1);
        while ASKED.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        std::fs::write(&file, "changed").unwrap();
        assert!(ask(2).recv_timeout(patience).expect("nobody waits for another's answer").is_some());
        drop(slow);
        let first = first.recv_timeout(patience).unwrap().unwrap();
        let second = ask(1).recv_timeout(patience).unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &second), "what was asked before the change is asked again");
    }
}
