// SPDX-License-Identifier: Apache-2.0
use proptest::prelude::*;

use super::*;
use crate::setting::{Counted as Whose, Disclosure, Limit, Unlocking};

const MINUTE: u64 = 60_000;

fn attempts(failures: u32, period: u32, unlocking: Unlocking) -> Lockout {
    let limit = Limit::Attempts { failures, period, unlocking };
    Lockout { limit, counted: Whose::Everywhere, disclosure: Disclosure::Remaining }
}

fn remote() -> Origin {
    Origin::Remote { address: "192.0.2.7".to_owned() }
}

/// What happens in a story, and what is expected.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fails(Counted),
    Passes,
    PassesTooLate,
    MayTry,
    MayNotTry,
    Unlocked,
}

fn attempt<'a>(policy: &'a Lockout, origin: &'a Origin, now: u64) -> Try<'a> {
    Try {
        account: "alice",
        name: Name::Account,
        class: OriginClass::Remote,
        origin,
        spare: Spare::Nobody,
        now: Moment(now),
        policy,
    }
}

fn play(policy: &Lockout, steps: &[(u64, Step)]) {
    let (mut table, origin) = (Table::default(), remote());
    for (now, step) in steps {
        let attempt = attempt(policy, &origin, *now);
        let open = match step {
            Step::Fails(expected) => {
                assert_eq!(table.failed(&attempt), *expected, "{now}");
                continue;
            }
            Step::Unlocked => {
                table.unlock("alice", None);
                continue;
            }
            Step::Passes | Step::PassesTooLate => table.passed(&attempt),
            Step::MayTry | Step::MayNotTry => table.begin(&attempt),
        };
        assert_eq!(open == Verdict::Go, matches!(step, Step::Passes | Step::MayTry), "{now} {step:?}");
    }
}

fn noted(left: u32) -> Step {
    Step::Fails(Counted::Noted { left })
}

fn met(end: u64) -> Step {
    Step::Fails(Counted::LimitMet(Until::Moment(Moment(end))))
}

const TEN_MINUTES: u32 = 600;

#[test]
fn afl_1_one_failure_less_than_the_limit_then_the_right_password() {
    let policy = attempts(3, 900, Unlocking::After(TEN_MINUTES));
    play(&policy, &[(0, noted(2)), (1, noted(1)), (2, Step::MayTry), (3, Step::Passes), (4, noted(2))]);
}

#[test]
fn afl_2_at_the_limit_the_right_password_is_refused() {
    let policy = attempts(3, 900, Unlocking::After(TEN_MINUTES));
    let lock = met(2 + 10 * MINUTE);
    play(&policy, &[(0, noted(2)), (1, noted(1)), (2, lock), (3, Step::MayNotTry), (4, Step::PassesTooLate)]);
}

#[test]
fn afl_3_an_administrator_unlocks() {
    let policy = attempts(1, 900, Unlocking::ByAdministrator);
    let lock = Step::Fails(Counted::LimitMet(Until::Unlocked));
    let years = 10 * 365 * 24 * 60 * MINUTE;
    play(
        &policy,
        &[
            (0, lock),
            (years, Step::MayNotTry),
            (years, Step::PassesTooLate),
            (years, Step::Unlocked),
            (years, Step::Passes),
        ],
    );
}

#[test]
fn afl_4_just_before_its_time_locked_just_after_open() {
    let policy = attempts(2, 900, Unlocking::After(TEN_MINUTES));
    let end = 5 + 10 * MINUTE;
    let late = Step::Fails(Counted::Locked(Until::Moment(Moment(end))));
    play(
        &policy,
        &[
            (0, noted(1)),
            (5, met(end)),
            (end - 1, Step::MayNotTry),
            (end - 1, Step::PassesTooLate),
            (end - 1, late),
            (end, Step::MayTry),
            (end, noted(1)),
            (end, Step::Passes),
        ],
    );
}

#[test]
fn failures_further_apart_than_the_period_do_not_add_up() {
    let policy = attempts(2, 60, Unlocking::ByAdministrator);
    let lock = Step::Fails(Counted::LimitMet(Until::Unlocked));
    play(&policy, &[(0, noted(1)), (MINUTE + 1, noted(1)), (2 * MINUTE + 1, lock)]);
}

#[test]
fn delays_grow_and_a_success_ends_them() {
    let policy = Lockout { limit: Limit::Delay { first: 2, longest: 5 }, ..Lockout::default() };
    let waits = |end| Step::Fails(Counted::Delayed(Until::Moment(Moment(end))));
    let early = |end| Step::Fails(Counted::Locked(Until::Moment(Moment(end))));
    play(
        &policy,
        &[
            (0, waits(2_000)),
            (1_999, Step::MayNotTry),
            (1_999, early(2_000)),
            (2_000, waits(6_000)),
            (5_999, Step::PassesTooLate),
            (6_000, waits(11_000)),
            (11_000, waits(16_000)),
            (16_000, Step::Passes),
            (16_000, waits(18_000)),
        ],
    );
}

#[test]
fn delays_are_forgiven_after_a_day_of_peace() {
    let policy = Lockout { limit: Limit::Delay { first: 2, longest: 5 }, ..Lockout::default() };
    let waits = |end| Step::Fails(Counted::Delayed(Until::Moment(Moment(end))));
    let later = 2_000 + 24 * 60 * MINUTE + 5_000;
    play(&policy, &[(0, waits(2_000)), (2_000, waits(6_000)), (later, waits(later + 5_000))]);
    play(&policy, &[(0, waits(2_000)), (2_000, waits(6_000)), (later + 1, waits(later + 2_001))]);
}

#[test]
fn each_class_and_each_account_has_its_own() {
    let (policy, origin) = (attempts(1, 900, Unlocking::ByAdministrator), remote());
    let mut table = Table::default();
    let over_the_network = attempt(&policy, &origin, 0);
    let _locks = table.failed(&over_the_network);
    let at_the_console = Try { class: OriginClass::Local, ..over_the_network };
    assert_eq!(table.passed(&at_the_console), Verdict::Go);
    assert_eq!(table.begin(&Try { account: "carol", ..over_the_network }), Verdict::Go);
    assert_eq!(
        table.begin(&over_the_network),
        Verdict::Locked(Until::Unlocked),
        "the other class cleared nothing"
    );
    let _locks = table.failed(&at_the_console);
    let unlocked = table.unlock("alice", Some(OriginClass::Remote));
    assert_eq!(unlocked.iter().map(|(class, _)| *class).collect::<Vec<_>>(), [OriginClass::Remote]);
    assert_eq!(table.begin(&over_the_network), Verdict::Go);
    assert_eq!(table.begin(&at_the_console), Verdict::Locked(Until::Unlocked));
}

#[test]
fn where_only_remote_logins_count_the_console_is_left_alone() {
    let policy = Lockout { counted: Whose::Remote, ..attempts(1, 900, Unlocking::ByAdministrator) };
    let (mut table, origin) = (Table::default(), remote());
    let over_the_network = attempt(&policy, &origin, 0);
    let at_the_console = Try { class: OriginClass::Local, ..over_the_network };
    assert_eq!(table.failed(&at_the_console), Counted::Ignored);
    assert_eq!(table.failed(&over_the_network), Counted::LimitMet(Until::Unlocked));
    assert_eq!(table.passed(&at_the_console), Verdict::Go);
    assert_eq!(table.passed(&over_the_network), Verdict::Locked(Until::Unlocked));
}

#[test]
fn the_last_administrator_waits_at_the_console_and_gets_in() {
    let (policy, origin) = (attempts(2, 900, Unlocking::ByAdministrator), remote());
    let mut table = Table::default();
    let at = |now| Try {
        class: OriginClass::Local,
        spare: Spare::LastAdministrator,
        ..attempt(&policy, &origin, now)
    };
    assert_eq!(table.failed(&at(0)), Counted::Noted { left: 1 });
    assert_eq!(table.failed(&at(1)), Counted::LimitMet(Until::Unlocked));
    let wait = Until::Moment(Moment(10_001));
    assert_eq!(table.begin(&at(2)), Verdict::Locked(wait));
    assert_eq!(table.failed(&at(3)), Counted::Locked(wait), "guesses side by side gain nothing");
    assert_eq!(table.failed(&at(10_001)), Counted::Delayed(Until::Moment(Moment(20_001))));
    assert_eq!(table.passed(&at(20_000)), Verdict::Locked(Until::Moment(Moment(20_001))));
    let nobody_spared = Try { spare: Spare::Nobody, ..at(20_001) };
    assert_eq!(table.begin(&nobody_spared), Verdict::Locked(Until::Unlocked), "the lock is still there");
    assert_eq!(table.passed(&at(20_001)), Verdict::Go);
    assert_eq!(table.begin(&nobody_spared), Verdict::Go);
}

#[test]
fn what_was_lost_keeps_everybody_out_over_the_network_for_as_long_as_a_lock() {
    let (policy, origin) = (attempts(5, 900, Unlocking::After(TEN_MINUTES)), remote());
    let mut table = Table::default();
    table.distrust(&policy, Moment(0));
    let end = 10 * MINUTE;
    let over_the_network = attempt(&policy, &origin, end - 1);
    assert_eq!(table.passed(&over_the_network), Verdict::Locked(Until::Moment(Moment(end))));
    assert_eq!(table.failed(&over_the_network), Counted::Locked(Until::Moment(Moment(end))));
    assert_eq!(table.begin(&Try { class: OriginClass::Local, ..over_the_network }), Verdict::Go);
    assert_eq!(table.begin(&attempt(&policy, &origin, end)), Verdict::Go);
    assert!(table.unlock("alice", None).is_empty(), "nobody's own");
    assert!(table.unlock(EVERYBODY, Some(OriginClass::Local)).is_empty());
    assert_eq!(table.unlock(EVERYBODY, None).len(), 1);
    assert_eq!(table.begin(&over_the_network), Verdict::Go);
}

#[test]
fn whoever_types_the_name_of_everybody_locks_nobody_else() {
    let (policy, origin) = (attempts(1, 900, Unlocking::ByAdministrator), remote());
    let mut table = Table::default();
    let typed = Try { account: EVERYBODY, name: Name::Unknown, ..attempt(&policy, &origin, 0) };
    assert_eq!(table.failed(&typed), Counted::LimitMet(Until::Unlocked));
    assert_eq!(table.begin(&attempt(&policy, &origin, 0)), Verdict::Go);
}

#[test]
fn unknown_names_take_bounded_room_and_push_out_no_account() {
    let (policy, origin) = (attempts(2, 900, Unlocking::ByAdministrator), remote());
    let mut table = Table::default();
    let at = |now| attempt(&policy, &origin, now);
    let _counted = table.failed(&at(0));
    let _locked =
        [table.failed(&Try { account: "carol", ..at(0) }), table.failed(&Try { account: "carol", ..at(0) })];
    let stranger = Try { account: "stranger", name: Name::Unknown, ..at(1) };
    let _locked = [table.failed(&stranger), table.failed(&stranger)];
    for number in 0..2 * UNKNOWN_NAMES as u64 {
        let name = format!("nobody-{number}");
        let _counted = table.failed(&Try { account: &name, name: Name::Unknown, ..at(2 + number) });
    }
    assert_eq!(table.tallies().len(), UNKNOWN_NAMES + 2);
    let now = 2 + 2 * UNKNOWN_NAMES as u64;
    assert_eq!(
        table.failed(&at(now)),
        Counted::LimitMet(Until::Unlocked),
        "alice's first failure still counts"
    );
    assert_eq!(table.begin(&Try { account: "carol", ..at(now) }), Verdict::Locked(Until::Unlocked));
    assert_eq!(table.begin(&Try { now: Moment(now), ..stranger }), Verdict::Locked(Until::Unlocked));
}

#[test]
fn rows_show_what_counts_and_what_is_kept_reads_back() {
    let (policy, origin) = (attempts(3, 60, Unlocking::After(TEN_MINUTES)), remote());
    let mut table = Table::default();
    let _counted = table.failed(&attempt(&policy, &origin, 0));
    let rows = table.rows(&policy, Moment(MINUTE));
    assert_eq!((rows[0].account, rows[0].tally.failures(), rows[0].tally.lock()), ("alice", 1, None));
    assert!(table.rows(&policy, Moment(MINUTE + 1)).is_empty());
    let kept: Vec<_> = table.tallies().iter().collect();
    let text = serde_json::to_string(&kept).unwrap();
    let read: Vec<(Key, Tally)> = serde_json::from_str(&text).unwrap();
    assert_eq!(Table::restore(read.into_iter().collect(), None), table);
}

#[derive(Clone, Copy, Debug)]
enum Report {
    Wrong,
    Right,
    Begins,
}

fn result() -> impl Strategy<Value = Report> {
    prop_oneof![4 => Just(Report::Wrong), 1 => Just(Report::Right), 1 => Just(Report::Begins)]
}

fn unlocking() -> impl Strategy<Value = Unlocking> {
    prop_oneof![Just(Unlocking::After(600)), Just(Unlocking::ByAdministrator)]
}

proptest! {
    /// However guesses made side by side are interleaved: among the first n results at most one is a success
    /// that follows n-1 failures, and after n failures in a row no success is taken.
    #[test]
    fn no_more_guesses_than_the_limit_can_succeed(
        n in 1u32..20,
        unlocking in unlocking(),
        results in prop::collection::vec((result(), 0u64..500), 1..200),
    ) {
        let (policy, origin) = (attempts(n, 900, unlocking), remote());
        let (mut table, mut now, mut failures) = (Table::default(), 0, 0);
        for (result, later) in results {
            now += later;
            let attempt = attempt(&policy, &origin, now);
            let locked = failures >= n;
            match result {
                Report::Wrong => {
                    let counted = table.failed(&attempt);
                    prop_assert_eq!(matches!(counted, Counted::Locked(_)), locked);
                    failures += u32::from(!locked);
                    prop_assert_eq!(matches!(counted, Counted::LimitMet(_)), !locked && failures == n);
                }
                Report::Right => {
                    prop_assert_eq!(table.passed(&attempt) == Verdict::Go, !locked);
                    failures = if locked { failures } else { 0 };
                }
                Report::Begins => prop_assert_eq!(table.begin(&attempt) == Verdict::Go, !locked),
            }
        }
    }

    /// From locked to open leads nothing but the lock's own end, or an unlock: neither failures nor successes
    /// nor other accounts, nor rules that change meanwhile.
    #[test]
    fn nothing_but_time_or_an_unlock_opens_a_lock(
        unlocking in unlocking(),
        others in prop::collection::vec((0u8..6, result(), any::<bool>(), 0u64..3_000), 0..200),
    ) {
        let (policy, origin) = (attempts(1, 900, unlocking), remote());
        let lax = Lockout { limit: Limit::Delay { first: 1, longest: 1 }, ..policy.clone() };
        let mut table = Table::default();
        let _locks = table.failed(&attempt(&policy, &origin, 0));
        let end = match unlocking { Unlocking::After(seconds) => millis(seconds), Unlocking::ByAdministrator => u64::MAX };
        let mut now = 0;
        for (who, result, changed, later) in others {
            now += later;
            let rules = if changed { &lax } else { &policy };
            let name = format!("account-{who}");
            let account = if who == 0 { "alice" } else { &name };
            let class = if who == 1 { OriginClass::Local } else { OriginClass::Remote };
            let account = if who == 1 { "alice" } else { account };
            let attempt = Try { account, class, ..attempt(rules, &origin, now) };
            match result {
                Report::Wrong => { let _counted = table.failed(&attempt); }
                Report::Right => { let _verdict = table.passed(&attempt); }
                Report::Begins => { let _verdict = table.begin(&attempt); }
            }
            let alice = Try { account: "alice", class: OriginClass::Remote, ..attempt };
            if now < end {
                prop_assert_ne!(table.begin(&alice), Verdict::Go, "{} before {}", now, end);
            }
        }
    }

    /// A delay is kept by everybody who tries side by side: one look at a password for each wait.
    #[test]
    fn one_guess_for_each_delay(
        results in prop::collection::vec((any::<bool>(), 0u64..4_000), 1..200),
    ) {
        let policy = Lockout { limit: Limit::Delay { first: 1, longest: 8 }, ..Lockout::default() };
        let origin = remote();
        let (mut table, mut now, mut wait, mut open) = (Table::default(), 0, 500, 0);
        for (right, later) in results {
            now += later;
            let attempt = attempt(&policy, &origin, now);
            if right {
                prop_assert_eq!(table.passed(&attempt) == Verdict::Go, now >= open);
                if now >= open { wait = 500; }
            } else if now >= open {
                wait = (wait * 2).min(8_000);
                open = now + wait;
                prop_assert_eq!(table.failed(&attempt), Counted::Delayed(Until::Moment(Moment(open))));
            } else {
                prop_assert_eq!(table.failed(&attempt), Counted::Locked(Until::Moment(Moment(open))));
            }
        }
    }
}
