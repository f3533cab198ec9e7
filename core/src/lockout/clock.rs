// SPDX-License-Identifier: Apache-2.0
//! A clock that locks can be measured by: setting the host's clock back ends none of them early and makes
//! none of them endless, and setting it forward ends none either while the host runs.

use serde::{Deserialize, Serialize};

use super::Moment;

/// What the host's clocks show, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The kernel's identity of this boot.
    pub boot: String,
    /// Since that boot, time asleep included.
    pub up: u64,
    /// Since 1970, as far as the host knows.
    pub wall: u64,
}

/// A moment and what the host's clocks showed at it: kept beside what is measured by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The moment.
    pub at: Moment,
    /// The clocks at it.
    pub reading: Reading,
}

/// The clock. Within a boot it runs with the time since that boot. From one boot to the next it goes on by
/// what the host's clock says has passed, and by nothing if that clock went back.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Anchor,
}

impl Clock {
    /// Goes on from what was kept, or begins.
    pub fn resume(kept: Option<&Anchor>, now: Reading) -> Self {
        let at = match kept {
            None => Moment(now.wall),
            Some(kept) => Moment(kept.at.0.saturating_add(passed(&kept.reading, &now))),
        };
        Self { start: Anchor { at, reading: now } }
    }

    /// The moment at so many milliseconds after boot.
    pub fn at(&self, up: u64) -> Moment {
        Moment(self.start.at.0.saturating_add(up.saturating_sub(self.start.reading.up)))
    }

    /// What to keep.
    pub fn anchor(&self, now: Reading) -> Anchor {
        Anchor { at: self.at(now.up), reading: now }
    }
}

fn passed(before: &Reading, now: &Reading) -> u64 {
    if before.boot == now.boot {
        now.up.saturating_sub(before.up)
    } else {
        now.wall.saturating_sub(before.wall)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(boot: &str, up: u64, wall: u64) -> Reading {
        Reading { boot: boot.to_owned(), up, wall }
    }

    #[test]
    fn time_passes_as_the_host_runs_and_as_it_is_off() {
        let first = Clock::resume(None, reading("a", 10, 1_000));
        assert_eq!(first.at(10), Moment(1_000));
        assert_eq!(first.at(60), Moment(1_050));
        let kept = first.anchor(reading("a", 60, 9_999_999));
        for (now, passed) in [
            (reading("a", 100, 5), 40),
            (reading("a", 100, 99_999_999), 40),
            (reading("b", 3, 9_999_999 + 500), 500),
            (reading("b", 3, 1), 0),
        ] {
            let moment = Clock::resume(Some(&kept), now.clone()).at(now.up);
            assert_eq!(moment, Moment(1_050 + passed), "{now:?}");
        }
    }

    proptest! {
        /// Whatever the host's clock shows: never back, and a minute is over after a minute of running.
        #[test]
        fn it_never_goes_back_and_never_stands_still(
            steps in prop::collection::vec((any::<bool>(), 0..1u64 << 40, 0..1u64 << 40), 1..20)
        ) {
            let (mut boot, mut up) = (0u32, 0);
            let mut clock = Clock::resume(None, reading("0", 0, 77));
            let mut before = clock.at(0);
            for (reboots, runs, wall) in steps {
                let kept = clock.anchor(reading(&boot.to_string(), up, wall / 2));
                if reboots {
                    (boot, up) = (boot + 1, 0);
                }
                clock = Clock::resume(Some(&kept), reading(&boot.to_string(), up, wall));
                prop_assert!(clock.at(up) >= before);
                let began = clock.at(up);
                up += runs;
                prop_assert_eq!(clock.at(up).since(began), runs);
                before = clock.at(up);
            }
        }
    }
}
