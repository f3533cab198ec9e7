// SPDX-License-Identifier: Apache-2.0
//! A value that could leave somebody without his keyboard holds for a minute, unless he confirms it.
//!
//! Only the host's files have it: it is kept nowhere, so that after a crash or a reboot the value before
//! comes back by itself.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use virtwarden_core::setting::{HostLevel, Setting, SettingName};

use super::{Changing, Chosen, Settings};
use crate::kept::StoreError;

/// How long it holds.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(60);

impl Settings {
    /// The value that waits to be confirmed.
    pub fn provisional(&self, name: SettingName) -> Option<Arc<Chosen>> {
        let waiting = self.provisional.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waiting.filter(|chosen| chosen.setting.name() == name)
    }
}

impl Changing<'_> {
    /// Lets a value wait. One that waited already is forgotten.
    pub fn wait(&mut self, chosen: Chosen) -> Arc<Chosen> {
        let waiting = Arc::new(chosen);
        self.put(Some(waiting.clone()));
        waiting
    }

    /// Ends the waiting of a setting, if it does wait.
    pub fn end_waiting(&mut self, name: SettingName) -> Option<Arc<Chosen>> {
        let waiting = self.settings.provisional(name)?;
        self.put(None);
        Some(waiting)
    }

    /// Ends the waiting of this very value: another may have taken its place.
    pub fn give_up(&mut self, chosen: &Arc<Chosen>) -> bool {
        let waiting = self.settings.provisional(chosen.setting.name());
        let same = waiting.is_some_and(|waiting| Arc::ptr_eq(&waiting, chosen));
        if same {
            self.put(None);
        }
        same
    }

    /// Keeps the value that waits. Durable when this returns.
    ///
    /// # Errors
    /// The disk failed: it goes on waiting.
    pub fn confirm(&mut self, name: SettingName) -> Result<Option<Arc<Chosen>>, StoreError> {
        let Some(waiting) = self.settings.provisional(name) else { return Ok(None) };
        self.keep(Chosen::clone(&waiting))?;
        Ok(self.end_waiting(name))
    }

    fn put(&self, waiting: Option<Arc<Chosen>>) {
        *self.settings.provisional.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }
}

/// Whether to change from one value to another needs to be confirmed: what holds already has been.
pub fn must_be_confirmed(before: &Setting, after: &Setting) -> bool {
    match (before, after) {
        (Setting::HostMedia(before), Setting::HostMedia(after)) => {
            after.must_be_confirmed() && before.level != HostLevel::NoDriver
        }
        (
            _,
            Setting::Banner(_)
            | Setting::DefaultVm(_)
            | Setting::HostMedia(_)
            | Setting::AuditServer(_)
            | Setting::DirectoryServer(_)
            | Setting::Lockout(_)
            | Setting::PasswordPolicy(_)
            | Setting::RemoteTimeout(_)
            | Setting::ScreenLock(_)
            | Setting::ScreenLockTimeout(_)
            | Setting::SshCryptography(_)
            | Setting::CertificateValidity(_)
            | Setting::IpsecCryptography(_)
            | Setting::TimeServers(_)
            | Setting::TlsCryptography(_),
        ) => false,
    }
}
