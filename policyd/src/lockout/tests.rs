// SPDX-License-Identifier: Apache-2.0
//! Stories of what is kept across restarts, crashes and damage, and of many who guess at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use virtwarden_core::authentication::Origin;
use virtwarden_core::lockout::{Name, Spare};
use virtwarden_core::object::Uuid;
use virtwarden_core::setting::{Limit, Unlocking};
use virtwarden_core::trail::line::Stamp;
use virtwarden_core::trail::time::Time;

use super::*;

const SECOND: u64 = 1_000_000;
const NOON: u64 = 1_800_000_000 * SECOND;

/// Clocks that a test sets.
#[derive(Debug)]
struct Hands {
    boot: u8,
    up: AtomicU64,
    wall: AtomicU64,
}

impl trail::Clock for Hands {
    fn now(&self) -> Stamp {
        let time = Time::from_micros(self.wall.load(Ordering::Relaxed));
        Stamp { time, boot: Uuid([self.boot; 16]), up: self.up.load(Ordering::Relaxed) }
    }
}

fn clocks(boot: u8, up: u64, wall: u64) -> Arc<Hands> {
    Arc::new(Hands { boot, up: AtomicU64::new(up), wall: AtomicU64::new(wall) })
}

fn policy(failures: u32, unlocking: Unlocking) -> Lockout {
    Lockout { limit: Limit::Attempts { failures, period: 900, unlocking }, ..Lockout::default() }
}

fn remote() -> Origin {
    Origin::Remote { address: "192.0.2.7".to_owned() }
}

fn attempt<'a>(lockouts: &Lockouts, policy: &'a Lockout, origin: &'a Origin) -> Try<'a> {
    Try {
        account: "alice",
        name: Name::Account,
        class: OriginClass::Remote,
        origin,
        spare: Spare::Nobody,
        now: lockouts.now(),
        policy,
    }
}

fn fail(lockouts: &Lockouts, policy: &Lockout) -> Counted {
    let (counted, kept) = lockouts.failed(&attempt(lockouts, policy, &remote()));
    kept.unwrap();
    counted
}

fn is_locked(lockouts: &Lockouts, policy: &Lockout) -> bool {
    lockouts.begin(&attempt(lockouts, policy, &remote())) != Verdict::Go
}

#[test]
fn a_lock_survives_restart_and_reboot_and_a_clock_that_is_set() {
    let directory = tempfile::tempdir().unwrap();
    let policy = policy(2, Unlocking::After(600));
    let hands = clocks(1, 100 * SECOND, NOON);
    let lockouts = Lockouts::open(directory.path(), &policy, hands.clone()).unwrap();
    let _counted = [fail(&lockouts, &policy), fail(&lockouts, &policy)];
    hands.wall.store(NOON + 3_600 * SECOND, Ordering::Relaxed);
    assert!(is_locked(&lockouts, &policy), "set forward");
    for (boot, up, wall, locked) in [
        (1, 700, NOON + 9_999 * SECOND, false),
        (1, 699, 0, true),
        (2, 5, NOON + 599 * SECOND, true),
        (2, 5, NOON + 600 * SECOND, false),
        (2, 5, NOON - 9_999 * SECOND, true),
    ] {
        let again = Lockouts::open(directory.path(), &policy, clocks(boot, up * SECOND, wall)).unwrap();
        assert_eq!(is_locked(&again, &policy), locked, "{boot} {up} {wall}");
    }
}

#[test]
fn a_clock_set_back_between_boots_locks_for_no_longer_than_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let policy = policy(1, Unlocking::After(600));
    let lockouts = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
    let _locks = fail(&lockouts, &policy);
    let hands = clocks(2, 5 * SECOND, 0);
    let again = Lockouts::open(directory.path(), &policy, hands.clone()).unwrap();
    hands.up.store(604 * SECOND, Ordering::Relaxed);
    assert!(is_locked(&again, &policy));
    hands.up.store(605 * SECOND, Ordering::Relaxed);
    assert!(!is_locked(&again, &policy));
}

#[test]
fn each_count_is_on_the_disk_before_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let policy = policy(3, Unlocking::ByAdministrator);
    for left in [2, 1] {
        // Never closed: what the next one knows is what the disk knew at the answer.
        let lockouts = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
        assert_eq!(fail(&lockouts, &policy), Counted::Noted { left });
    }
    let lockouts = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
    assert_eq!(fail(&lockouts, &policy), Counted::LimitMet(Until::Unlocked));
    lockouts.unlock("alice", None).unwrap();
    let lockouts = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
    assert!(!is_locked(&lockouts, &policy));
}

#[test]
fn a_damaged_file_is_kept_and_locks_everybody_over_the_network_alone() {
    let policy = policy(2, Unlocking::After(600));
    for damage in ["", "{", "{\"format\":2}", "null", "[]"] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("lockout.json"), damage).unwrap();
        let hands = clocks(1, 0, NOON);
        let lockouts = Lockouts::open(directory.path(), &policy, hands.clone()).unwrap();
        let Condition::Damaged { kept, .. } = lockouts.condition() else { panic!("{damage}") };
        assert_eq!(std::fs::read_to_string(kept).unwrap(), damage);
        assert!(lockouts.condition().warning().is_some_and(|text| text.contains("unlock '*'")));
        assert!(is_locked(&lockouts, &policy), "{damage}");
        let origin = remote();
        let at_console = Try { class: OriginClass::Local, ..attempt(&lockouts, &policy, &origin) };
        assert_eq!(lockouts.begin(&at_console), Verdict::Go, "{damage}");
        let again = Lockouts::open(directory.path(), &policy, hands.clone()).unwrap();
        assert!(is_locked(&again, &policy), "a restart does not end it");
        hands.up.store(600 * SECOND, Ordering::Relaxed);
        assert!(!is_locked(&lockouts, &policy), "{damage}");
        assert_eq!(again.unlock("*", None).unwrap().len(), 1);
    }
}

#[test]
fn an_unlock_that_cannot_be_kept_does_not_happen() {
    let directory = tempfile::tempdir().unwrap();
    let policy = policy(1, Unlocking::ByAdministrator);
    let state = directory.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let lockouts = Lockouts::open(&state, &policy, clocks(1, 0, NOON)).unwrap();
    let _locks = fail(&lockouts, &policy);
    std::fs::rename(&state, directory.path().join("gone")).unwrap();
    assert!(lockouts.unlock("alice", None).is_err());
    assert!(is_locked(&lockouts, &policy));
    let (counted, kept) =
        lockouts.failed(&Try { account: "carol", ..attempt(&lockouts, &policy, &remote()) });
    assert_eq!(counted, Counted::LimitMet(Until::Unlocked));
    assert!(kept.is_err(), "counted, and not kept");
}

/// 100 logins at once, one of them with the right password: whatever the order, the right one is taken only
/// if it came before the limit was met, and no more are counted than the limit allows.
#[test]
fn a_hundred_at_once_get_as_many_guesses_as_one() {
    for round in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let policy = policy(5, Unlocking::ByAdministrator);
        let lockouts = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
        let (together, counted, met) = (Barrier::new(100), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    let origin = remote();
                    let begun = lockouts.begin(&attempt(&lockouts, &policy, &origin));
                    together.wait();
                    assert_eq!(begun, Verdict::Go, "all of them began before anybody failed");
                    match fail(&lockouts, &policy) {
                        Counted::Noted { .. } => counted.fetch_add(1, Ordering::SeqCst),
                        Counted::LimitMet(_) => met.fetch_add(1, Ordering::SeqCst),
                        Counted::Locked(_) => 0,
                        other @ (Counted::Ignored | Counted::Delayed(_)) => panic!("{other:?}"),
                    };
                });
            }
        });
        assert_eq!((counted.into_inner(), met.into_inner()), (4, 1), "round {round}");
        let (verdict, _) = lockouts.passed(&attempt(&lockouts, &policy, &remote()), Role::Other);
        assert_ne!(verdict, Verdict::Go, "the right one came too late");
        drop(lockouts);
        let again = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
        assert!(is_locked(&again, &policy));
    }
}

#[test]
fn a_success_shows_that_an_administrator_has_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let policy = policy(1, Unlocking::ByAdministrator);
    let lockouts = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
    let origin = remote();
    let of = |account| Try { account, ..attempt(&lockouts, &policy, &origin) };
    for (account, role) in [("alice", Role::Administrator), ("bob", Role::Other)] {
        assert_eq!(lockouts.passed(&of(account), role).0, Verdict::Go);
    }
    let _locks = lockouts.failed(&of("carol"));
    assert_ne!(lockouts.passed(&of("carol"), Role::Administrator).0, Verdict::Go);
    let again = Lockouts::open(directory.path(), &policy, clocks(1, 0, NOON)).unwrap();
    assert_eq!(["alice", "bob", "carol"].map(|name| again.is_proven(name)), [true, false, false]);
}
