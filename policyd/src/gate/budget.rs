// SPDX-License-Identifier: Apache-2.0
//! How much memory all connections together may fill with long messages.
//!
//! Room is taken when a message announces its length and given back when it has gone out. Nobody waits for it:
//! for whom there is none, the message is passed over and answered with the reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Room for everybody, in bytes. The unit's `MemoryMax` leaves as much again for short messages and all else.
const TOTAL: usize = 768 * MIB;
/// What those who do not administer may take together, so that an Administrator always finds room.
const OTHERS: usize = TOTAL / 4 * 3;
/// What one account may take that does not administer.
const ACCOUNT: usize = TOTAL / 4;
const MIB: usize = 1024 * 1024;
/// No definition that is read from a message takes more than this, whatever its length.
const READ: usize = 96 * MIB;

/// The room that is taken.
#[derive(Debug, Default)]
pub struct Budget(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    others: HashMap<u32, usize>,
}

/// For whom room is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Somebody who administers.
    Administrator,
    /// An account, by its uid.
    Account(u32),
}

/// What is done with a message, which decides how much room it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is read whole, perhaps as a definition, compared with others and written again.
    Judged,
    /// It is read, perhaps filtered.
    Read,
    /// It passes.
    Passed,
}

impl Use {
    /// How much room a message of a length takes, in bytes.
    fn room(self, length: usize) -> usize {
        let copies = length.saturating_mul(2);
        match self {
            Use::Judged => copies.saturating_add(length.saturating_mul(30).min(READ)),
            Use::Read => copies.saturating_add(length.saturating_mul(8).min(READ)),
            Use::Passed => copies,
        }
    }
}

/// One connection's way to the budget.
#[derive(Clone, Debug)]
pub struct Purse {
    budget: Arc<Budget>,
    whose: Whose,
}

impl Purse {
    /// Room for a message, if there is any.
    pub fn take(&self, message: Use, length: usize) -> Option<Room> {
        let bytes = message.room(length);
        let mut taken = self.budget.locked();
        let others: usize = taken.others.values().sum();
        let all = taken.all.checked_add(bytes).filter(|all| *all <= TOTAL)?;
        if let Whose::Account(uid) = self.whose {
            let own = taken.others.get(&uid).copied().unwrap_or(0) + bytes;
            if own > ACCOUNT || others + bytes > OTHERS {
                return None;
            }
            taken.others.insert(uid, own);
        }
        taken.all = all;
        Some(Room { purse: self.clone(), bytes })
    }
}

impl Budget {
    /// A connection's way to it.
    pub fn purse(self: &Arc<Self>, whose: Whose) -> Purse {
        Purse { budget: self.clone(), whose }
    }

    fn locked(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room that is taken, until it is dropped.
#[derive(Debug)]
#[must_use = "dropping room gives it back"]
pub struct Room {
    purse: Purse,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.purse.budget.locked();
        taken.all = taken.all.saturating_sub(self.bytes);
        let Whose::Account(uid) = self.purse.whose else { return };
        let left = taken.others.get(&uid).copied().unwrap_or(0).saturating_sub(self.bytes);
        match left {
            0 => drop(taken.others.remove(&uid)),
            left => drop(taken.others.insert(uid, left)),
        }
    }
}

/// Why a message was passed over, for whoever sent it or waits for it.
pub fn no_room(length: usize) -> String {
    format!(
        "there is no room for a message of {length} bytes now: long messages that are under way fill the memory \
         set aside for them; try again when they are done"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(purse: &Purse) -> Vec<Room> {
        std::iter::from_fn(|| purse.take(Use::Passed, MIB)).collect()
    }

    fn bytes(rooms: &[Room]) -> usize {
        rooms.iter().map(|room| room.bytes).sum()
    }

    #[test]
    fn one_account_leaves_room_for_others_and_all_leave_room_for_administrators() {
        let budget = Arc::new(Budget::default());
        let mut held = fill(&budget.purse(Whose::Account(1001)));
        assert_eq!(bytes(&held), ACCOUNT);
        for uid in 1002..1010 {
            held.extend(fill(&budget.purse(Whose::Account(uid))));
        }
        assert_eq!(bytes(&held), OTHERS);
        let administrator = budget.purse(Whose::Administrator);
        assert!(administrator.take(Use::Judged, 4 * MIB).is_some(), "the longest definition");
        held.extend(fill(&administrator));
        assert_eq!(bytes(&held), TOTAL);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let budget = Arc::new(Budget::default());
        let purse = budget.purse(Whose::Account(1001));
        for _ in 0..3 {
            assert_eq!(bytes(&fill(&purse)), ACCOUNT);
        }
        let taken = budget.locked();
        assert!(taken.all == 0 && taken.others.is_empty());
    }

    #[test]
    fn the_longest_messages_fit_into_what_an_account_may_take() {
        let purse = Arc::new(Budget::default()).purse(Whose::Account(1001));
        assert!(purse.take(Use::Judged, 32 * MIB).is_some());
        assert!(purse.take(Use::Read, 32 * MIB).is_some());
        assert!(purse.take(Use::Passed, usize::MAX).is_none());
    }
}
