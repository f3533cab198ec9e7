// SPDX-License-Identifier: Apache-2.0
//! The host follows the policy: what `[media]` grants to the host, or takes from it, is put into its
//! files when a policy comes into force, and when policyd starts.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use virtwarden_core::control::{Mode, Order, Report, UsbWish};
use virtwarden_core::media::{Kind, Rules};
use virtwarden_core::record::Outcome;
use virtwarden_core::setting::{Setting, SettingName};

use super::Settings;

/// What the host was last made to follow.
pub(super) type Followed = Option<BTreeSet<Kind>>;

impl Settings {
    /// A value as it is for a policy.
    pub fn under(setting: Setting, rules: &Rules) -> Setting {
        match setting {
            Setting::HostMedia(media) => Setting::HostMedia(media.under(rules)),
            Setting::Banner(_)
            | Setting::AuditServer(_)
            | Setting::DirectoryServer(_)
            | Setting::DefaultVm(_)
            | Setting::Lockout(_)
            | Setting::PasswordPolicy(_)
            | Setting::RemoteTimeout(_)
            | Setting::ScreenLock(_)
            | Setting::ScreenLockTimeout(_)
            | Setting::SshCryptography(_)
            | Setting::CertificateValidity(_)
            | Setting::IpsecCryptography(_)
            | Setting::TimeServers(_)
            | Setting::TlsCryptography(_) => setting,
        }
    }

    /// Makes the host follow. Says what came of it, if there was anything to do.
    pub fn follow(&self, rules: &Rules) -> Option<(Outcome, String)> {
        let changing = self.change();
        let granted = self.host_media().under(rules).granted;
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.as_ref() == Some(&granted) {
            return None;
        }
        // A value that waits to be confirmed is what the host has.
        let waiting = self.provisional(SettingName::HostMedia).map(|chosen| chosen.setting.clone());
        let setting = Self::under(waiting.unwrap_or_else(|| self.value(SettingName::HostMedia)), rules);
        let done = self.put_in_force(&setting);
        if !matches!(done, Some((Outcome::Failure | Outcome::Unknown, _))) {
            *followed = Some(granted);
        }
        drop(changing);
        done
    }

    /// Lets a VM have the USB storage device at a port. Where drivers are not kept off, it can as it is.
    ///
    /// # Errors
    /// The host did not release it.
    pub fn release(&self, port: &str) -> Result<(), String> {
        let waiting = self.provisional(SettingName::HostMedia).map(|chosen| chosen.setting.clone());
        let level =
            |setting: Setting| matches!(setting, Setting::HostMedia(media) if media.must_be_confirmed());
        if !level(waiting.unwrap_or_else(|| self.value(SettingName::HostMedia))) {
            return Ok(());
        }
        let order = Order::UsbStorage { port: port.to_owned(), wish: UsbWish::Release };
        match self.components().order(&order) {
            Ok(Report::Done(_) | Report::Drift(_)) => Ok(()),
            Ok(Report::Failed(why)) => Err(why),
            Err(silence) => Err(silence.to_string()),
        }
    }

    fn put_in_force(&self, setting: &Setting) -> Option<(Outcome, String)> {
        let inspect = Order::Inspect { setting: setting.clone() };
        match self.components().order(&inspect) {
            Ok(Report::Drift(lines) | Report::Done(lines)) if lines.is_empty() => return None,
            Ok(Report::Drift(_) | Report::Done(_) | Report::Failed(_)) => {}
            Err(silence) => return Some((Outcome::Failure, format!("{setting}: {silence}"))),
        }
        let apply = Order::Apply { setting: setting.clone(), mode: Mode::Apply };
        Some(match self.components().order(&apply) {
            Ok(Report::Done(_) | Report::Drift(_)) => (Outcome::Success, setting.to_string()),
            Ok(Report::Failed(why)) => (Outcome::Failure, format!("{setting}: {why}")),
            Err(silence) => (Outcome::Unknown, format!("{setting}: {silence}")),
        })
    }
}
