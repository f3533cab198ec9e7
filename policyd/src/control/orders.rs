// SPDX-License-Identifier: Apache-2.0
//! The orders that bring the host to what is kept, or to what holds where nobody set anything.

use virtwarden_core::control::{Mode, Order};
use virtwarden_core::media::Rules;
use virtwarden_core::setting::SettingName;

use crate::settings::Settings;

/// How the host is to be by what is kept.
pub(super) fn kept_order(settings: &Settings, name: SettingName, rules: &Rules) -> Order {
    if settings.source(name).is_set() {
        Order::Apply { setting: Settings::under(settings.value(name), rules), mode: Mode::Apply }
    } else {
        default_order(name, Mode::Apply, rules)
    }
}

/// How the host is to be where nobody set a value: as without us. But lockout is in force by default,
/// and so is what keeps others from hiding it, media are not the host's unless the policy says so, and
/// certificates of unknown validity are not accepted.
pub(super) fn default_order(name: SettingName, mode: Mode, rules: &Rules) -> Order {
    match name {
        SettingName::Banner
        | SettingName::DefaultVm
        | SettingName::PasswordPolicy
        | SettingName::AuditServer
        | SettingName::DirectoryServer
        | SettingName::RemoteTimeout
        | SettingName::ScreenLock
        | SettingName::ScreenLockTimeout
        | SettingName::SshCryptography
        | SettingName::IpsecCryptography
        | SettingName::TimeServers
        | SettingName::TlsCryptography => Order::Withdraw { name, mode },
        SettingName::HostMedia | SettingName::Lockout | SettingName::CertificateValidity => {
            Order::Apply { setting: Settings::under(name.default_value(), rules), mode }
        }
    }
}
