// SPDX-License-Identifier: Apache-2.0
//! Wishes to raise a session: made by who is in it, fulfilled by root's helper once he has authenticated.

use std::collections::BTreeMap;

use virtwarden_core::subject::Account;

/// How long a wish is good for, in seconds.
const GOOD: u64 = 120;

/// A wish.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    ticket: u64,
    account: Account,
    since: u64,
    stage: Stage,
}

/// How far a wish has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody has come with its ticket.
    Made,
    /// Somebody has, and is being authenticated.
    Redeemed,
}

/// At most one wish for each session.
#[derive(Debug, Default)]
pub(super) struct Wishes(BTreeMap<u32, Wish>);

impl Wishes {
    /// Takes a wish; an older one of the session is forgotten.
    pub(super) fn make(&mut self, session: u32, account: Account, ticket: u64, now: u64) {
        self.0.retain(|_, wish| wish.is_good(now));
        self.0.insert(session, Wish { ticket, account, since: now, stage: Stage::Made });
    }

    /// The sessions of an account that wait to be raised.
    pub(super) fn waiting(&self, account: &str) -> Vec<u32> {
        self.0.iter().filter(|(_, wish)| wish.account.name == account).map(|(session, _)| *session).collect()
    }

    /// Whether a ticket is good, said once for each: one person holds no more than one of the helper's places
    /// with it.
    pub(super) fn redeem(&mut self, ticket: u64, account: &[u8], now: u64) -> bool {
        let wish = self.0.values_mut().find(|wish| wish.ticket == ticket && wish.is_of(account, now));
        wish.is_some_and(|wish| std::mem::replace(&mut wish.stage, Stage::Redeemed) == Stage::Made)
    }

    /// The session that a redeemed ticket raises. It is good for one try, also if that fails.
    pub(super) fn fulfil(&mut self, ticket: u64, account: &[u8], now: u64) -> Option<u32> {
        let session = self.0.iter().find(|(_, wish)| wish.ticket == ticket).map(|(session, _)| *session)?;
        let wish = self.0.remove(&session)?;
        (wish.stage == Stage::Redeemed && wish.is_of(account, now)).then_some(session)
    }
}

impl Wish {
    fn is_of(&self, account: &[u8], now: u64) -> bool {
        self.is_good(now) && self.account.name.as_bytes() == account
    }

    fn is_good(&self, now: u64) -> bool {
        (self.since..self.since.saturating_add(GOOD)).contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Account {
        Account { name: "alice".to_owned(), uid: 1000 }
    }

    fn wishes() -> Wishes {
        let mut wishes = Wishes::default();
        wishes.make(5, alice(), 77, 1000);
        wishes
    }

    #[test]
    fn a_ticket_is_good_once_for_its_account_and_two_minutes() {
        for (ticket, account, now, raised) in [
            (77, "alice", 1000, Some(5)),
            (77, "alice", 1119, Some(5)),
            (77, "alice", 1120, None),
            (77, "alice", 999, None),
            (77, "bob", 1000, None),
            (77, "", 1000, None),
            (78, "alice", 1000, None),
        ] {
            let mut wishes = wishes();
            wishes.redeem(77, b"alice", 1000);
            assert_eq!(wishes.fulfil(ticket, account.as_bytes(), now), raised, "{ticket} {account} {now}");
            if ticket == 77 {
                assert_eq!(wishes.fulfil(77, b"alice", now), None, "used");
            }
        }
    }

    #[test]
    fn a_ticket_is_redeemed_once_and_raises_nothing_before() {
        for (ticket, account, now) in [(78, "alice", 1000), (77, "bob", 1000), (77, "alice", 1120)] {
            assert!(!wishes().redeem(ticket, account.as_bytes(), now), "{ticket} {account} {now}");
        }
        assert_eq!(wishes().fulfil(77, b"alice", 1000), None, "nobody was authenticated for it");
        let mut wishes = wishes();
        assert!(wishes.redeem(77, b"alice", 1000) && !wishes.redeem(77, b"alice", 1000));
        assert_eq!(wishes.fulfil(77, b"alice", 1000), Some(5));
    }

    #[test]
    fn the_last_wish_of_a_session_counts_and_old_ones_go() {
        let mut wishes = wishes();
        wishes.make(5, alice(), 78, 1010);
        assert!(!wishes.redeem(77, b"alice", 1010) && wishes.redeem(78, b"alice", 1010));
        assert_eq!(wishes.fulfil(77, b"alice", 1010), None);
        assert_eq!(wishes.fulfil(78, b"alice", 1010), Some(5));
        wishes.make(6, alice(), 80, 1020);
        wishes.make(7, alice(), 81, 2000);
        assert_eq!(wishes.0.len(), 1);
    }
}
