// SPDX-License-Identifier: Apache-2.0
//! A policy on trial: whoever loaded it must say within a time that he can still work, or the one before comes back.
//!
//! A policyd that ends meanwhile has heard nothing, and so the one before comes back then, too.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::InForce;
use super::unconfirmed::{Standing, Unconfirmed};
use crate::kept::{Store, StoreError};

/// How a trial ended.
#[derive(Debug)]
pub enum End {
    /// The new policy stays.
    Confirmed,
    /// Nobody said anything: this is the policy from before.
    Over(Arc<InForce>),
}

/// Why a trial does not begin, or is not confirmed.
#[derive(Debug)]
pub enum TrialError {
    /// One is under way already.
    UnderWay,
    /// None is.
    None,
    /// It could not be kept.
    Store(StoreError),
}

/// At most one policy is on trial.
#[derive(Debug, Default)]
pub struct Trial {
    before: Mutex<Option<Arc<InForce>>>,
    confirmed: Condvar,
    store: Option<Store<Unconfirmed>>,
}

impl Trial {
    /// Keeps what is on trial in a file. What the file knows of `files`, which were just read: the policy from before
    /// them, if nobody confirmed them.
    pub(super) fn kept(
        path: &Path,
        files: &InForce,
    ) -> Result<(Self, Option<InForce>, Vec<String>), StoreError> {
        let (store, unconfirmed, condition) = Store::<Unconfirmed>::open(path)?;
        let mut warnings: Vec<_> = condition.warning().map(str::to_owned).into_iter().collect();
        let standing = unconfirmed.and_then(|unconfirmed| unconfirmed.0);
        let before = match standing
            .filter(|standing| standing.is_about(files))
            .map(|standing| standing.before())
        {
            Some(Ok(before)) => {
                warnings.push(
                    "nobody confirmed the policy files of this host; the policy from before them is in force, see \
                     `virtwarden policy diff`"
                        .to_owned(),
                );
                Some(before)
            }
            Some(Err(why)) => {
                warnings.push(format!(
                    "nobody confirmed the policy files of this host, and the policy from before them is none any more: {why}"
                ));
                None
            }
            None => None,
        };
        Ok((Self { store: Some(store), ..Self::default() }, before, warnings))
    }

    /// Begins, with a policy that is about to be in force.
    ///
    /// # Errors
    /// One is under way, or it cannot be kept.
    pub fn begin(&self, before: Arc<InForce>, candidate: &InForce) -> Result<(), TrialError> {
        let mut kept = self.locked();
        if kept.is_some() {
            return Err(TrialError::UnderWay);
        }
        self.keep(Some(Standing::new(&before, candidate)))?;
        *kept = Some(before);
        Ok(())
    }

    /// Whether one is under way.
    pub fn is_on(&self) -> bool {
        self.locked().is_some()
    }

    /// The new policy stays.
    ///
    /// # Errors
    /// There was none, or that it stays cannot be kept: it goes on.
    pub fn confirm(&self) -> Result<(), TrialError> {
        let mut before = self.locked();
        if before.is_none() {
            return Err(TrialError::None);
        }
        self.keep(None)?;
        *before = None;
        self.confirmed.notify_all();
        Ok(())
    }

    /// What is about to be in force was put there by somebody who knew: nothing was taken back any more.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn settle(&self) -> Result<(), TrialError> {
        self.keep(None)
    }

    /// Waits for the end.
    pub fn wait(&self, patience: Duration) -> End {
        let waited = self.confirmed.wait_timeout_while(self.locked(), patience, |before| before.is_some());
        let (mut before, _) = waited.unwrap_or_else(PoisonError::into_inner);
        before.take().map_or(End::Confirmed, End::Over)
    }

    fn keep(&self, standing: Option<Standing>) -> Result<(), TrialError> {
        let Some(store) = &self.store else { return Ok(()) };
        store.write(&Unconfirmed(standing)).map_err(TrialError::Store)
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<InForce>>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
