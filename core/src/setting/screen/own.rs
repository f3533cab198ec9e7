// SPDX-License-Identifier: Apache-2.0
//! What one person has shorter for himself than everybody: row 14, as far as it is a User's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ScreenIdle, ScreenLockTimeout, check_times};
use crate::setting::SettingError;

/// As many people as may have theirs shorter on one host: all of them travel with each order and each answer.
const MOST: usize = 1000;
/// The longest name of an account that Linux takes.
const LONGEST_NAME: usize = 256;

/// The times that somebody wants at most. They count as far as they are shorter than everybody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnIdle {
    /// The name of the account, for people; its number counts.
    pub account: String,
    /// Seconds without input until the screen goes dark.
    pub seconds: u32,
    /// Seconds from then until it is locked.
    pub delay: u32,
}

impl OwnIdle {
    /// The shorter of both, part by part: nobody lengthens anything for himself.
    pub fn within(&self, everybody: ScreenIdle) -> ScreenIdle {
        match everybody {
            ScreenIdle::Personal => ScreenIdle::Personal,
            ScreenIdle::After { seconds, delay } => {
                ScreenIdle::After { seconds: seconds.min(self.seconds), delay: delay.min(self.delay) }
            }
        }
    }

    /// Whether a part of it is longer than everybody's.
    pub fn is_longer_than(&self, everybody: ScreenIdle) -> bool {
        match everybody {
            ScreenIdle::Personal => false,
            ScreenIdle::After { seconds, delay } => self.seconds > seconds || self.delay > delay,
        }
    }
}

impl ScreenLockTimeout {
    /// What holds for an account.
    pub fn of(&self, account: u32) -> ScreenIdle {
        self.own.get(&account).map_or(self.idle, |own| own.within(self.idle))
    }

    /// The accounts for which it is really shorter, with what holds for them.
    pub fn shortened(&self) -> impl Iterator<Item = (u32, ScreenIdle)> {
        let really = |(account, own): (&u32, &OwnIdle)| (*account, own.within(self.idle));
        self.own.iter().map(really).filter(|(_, idle)| *idle != self.idle)
    }
}

pub(super) fn check(own: &BTreeMap<u32, OwnIdle>) -> Result<(), SettingError> {
    if own.len() > MOST {
        return Err(SettingError(format!(
            "{MOST} people have theirs shorter already, which is as many as may"
        )));
    }
    own.values().try_for_each(|OwnIdle { account, seconds, delay }| {
        if account.is_empty() || account.len() > LONGEST_NAME || account.contains(char::is_control) {
            return Err(SettingError(format!("{account:?} is no name of an account")));
        }
        check_times(*seconds, *delay)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVERYBODY: ScreenIdle = ScreenIdle::After { seconds: 600, delay: 20 };

    fn own(seconds: u32, delay: u32) -> OwnIdle {
        OwnIdle { account: "bob".into(), seconds, delay }
    }

    fn timeout(idle: ScreenIdle, bobs: OwnIdle) -> ScreenLockTimeout {
        ScreenLockTimeout { idle, own: BTreeMap::from([(1001, bobs)]) }
    }

    #[test]
    fn ones_own_counts_as_far_as_it_is_shorter() {
        for (bobs, holds) in [
            (own(300, 20), Some((300, 20))),
            (own(600, 5), Some((600, 5))),
            (own(900, 5), Some((600, 5))),
            (own(600, 20), None),
            (own(900, 30), None),
        ] {
            let value = timeout(EVERYBODY, bobs);
            let idle = holds.map(|(seconds, delay)| ScreenIdle::After { seconds, delay });
            assert_eq!(value.of(1001), idle.unwrap_or(EVERYBODY));
            assert_eq!(value.of(1002), EVERYBODY);
            assert_eq!(value.shortened().collect::<Vec<_>>(), Vec::from_iter(idle.map(|idle| (1001, idle))));
        }
    }

    #[test]
    fn where_each_desktop_has_its_own_nothing_is_shortened() {
        let value = timeout(ScreenIdle::Personal, own(300, 0));
        assert_eq!((value.of(1001), value.shortened().count()), (ScreenIdle::Personal, 0));
    }

    #[test]
    fn mistakes_are_refused() {
        assert!(timeout(EVERYBODY, own(60, 0)).check().is_ok());
        for wrong in [
            own(59, 0),
            own(90_000, 0),
            own(300, 4000),
            OwnIdle { account: String::new(), ..own(300, 0) },
            OwnIdle { account: "b\nob".into(), ..own(300, 0) },
        ] {
            assert!(timeout(EVERYBODY, wrong.clone()).check().is_err(), "{wrong:?}");
        }
        let many = (0..=1000).map(|number| (number, own(300, 0))).collect();
        assert!(ScreenLockTimeout { idle: EVERYBODY, own: many }.check().is_err());
    }

    #[test]
    fn a_value_of_an_earlier_version_is_read() {
        let text = r#"{"idle":{"after":{"seconds":600,"delay":20}}}"#;
        let read = serde_json::from_str::<ScreenLockTimeout>(text).unwrap();
        assert_eq!(read, ScreenLockTimeout::everybody(EVERYBODY));
    }

    proptest! {
        /// Whatever somebody asks for, and whatever everybody's becomes afterwards, his is never longer.
        #[test]
        fn it_is_never_longer(a in 60..90_000u32, b in 0..4000u32, c in any::<u32>(), d in any::<u32>()) {
            let value = timeout(ScreenIdle::After { seconds: a, delay: b }, own(c, d));
            let ScreenIdle::After { seconds, delay } = value.of(1001) else { panic!("nobody's") };
            prop_assert!(seconds <= a && delay <= b);
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<ScreenLockTimeout>(&text).unwrap(), value);
        }
    }
}
