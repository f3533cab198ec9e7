// SPDX-License-Identifier: Apache-2.0
//! One order and what came of it.

use virtwarden_core::control::{Mode, Order, Report};
use virtwarden_core::setting::{Setting, SettingName};

use crate::change::{apply, inspect, withdraw};
use crate::host::Host;
use crate::journal::Turn;
use crate::provider::{
    AuditServerFiles, BannerFiles, CertificateValidityFiles, DirectoryServerFiles, HostMediaFiles,
    IpsecCryptographyFiles, LockoutFiles, PasswordFiles, RemoteFiles, ScreenLockFiles,
    ScreenLockTimeoutFiles, SshCryptographyFiles, TimeFiles, TlsCryptographyFiles, usb,
};
use crate::session;

/// Carries an order out, after all that were begun before it.
pub(crate) fn carry_out(host: &Host, order: &Order) -> Report {
    let _turn = match Turn::take(host) {
        Ok(turn) => turn,
        Err(why) => return Report::Failed(why),
    };
    let done = match order {
        Order::Apply { setting, mode } => apply_one(host, setting, *mode),
        Order::Withdraw { name, mode } => withdraw_one(host, *name, *mode),
        Order::Inspect { setting } => return Report::Drift(inspect_one(host, setting)),
        Order::UsbStorage { port, wish } => usb::carry_out(host, port, *wish),
        Order::EndSession { session, leader } => session::end(host, *session, *leader),
    };
    done.map_or_else(Report::Failed, Report::Done)
}

/// Whoever sends it, an illegal value goes no further.
fn apply_one(host: &Host, setting: &Setting, mode: Mode) -> Result<Vec<String>, String> {
    setting.check().map_err(|error| error.to_string())?;
    match setting {
        Setting::AuditServer(value) => apply::<AuditServerFiles>(host, value, mode),
        Setting::Banner(value) => apply::<BannerFiles>(host, value, mode),
        Setting::DirectoryServer(value) => apply::<DirectoryServerFiles>(host, value, mode),
        // policyd goes by it itself; no file of the host follows.
        Setting::DefaultVm(_) => Ok(Vec::new()),
        Setting::HostMedia(value) => apply::<HostMediaFiles>(host, value, mode),
        Setting::Lockout(value) => apply::<LockoutFiles>(host, value, mode),
        Setting::PasswordPolicy(value) => apply::<PasswordFiles>(host, value, mode),
        Setting::RemoteTimeout(value) => apply::<RemoteFiles>(host, value, mode),
        Setting::ScreenLock(value) => apply::<ScreenLockFiles>(host, value, mode),
        Setting::ScreenLockTimeout(value) => apply::<ScreenLockTimeoutFiles>(host, value, mode),
        Setting::SshCryptography(value) => apply::<SshCryptographyFiles>(host, value, mode),
        Setting::TimeServers(value) => apply::<TimeFiles>(host, value, mode),
        Setting::CertificateValidity(value) => apply::<CertificateValidityFiles>(host, value, mode),
        Setting::IpsecCryptography(value) => apply::<IpsecCryptographyFiles>(host, value, mode),
        Setting::TlsCryptography(value) => apply::<TlsCryptographyFiles>(host, value, mode),
    }
}

fn withdraw_one(host: &Host, name: SettingName, mode: Mode) -> Result<Vec<String>, String> {
    match name {
        SettingName::AuditServer => withdraw::<AuditServerFiles>(host, mode),
        SettingName::Banner => withdraw::<BannerFiles>(host, mode),
        SettingName::DirectoryServer => withdraw::<DirectoryServerFiles>(host, mode),
        SettingName::DefaultVm => Ok(Vec::new()),
        SettingName::HostMedia => withdraw::<HostMediaFiles>(host, mode),
        SettingName::Lockout => withdraw::<LockoutFiles>(host, mode),
        SettingName::PasswordPolicy => withdraw::<PasswordFiles>(host, mode),
        SettingName::RemoteTimeout => withdraw::<RemoteFiles>(host, mode),
        SettingName::ScreenLock => withdraw::<ScreenLockFiles>(host, mode),
        SettingName::ScreenLockTimeout => withdraw::<ScreenLockTimeoutFiles>(host, mode),
        SettingName::SshCryptography => withdraw::<SshCryptographyFiles>(host, mode),
        SettingName::TimeServers => withdraw::<TimeFiles>(host, mode),
        SettingName::CertificateValidity => withdraw::<CertificateValidityFiles>(host, mode),
        SettingName::IpsecCryptography => withdraw::<IpsecCryptographyFiles>(host, mode),
        SettingName::TlsCryptography => withdraw::<TlsCryptographyFiles>(host, mode),
    }
}

fn inspect_one(host: &Host, setting: &Setting) -> Vec<String> {
    match setting {
        Setting::AuditServer(value) => inspect::<AuditServerFiles>(host, value),
        Setting::Banner(value) => inspect::<BannerFiles>(host, value),
        Setting::DirectoryServer(value) => inspect::<DirectoryServerFiles>(host, value),
        Setting::DefaultVm(_) => Vec::new(),
        Setting::HostMedia(value) => inspect::<HostMediaFiles>(host, value),
        Setting::Lockout(value) => inspect::<LockoutFiles>(host, value),
        Setting::PasswordPolicy(value) => inspect::<PasswordFiles>(host, value),
        Setting::RemoteTimeout(value) => inspect::<RemoteFiles>(host, value),
        Setting::ScreenLock(value) => inspect::<ScreenLockFiles>(host, value),
        Setting::ScreenLockTimeout(value) => inspect::<ScreenLockTimeoutFiles>(host, value),
        Setting::SshCryptography(value) => inspect::<SshCryptographyFiles>(host, value),
        Setting::TimeServers(value) => inspect::<TimeFiles>(host, value),
        Setting::CertificateValidity(value) => inspect::<CertificateValidityFiles>(host, value),
        Setting::IpsecCryptography(value) => inspect::<IpsecCryptographyFiles>(host, value),
        Setting::TlsCryptography(value) => inspect::<TlsCryptographyFiles>(host, value),
    }
}
