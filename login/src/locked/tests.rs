// SPDX-License-Identifier: Apache-2.0

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn lock(account: &[u8], class: Class, until: Until) -> Locked {
    Locked { account: account.to_vec(), class, until }
}

fn any_lock() -> impl Strategy<Value = Locked> {
    let class = prop_oneof![Just(Class::Local), Just(Class::Remote)];
    let until = prop_oneof![Just(Until::Unlocked), any::<u64>().prop_map(Until::Time)];
    (vec(any::<u8>(), 0..=LONGEST_ACCOUNT), class, until).prop_map(|(account, class, until)| Locked {
        account,
        class,
        until,
    })
}

proptest! {
    #[test]
    fn a_snapshot_reads_back(locks in vec(any_lock(), 0..6)) {
        let text = render(&locks).unwrap();
        prop_assert_eq!(parse(text.as_bytes()).unwrap(), locks);
    }

    #[test]
    fn what_parses_renders_to_the_same_bytes(lines in vec("(local|remote|-| )?[ 0-9-]{0,3}[a%1F ]{0,6}\n?", 0..4)) {
        let text = format!("{HEADER}\n{}", lines.concat());
        if let Ok(locks) = parse(text.as_bytes()) {
            prop_assert_eq!(render(&locks).unwrap(), text);
        }
    }
}

#[test]
fn the_form_is_the_documented_one() {
    let locks = [
        lock(b"alice", Class::Remote, Until::Time(1_790_000_000)),
        lock("müller".as_bytes(), Class::Local, Until::Unlocked),
        lock(&[b'x'; LONGEST_ACCOUNT + 1], Class::Local, Until::Unlocked),
    ];
    let text = "virtwarden-locked 1\nremote 1790000000 alice\nlocal - m%C3%BCller\n";
    assert_eq!(render(&locks).unwrap(), text);
}

#[test]
fn anything_else_is_refused() {
    let rows: [(&str, Fault); 11] = [
        ("", Fault::Short),
        ("virtwarden-locked 1", Fault::Short),
        ("virtwarden-locked 2\n", Fault::Line(1)),
        ("virtwarden-locked 1\n\n", Fault::Line(2)),
        ("virtwarden-locked 1\nlocal - a\nlocal - b", Fault::Short),
        ("virtwarden-locked 1\nlocal - a\nlocal -\n", Fault::Line(3)),
        ("virtwarden-locked 1\nnear - a\n", Fault::Line(2)),
        ("virtwarden-locked 1\nlocal 01 a\n", Fault::Line(2)),
        ("virtwarden-locked 1\nlocal +1 a\n", Fault::Line(2)),
        ("virtwarden-locked 1\nlocal 1 a b\n", Fault::Line(2)),
        ("virtwarden-locked 1\nlocal 1 %61\n", Fault::Line(2)),
    ];
    for (text, fault) in rows {
        assert_eq!(parse(text.as_bytes()), Err(fault), "{text:?}");
    }
}

#[test]
fn a_lock_holds_for_its_account_and_class_until_its_time() {
    let locks = [
        lock(b"alice", Class::Remote, Until::Time(100)),
        lock(b"alice", Class::Remote, Until::Time(90)),
        lock(b"bob", Class::Local, Until::Unlocked),
        lock(b"bob", Class::Local, Until::Time(50)),
    ];
    let rows: [(&[u8], Class, u64, Standing); 7] = [
        (b"alice", Class::Remote, 0, Standing::For(100)),
        (b"alice", Class::Remote, 99, Standing::For(1)),
        (b"alice", Class::Remote, 100, Standing::Open),
        (b"alice", Class::Local, 0, Standing::Open),
        (b"alic", Class::Remote, 0, Standing::Open),
        (b"bob", Class::Local, 0, Standing::UntilUnlocked),
        (b"bob", Class::Local, u64::MAX, Standing::UntilUnlocked),
    ];
    for (account, class, now, expected) in rows {
        assert_eq!(standing(&locks, account, class, now), expected, "{account:?} {now}");
    }
}
