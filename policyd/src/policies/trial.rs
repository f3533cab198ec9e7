// SPDX-License-Identifier: Apache-2.0
//! A policy on trial: whoever loaded it must say within a time that he can still work, or the one before comes back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::InForce;

/// How a trial ended.
#[derive(Debug)]
pub enum End {
    /// The new policy stays.
    Confirmed,
    /// Nobody said anything: this is the policy from before.
    Over(Arc<InForce>),
}

/// At most one policy is on trial.
#[derive(Debug, Default)]
pub struct Trial {
    before: Mutex<Option<Arc<InForce>>>,
    confirmed: Condvar,
}

impl Trial {
    /// Begins; false if one is under way.
    pub fn begin(&self, before: Arc<InForce>) -> Result<(), Arc<InForce>> {
        let mut kept = self.locked();
        if kept.is_some() {
            return Err(before);
        }
        *kept = Some(before);
        Ok(())
    }

    /// Whether one is under way.
    pub fn is_on(&self) -> bool {
        self.locked().is_some()
    }

    /// The new policy stays. None was on trial: nothing to confirm.
    ///
    /// # Errors
    /// There was none.
    pub fn confirm(&self) -> Result<(), NoTrial> {
        let taken = self.locked().take();
        self.confirmed.notify_all();
        taken.map(drop).ok_or(NoTrial)
    }

    /// Waits for the end.
    pub fn wait(&self, patience: Duration) -> End {
        let waited = self.confirmed.wait_timeout_while(self.locked(), patience, |before| before.is_some());
        let (mut before, _) = waited.unwrap_or_else(PoisonError::into_inner);
        before.take().map_or(End::Confirmed, End::Over)
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<InForce>>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No policy is on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTrial;
