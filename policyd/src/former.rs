// SPDX-License-Identifier: Apache-2.0
//! The policies that were in force before, so that one can be put back: who replaced each, when, and what changed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use virtwarden_core::control::{FormerPolicy, PolicyFile};

use crate::kept::{Condition, Kept, Store, StoreError};
use crate::policies::InForce;

/// How many are kept.
const MOST: usize = 20;
/// How many bytes of text in all: a policy is a few kilobytes.
const LONGEST: usize = 4 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shelf {
    next: u32,
    /// Oldest first.
    policies: Vec<FormerPolicy>,
}

impl Kept for Shelf {
    const SUBJECT: &'static str = "former policies";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the former policies were damaged ({error}), none can be put back; the damaged file is `{}`",
            kept.display()
        )
    }
}

/// The policies that were in force before.
#[derive(Debug)]
pub struct Former {
    store: Store<Shelf>,
    shelf: Mutex<Shelf>,
    condition: Condition,
}

impl Former {
    /// Reads them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (store, shelf, condition) = Store::open(path)?;
        Ok(Self { store, shelf: Mutex::new(shelf.unwrap_or_default()), condition })
    }

    /// How the file was found.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Keeps one that was replaced. The oldest go.
    ///
    /// # Errors
    /// The disk failed; the policy in force is another matter.
    pub fn keep(
        &self,
        before: &InForce,
        (by, change): (&str, Vec<String>),
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut shelf = self.lock();
        let mut new = shelf.clone();
        new.next = new.next.saturating_add(1);
        let file = |file: &crate::policies::PolicyFile| PolicyFile {
            path: file.path.display().to_string(),
            text: file.text.clone(),
        };
        new.policies.push(FormerPolicy {
            number: new.next,
            hash: crate::control::digest(&before.files).to_string(),
            until: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            by: by.to_owned(),
            change,
            files: before.files.iter().map(file).collect(),
        });
        while new.policies.len() > MOST || new.policies.len() > 1 && length(&new) > LONGEST {
            new.policies.remove(0);
        }
        self.store.write(&new)?;
        *shelf = new;
        Ok(())
    }

    /// All of them without their files, newest first.
    pub fn list(&self) -> Vec<FormerPolicy> {
        let shelf = self.lock();
        let bare = |policy: &FormerPolicy| FormerPolicy { files: Vec::new(), ..policy.clone() };
        shelf.policies.iter().rev().map(bare).collect()
    }

    /// One of them.
    pub fn find(&self, number: u32) -> Option<FormerPolicy> {
        self.lock().policies.iter().find(|policy| policy.number == number).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn length(shelf: &Shelf) -> usize {
    shelf.policies.iter().flat_map(|policy| &policy.files).map(|file| file.text.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str) -> InForce {
        let text = format!("[role.{name}]\ncolumn = \"user\"\n");
        crate::candidate::load(vec![crate::policies::PolicyFile { path: "/etc/p/1.toml".into(), text }])
            .unwrap()
    }

    #[test]
    fn the_newest_are_kept_over_a_restart_and_found_by_their_numbers() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("former.json");
        let former = Former::open(&path).unwrap();
        for number in 0..MOST + 3 {
            let change = vec!["role `x` may `start` (row 22) now".to_owned()];
            former.keep(&policy(&format!("r{number}")), ("alice", change), UNIX_EPOCH).unwrap();
        }
        let former = Former::open(&path).unwrap();
        let list = former.list();
        assert_eq!((list.len(), list[0].number, list[MOST - 1].number), (20, 23, 4));
        assert!(list.iter().all(|policy| policy.files.is_empty() && policy.by == "alice"));
        assert!(former.find(23).unwrap().files[0].text.contains("[role.r22]"));
        assert_eq!(former.find(3), None);
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("former.json");
        std::fs::write(&path, "{").unwrap();
        let former = Former::open(&path).unwrap();
        assert!(former.condition().warning().unwrap().contains("none can be put back"));
        former.keep(&policy("a"), ("alice", Vec::new()), UNIX_EPOCH).unwrap();
        assert_eq!(Former::open(&path).unwrap().list().len(), 1);
    }
}
