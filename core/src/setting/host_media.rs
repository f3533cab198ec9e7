// SPDX-License-Identifier: Apache-2.0
//! What the host itself does with removable media: row 10, FPT_RDM_EXT.1 with the host as a party.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::SettingError;
use crate::media::{Choice, Granted, Kind, Rules};

/// How far the host keeps its hands off media that are not granted to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostLevel {
    /// Not at all: as on any Debian.
    Open,
    /// Nobody mounts them, nothing offers them, and their device nodes are root's.
    #[default]
    NoAutomount,
    /// As before, and no driver of the host touches USB storage.
    NoDriver,
}

/// The setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostMedia {
    /// How far.
    pub level: HostLevel,
    /// What the policy grants to the host. policyd fills it in; nobody sets it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub granted: BTreeSet<Kind>,
}

impl HostLevel {
    /// All, from the weakest on.
    pub const ALL: [HostLevel; 3] = [HostLevel::Open, HostLevel::NoAutomount, HostLevel::NoDriver];

    /// The word in commands, records and files.
    pub const fn word(self) -> &'static str {
        match self {
            HostLevel::Open => "open",
            HostLevel::NoAutomount => "no-automount",
            HostLevel::NoDriver => "no-driver",
        }
    }

    /// The level of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

impl HostMedia {
    /// The kinds that the host can be kept off.
    pub const KINDS: [Kind; 3] = [Kind::UsbStorage, Kind::Optical, Kind::SdCard];

    /// The value with what a policy grants to the host. It must name the host, whatever the rule.
    #[must_use]
    pub fn under(self, rules: &Rules) -> Self {
        let names_host = |kind: &Kind| {
            rules.kinds.get(kind).is_some_and(|rule| match (rule.choice, &rule.granted) {
                (Choice::Deny, _) | (_, Granted::AllVms) => false,
                (Choice::Grant | Choice::EjectFirst | Choice::AskUser, Granted::Listed(names)) => {
                    names.contains("host")
                }
            })
        };
        Self { granted: Self::KINDS.into_iter().filter(names_host).collect(), ..self }
    }

    /// The kinds that the host keeps its hands off.
    pub fn closed(&self) -> Vec<Kind> {
        match self.level {
            HostLevel::Open => Vec::new(),
            HostLevel::NoAutomount | HostLevel::NoDriver => {
                Self::KINDS.into_iter().filter(|kind| !self.granted.contains(kind)).collect()
            }
        }
    }

    /// Whether USB storage gets no driver of the host.
    pub fn takes_drivers_away(&self) -> bool {
        self.level == HostLevel::NoDriver && !self.granted.contains(&Kind::UsbStorage)
    }

    /// Whether giving it this value could leave somebody without what he needs to take it back, so that
    /// it holds for a minute unless it is confirmed.
    pub const fn must_be_confirmed(&self) -> bool {
        match self.level {
            HostLevel::Open | HostLevel::NoAutomount => false,
            HostLevel::NoDriver => true,
        }
    }

    /// Checks that only what the host can be kept off is granted to it.
    ///
    /// # Errors
    /// Another kind is.
    pub fn check(&self) -> Result<(), SettingError> {
        match self.granted.iter().find(|kind| !Self::KINDS.contains(kind)) {
            Some(kind) => Err(SettingError(format!("the host is never kept off `{kind}`; leave it out"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Rule;

    #[test]
    fn what_is_granted_to_the_host_stays_open_at_every_level() {
        for (level, granted, closed, drivers) in [
            (HostLevel::Open, vec![], vec![], false),
            (HostLevel::NoAutomount, vec![], HostMedia::KINDS.to_vec(), false),
            (HostLevel::NoAutomount, vec![Kind::UsbStorage], vec![Kind::Optical, Kind::SdCard], false),
            (HostLevel::NoDriver, vec![Kind::Optical], vec![Kind::UsbStorage, Kind::SdCard], true),
            (HostLevel::NoDriver, vec![Kind::UsbStorage], vec![Kind::Optical, Kind::SdCard], false),
            (HostLevel::NoDriver, HostMedia::KINDS.to_vec(), vec![], false),
        ] {
            let value = HostMedia { level, granted: granted.into_iter().collect() };
            assert_eq!((value.closed(), value.takes_drivers_away()), (closed, drivers), "{value:?}");
        }
    }

    #[test]
    fn a_policy_opens_what_it_grants_to_the_host_by_name() {
        let rule = |choice, granted| Rule { choice, granted, ..Rule::deny() };
        let host = || Granted::Listed(["host".to_owned()].into());
        for (choice, granted, expected) in [
            (Choice::Grant, host(), true),
            (Choice::EjectFirst, host(), true),
            (Choice::Deny, host(), false),
            (Choice::Grant, Granted::AllVms, false),
            (Choice::Grant, Granted::Listed(["red".to_owned()].into()), false),
        ] {
            let kinds = [(Kind::Optical, rule(choice, granted))].into();
            let value = HostMedia::default().under(&Rules { kinds, ..Rules::default() });
            assert_eq!(value.granted.contains(&Kind::Optical), expected, "{choice:?}");
        }
        let before = HostMedia { granted: HostMedia::KINDS.into(), ..HostMedia::default() };
        assert_eq!(
            before.under(&Rules::default()).granted,
            BTreeSet::new(),
            "what a policy takes back is gone"
        );
    }

    #[test]
    fn a_level_is_known_by_its_word_alone() {
        for level in HostLevel::ALL {
            assert_eq!(HostLevel::from_word(level.word()), Some(level));
        }
        assert_eq!(HostLevel::from_word("No-Driver"), None);
        let wrong = HostMedia { granted: [Kind::Usb].into(), ..HostMedia::default() };
        assert!(wrong.check().unwrap_err().0.contains("`usb`"));
    }
}
