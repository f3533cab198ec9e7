// SPDX-License-Identifier: Apache-2.0
//! The typed settings: the authority on their values. Rows 2, 10, 15, 16 and 20 of Table 3.
//!
//! The host's own files follow: settingsd writes them first, and then the value is kept here. Where
//! the two differ, by a crash between or by somebody's hand, that is drift and is shown. Whoever
//! reads a value gets a copy and waits for nobody, however long a change takes.

mod follow;
mod provisional;
mod settingsd;
mod store;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use virtwarden_core::control::SettingSource;
pub use virtwarden_core::setting::document::{Chosen, Values};
use virtwarden_core::setting::{
    Banner, DefaultVm, HostMedia, Lockout, PasswordPolicy, RemoteTimeout, ScreenLock, ScreenLockTimeout,
    Setting, SettingName,
};

use crate::kept::{Condition, Store, StoreError};
pub use provisional::{CONFIRM_WITHIN, must_be_confirmed};
pub use settingsd::{Components, Settingsd, Silence};

/// The settings. Shared by all parts that act by them.
pub struct Settings {
    values: RwLock<Arc<Values>>,
    /// Held through the whole of a change, settingsd's part included: one at a time.
    store: Mutex<Store<Values>>,
    /// One that is not kept before it is confirmed.
    provisional: Mutex<Option<Arc<Chosen>>>,
    followed: Mutex<follow::Followed>,
    condition: Condition,
    components: Box<dyn Components>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("condition", &self.condition).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads `settings.json` of the state directory. One that is missing means that nobody set
    /// anything; one that is damaged is put aside and the defaults hold: see [`Settings::condition`].
    ///
    /// # Errors
    /// The file cannot be read, or a damaged one cannot be put aside.
    pub fn open(state: &Path) -> Result<Self, StoreError> {
        Self::with(state, Box::new(Settingsd::default()))
    }

    /// As [`Settings::open`], with somebody else to carry orders out.
    ///
    /// # Errors
    /// As there.
    pub fn with(state: &Path, components: Box<dyn Components>) -> Result<Self, StoreError> {
        let (store, values, condition) = Store::open(&state.join("settings.json"))?;
        let values = RwLock::new(Arc::new(values.unwrap_or_default()));
        Ok(Self {
            values,
            store: Mutex::new(store),
            provisional: Mutex::default(),
            followed: Mutex::default(),
            condition,
            components,
        })
    }

    /// How the file was found.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// What carries orders out on the host.
    pub fn components(&self) -> &dyn Components {
        &*self.components
    }

    /// The lockout policy in force: row 16.
    pub fn lockout(&self) -> Lockout {
        let Setting::Lockout(lockout) = self.value(SettingName::Lockout) else { return Lockout::default() };
        lockout
    }

    /// The banner in force: row 20.
    pub fn banner(&self) -> Banner {
        let Setting::Banner(banner) = self.value(SettingName::Banner) else { return Banner::default() };
        banner
    }

    /// The password policy in force: row 2.
    pub fn password_policy(&self) -> PasswordPolicy {
        let Setting::PasswordPolicy(policy) = self.value(SettingName::PasswordPolicy) else {
            return PasswordPolicy::default();
        };
        policy
    }

    /// When idle remote sessions end: row 15.
    pub fn remote_timeout(&self) -> RemoteTimeout {
        let Setting::RemoteTimeout(timeout) = self.value(SettingName::RemoteTimeout) else {
            return RemoteTimeout::default();
        };
        timeout
    }

    /// What a new VM is like where nobody says: row 4.
    pub fn default_vm(&self) -> DefaultVm {
        let Setting::DefaultVm(vm) = self.value(SettingName::DefaultVm) else { return DefaultVm::default() };
        vm
    }

    /// What the host does with removable media: row 10.
    pub fn host_media(&self) -> HostMedia {
        let Setting::HostMedia(media) = self.value(SettingName::HostMedia) else {
            return HostMedia::default();
        };
        media
    }

    /// Whether idle screens lock: row 13.
    pub fn screen_lock(&self) -> ScreenLock {
        let Setting::ScreenLock(lock) = self.value(SettingName::ScreenLock) else {
            return ScreenLock::default();
        };
        lock
    }

    /// When they do, for everybody and for whom it is shorter: row 14.
    pub fn screen_lock_timeout(&self) -> ScreenLockTimeout {
        let Setting::ScreenLockTimeout(timeout) = self.value(SettingName::ScreenLockTimeout) else {
            return ScreenLockTimeout::default();
        };
        timeout
    }

    /// What somebody set, with who did and why.
    pub fn chosen(&self, name: SettingName) -> Option<Chosen> {
        self.values().get(&name).cloned()
    }

    /// The value in force, set or default.
    pub fn value(&self, name: SettingName) -> Setting {
        self.values().get(&name).map_or_else(|| name.default_value(), |chosen| chosen.setting.clone())
    }

    /// Where the value in force comes from.
    pub fn source(&self, name: SettingName) -> SettingSource {
        self.values().get(&name).map_or(SettingSource::Default, |chosen| SettingSource::Set {
            by: chosen.by.clone(),
            at: chosen.at,
            reason: chosen.reason.clone(),
        })
    }

    fn values(&self) -> Arc<Values> {
        Arc::clone(&self.values.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a change; nobody else can change anything until it is over.
    pub fn change(&self) -> Changing<'_> {
        Changing { settings: self, store: self.store.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// The right to change values, held by one at a time.
pub struct Changing<'a> {
    settings: &'a Settings,
    store: MutexGuard<'a, Store<Values>>,
}

impl fmt::Debug for Changing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changing")
    }
}

impl Changing<'_> {
    /// Keeps a value that somebody chose. Durable when this returns.
    ///
    /// # Errors
    /// The disk failed: the value before stays.
    pub fn keep(&mut self, chosen: Chosen) -> Result<(), StoreError> {
        self.replace(|values| drop(values.insert(chosen.setting.name(), chosen)))
    }

    /// Forgets what somebody chose, so that the default holds. Durable when this returns.
    ///
    /// # Errors
    /// The disk failed: the value before stays.
    pub fn forget(&mut self, name: SettingName) -> Result<(), StoreError> {
        self.replace(|values| drop(values.remove(&name)))
    }

    /// Writes the edited values, then shows them.
    fn replace(&mut self, edit: impl FnOnce(&mut Values)) -> Result<(), StoreError> {
        let mut values = Values::clone(&self.settings.values());
        edit(&mut values);
        self.store.write(&values)?;
        *self.settings.values.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(values);
        Ok(())
    }
}

#[cfg(test)]
#[path = "settings/tests.rs"]
mod tests;
