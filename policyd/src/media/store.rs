// SPDX-License-Identifier: Apache-2.0
//! Who had a medium last and has it by our knowledge: a small file, durable before anybody relies on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use virtwarden_core::media::{Asker, Id, Kind, Medium, Party};
use virtwarden_core::object::{Uuid, Vm};

use crate::kept::{Condition, Format, Kept, Store, StoreError};

/// Most media that are remembered. Beyond, those that nobody has are forgotten, the longest untouched first.
const MOST: usize = 10_000;

/// How a VM stands to a medium that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It has it.
    Has,
    /// It had it when somebody pulled it out of the host: plugged in again, it goes back.
    Pulled,
    /// It had it.
    Had,
}

/// What is known of a medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The medium.
    pub id: Id,
    /// Its kind.
    pub kind: Kind,
    /// Its name for people.
    pub name: String,
    /// The VM that was given it last.
    pub vm: Uuid,
    /// That VM's name then.
    pub vm_name: String,
    /// The VM's information domain then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information_domain: Option<String>,
    /// Whether it has it still.
    pub standing: Standing,
    /// The account that connected it.
    pub by: String,
    /// On whose word.
    pub asker: Asker,
    /// Where it was on its bus then, if it is a USB device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<(u16, u16)>,
    /// Counts up with every change, so that the oldest can be told.
    pub turn: u64,
}

impl Entry {
    /// Who had it last.
    pub fn party(&self) -> Party {
        self.information_domain.clone().map_or(Party::Vm(self.vm), Party::InformationDomain)
    }
}

/// All that is kept.
#[derive(Clone, Debug, Default)]
struct Entries {
    given: BTreeMap<Id, Entry>,
    /// What was plugged in when policyd last looked, in words.
    present: BTreeMap<Id, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: Format<1>,
    media: Vec<Entry>,
    #[serde(default)]
    present: BTreeMap<Id, String>,
}

impl Kept for Entries {
    const SUBJECT: &'static str = "state of removable media";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let media = self.given.values().cloned().collect();
        let document = Document { format: Format, media, present: self.present.clone() };
        serde_json::to_vec_pretty(&document)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let given = document.media.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        Ok(Self { given, present: document.present })
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the state of removable media was damaged ({error}): who had which last is not known any more, nor what \
             lies in the drives of VMs that do not run; the damaged file is `{}`",
            kept.display()
        )
    }
}

/// The file and what it says.
#[derive(Debug)]
pub(super) struct State {
    /// None: nothing is kept, in tests.
    file: Option<Store<Entries>>,
    condition: Condition,
    entries: Mutex<Entries>,
}

impl State {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let (file, entries, condition) = Store::open(path)?;
        Ok(Self { file: Some(file), condition, entries: Mutex::new(entries.unwrap_or_default()) })
    }

    pub(super) fn nowhere() -> Self {
        Self { file: None, condition: Condition::Fresh, entries: Mutex::default() }
    }

    pub(super) fn condition(&self) -> &Condition {
        &self.condition
    }

    pub(super) fn of(&self, id: &Id) -> Option<Entry> {
        self.locked().given.get(id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Entry> {
        self.locked().given.values().cloned().collect()
    }

    pub(super) fn given(&self, medium: &Medium, vm: &Vm, by: &str, asker: Asker) -> Result<(), StoreError> {
        let entry = Entry {
            id: medium.id.clone(),
            kind: medium.kind,
            name: medium.name.clone(),
            vm: vm.uuid,
            vm_name: vm.name.clone(),
            information_domain: vm.assignment.as_deref().and_then(|a| a.information_domain.clone()),
            standing: Standing::Has,
            by: by.to_owned(),
            asker,
            address: medium.address(),
            turn: 0,
        };
        self.change(|entries, turn| drop(entries.given.insert(entry.id.clone(), Entry { turn, ..entry })))
    }

    /// Nothing is written if nothing changes.
    pub(super) fn stand(&self, ids: &[Id], standing: Standing) -> Result<(), StoreError> {
        let differs = |entry: &Entry| entry.standing != standing;
        if !ids.iter().any(|id| self.of(id).is_some_and(|entry| differs(&entry))) {
            return Ok(());
        }
        self.change(|entries, turn| {
            for id in ids {
                if let Some(entry) = entries.given.get_mut(id).filter(|entry| differs(entry)) {
                    (entry.standing, entry.turn) = (standing, turn);
                }
            }
        })
    }

    /// What was plugged in when policyd last looked.
    pub(super) fn present(&self) -> BTreeMap<Id, String> {
        self.locked().present.clone()
    }

    pub(super) fn now_present(&self, present: BTreeMap<Id, String>) -> Result<(), StoreError> {
        self.change(|entries, _| entries.present = present)
    }

    /// Written first, then known.
    fn change(&self, change: impl FnOnce(&mut Entries, u64)) -> Result<(), StoreError> {
        let mut entries = self.locked();
        let mut changed = entries.clone();
        let turn = entries.given.values().map(|entry| entry.turn).max().unwrap_or_default().saturating_add(1);
        change(&mut changed, turn);
        forget_the_oldest(&mut changed);
        if let Some(file) = &self.file {
            file.write(&changed)?;
        }
        *entries = changed;
        Ok(())
    }

    fn locked(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_the_oldest(entries: &mut Entries) {
    while entries.given.len() > MOST {
        let past = entries.given.values().filter(|entry| entry.standing == Standing::Had);
        let Some(oldest) = past.min_by_key(|entry| entry.turn).map(|entry| entry.id.clone()) else { return };
        entries.given.remove(&oldest);
    }
}
