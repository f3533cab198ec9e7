// SPDX-License-Identifier: Apache-2.0
//! How full the trail's store is, by what the policy gives it and by what its file system has; and what to do about it.

use super::super::archive::State;
use crate::trail::{Config, TrailError, WhenFull};

/// From how many hundredths on a store that refuses when it is full deserves a warning.
const NEARLY_FULL: u64 = 80;

/// What makes room. A restart takes a greater size from a file even while a full trail takes no record of a reload.
const REMEDY: &str = "`virtwarden audit export --archive FILE`, then `virtwarden audit delete --before TIME`; or a greater \
                      `store-size` in `[audit]` of the policy and `systemctl restart virtwarden-policyd`";

/// How full it is.
pub(super) struct Fill {
    used: u64,
    /// What may be added: within the policy's limit, and on the file system beside what is left to others.
    room: u64,
    /// The policy's limit.
    total: u64,
    segment: u64,
    when_full: WhenFull,
}

impl Fill {
    pub(super) fn new(config: &Config, used: u64, free: u64) -> Self {
        let room = config.total_bytes.saturating_sub(used).min(free.saturating_sub(config.reserve_bytes));
        Self {
            used,
            room,
            total: config.total_bytes,
            segment: config.segment_bytes,
            when_full: config.when_full,
        }
    }

    /// For people, with why nothing can be written if so.
    pub(super) fn state(&self, trouble: Option<&TrailError>) -> State {
        let warning = match (trouble, self.when_full) {
            (Some(TrailError::Full), _) => {
                Some(format!("nothing can be managed: the audit trail is full{}; {REMEDY}", self.by_whom()))
            }
            (Some(error), _) => {
                Some(format!("nothing can be managed: {error}; it goes on by itself once that works"))
            }
            (None, WhenFull::Refuse) if self.is_nearly_full() => Some(format!(
                "the audit trail is {} % full{}, and when it is full, nothing can be managed any more; {REMEDY}",
                self.hundredths(),
                self.by_whom()
            )),
            (None, WhenFull::Refuse | WhenFull::OverwriteOldest) => None,
        };
        State { text: self.text(), warning }
    }

    fn text(&self) -> String {
        let mib = |bytes: u64| bytes >> 20;
        let (used, limit) = (mib(self.used), mib(self.limit()));
        format!("{used} of {limit} MiB used ({} %){}", self.hundredths(), self.by_whom())
    }

    /// Where the file system has less than the policy gives.
    fn by_whom(&self) -> String {
        if self.limit() >= self.total {
            return String::new();
        }
        format!(", for its file system has no room for the {} MiB of the policy", self.total >> 20)
    }

    fn limit(&self) -> u64 {
        self.used.saturating_add(self.room)
    }

    fn hundredths(&self) -> u64 {
        self.used.saturating_mul(100) / self.limit().max(1)
    }

    /// Whole segments are added: what has no room for one is as good as full.
    fn is_nearly_full(&self) -> bool {
        self.hundredths() >= NEARLY_FULL || self.room < self.segment
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn config() -> Config {
        Config { total_bytes: 100 * MIB, segment_bytes: MIB, ..Config::new(Path::new("/"), Path::new("/")) }
    }

    fn fill(used: u64, free: u64) -> Fill {
        Fill::new(&config(), used * MIB, free * MIB)
    }

    #[test]
    fn by_the_policy_or_by_the_file_system_whichever_is_less() {
        for (used, free, text, warns) in [
            (10, 1000, "10 of 100 MiB used (10 %)", false),
            (80, 1000, "80 of 100 MiB used (80 %)", true),
            (
                10,
                64 + 40,
                "10 of 50 MiB used (20 %), for its file system has no room for the 100 MiB of the policy",
                false,
            ),
            (
                40,
                64 + 1,
                "40 of 41 MiB used (97 %), for its file system has no room for the 100 MiB of the policy",
                true,
            ),
            (
                1,
                10,
                "1 of 1 MiB used (100 %), for its file system has no room for the 100 MiB of the policy",
                true,
            ),
        ] {
            let state = fill(used, free).state(None);
            assert_eq!((state.text.as_str(), state.warning.is_some()), (text, warns));
        }
    }

    #[test]
    fn what_has_no_room_for_a_segment_is_as_good_as_full() {
        let config = Config { segment_bytes: 60 * MIB, ..config() };
        let warning = Fill::new(&config, 60 * MIB, 1000 * MIB).state(None).warning.unwrap();
        assert!(warning.contains("60 % full") && warning.contains("audit delete"), "{warning}");
    }

    #[test]
    fn where_the_oldest_goes_only_what_stands_still_is_worth_a_word() {
        let config = Config { when_full: WhenFull::OverwriteOldest, ..config() };
        let full = Fill::new(&config, 99 * MIB, 1000 * MIB);
        assert_eq!(full.state(None).warning, None);
        assert!(full.state(Some(&TrailError::Full)).warning.is_some());
        let failed = full.state(Some(&TrailError::Failed("no such device".into()))).warning.unwrap();
        assert!(failed.contains("no such device") && !failed.contains("audit delete"), "{failed}");
    }
}
